from django.db import migrations, models

from orgs.migrating import AddIndexSafely


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("notifications", "0010_failed_index"),
    ]

    operations = [
        AddIndexSafely(
            model_name="notification",
            index=models.Index(
                condition=models.Q(("read_at__isnull", False), ("status", "delivered")),
                fields=["delivered_at"],
                name="idx_notifications_done_with",
            ),
        ),
    ]
