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
        AddIndexSafely(
            model_name="notification",
            index=models.Index(fields=["org_id", "id"], name="idx_notifications_org_id"),
        ),
        RemoveIndexConcurrently(model_name="notification", name="idx_notifications_event_id"),
    ]
