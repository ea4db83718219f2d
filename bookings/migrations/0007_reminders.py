from django.contrib.postgres.operations import AddConstraintNotValid, ValidateConstraint
from django.db import migrations, models

from orgs.migrating import ShortLocks


class Migration(ShortLocks):
    tables = ("event_jobs",)

    dependencies = [
        ("bookings", "0006_improved_counts"),
    ]

    operations = [
        migrations.AlterField(
            model_name="eventjob",
            name="kind",
            field=models.CharField(
                choices=[
                    ("cancel_bookings", "Cancel Bookings"),
                    ("settle_queue", "Settle Queue"),
                    ("tell_of_change", "Tell Of Change"),
                    ("remind", "Remind"),
                ],
                max_length=20,
            ),
        ),
        migrations.AlterModelTableComment(
            name="eventjob",
            table_comment="Work owed by an event, done in pages: cancelling, telling, settling, reminding.",
        ),
        migrations.RemoveConstraint(model_name="eventjob", name="event_job_kind_is_known"),
        AddConstraintNotValid(
            model_name="eventjob",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("kind__in", ["cancel_bookings", "settle_queue", "tell_of_change", "remind"])
                ),
                name="event_job_kind_is_known",
            ),
        ),
        ValidateConstraint(model_name="eventjob", name="event_job_kind_is_known"),
    ]
