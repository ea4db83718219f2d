from django.db import migrations, models

from orgs.migrating import AddIndexSafely


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("notifications", "0009_event_user_index"),
    ]

    operations = [
        AddIndexSafely(
            model_name="notification",
            index=models.Index(
                condition=models.Q(("status", "failed")),
                fields=["failed_at"],
                name="idx_notifications_failed",
            ),
        ),
    ]
