from django.contrib.postgres.operations import RemoveIndexConcurrently, ValidateConstraint
from django.db import migrations, models

from orgs.migrating import AddIndexSafely


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("notifications", "0007_delivery_columns"),
    ]

    operations = [
        ValidateConstraint(
            model_name="notification",
            name="only_notifications_under_way_are_leased",
        ),
        RemoveIndexConcurrently(
            model_name="notification",
            name="idx_notifications_pending",
        ),
        AddIndexSafely(
            model_name="notification",
            index=models.Index(
                condition=models.Q(("status", "pending")),
                fields=["in_bulk", "due_at", "id"],
                name="idx_notifications_pending",
            ),
        ),
    ]
