from django.contrib.postgres.operations import RemoveIndexConcurrently
from django.db import migrations, models

from orgs.migrating import AddIndexSafely


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("notifications", "0008_delivery_indexes"),
    ]

    operations = [
        AddIndexSafely(
            model_name="notification",
            index=models.Index(fields=["event_id", "user"], name="idx_notifications_event_user"),
        ),
        RemoveIndexConcurrently(model_name="notification", name="idx_notifications_event_id"),
    ]
