from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models

from orgs.migrating import ShortLocks


class Migration(ShortLocks):
    tables = ("notifications",)

    dependencies = [
        ("notifications", "0006_preferences"),
    ]

    operations = [
        migrations.AddField(
            model_name="notification",
            name="in_bulk",
            field=models.BooleanField(
                db_default=False,
                default=False,
                help_text="One of many that a change of the event owes: it lets pass who is told of their own doing.",
            ),
        ),
        migrations.RemoveConstraint(
            model_name="notification",
            name="only_pending_notifications_are_leased",
        ),
        AddConstraintNotValid(
            model_name="notification",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("lease_until__isnull", True), ("status__in", ["pending", "sent"]), _connector="OR"
                ),
                name="only_notifications_under_way_are_leased",
            ),
        ),
    ]
