import django.db.models.functions.datetime
from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models

from orgs.migrating import ShortLocks


class Migration(ShortLocks):
    tables = ("notifications",)

    dependencies = [
        ("notifications", "0001_original"),
        ("orgs", "__first__"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="notification",
            name="notification_type_is_known",
        ),
        migrations.RemoveConstraint(
            model_name="notification",
            name="notification_status_is_known",
        ),
        migrations.AddField(
            model_name="notification",
            name="attempts",
            field=models.SmallIntegerField(db_default=0, default=0),
        ),
        migrations.AddField(
            model_name="notification",
            name="booking_id",
            field=models.UUIDField(null=True),
        ),
        migrations.AddField(
            model_name="notification",
            name="dedupe_key",
            field=models.CharField(max_length=200, null=True),
        ),
        migrations.AddField(
            model_name="notification",
            name="delivered_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="notification",
            name="due_at",
            field=models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
        ),
        migrations.AddField(
            model_name="notification",
            name="event_id",
            field=models.UUIDField(null=True),
        ),
        migrations.AddField(
            model_name="notification",
            name="failed_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="notification",
            name="last_error",
            field=models.TextField(null=True),
        ),
        migrations.AddField(
            model_name="notification",
            name="lease_until",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="notification",
            name="org_id",
            field=models.UUIDField(null=True),
        ),
        migrations.AddField(
            model_name="notification",
            name="read_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="notification",
            name="sent_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="notification",
            name="superseded_by",
            field=models.UUIDField(null=True),
        ),
        AddConstraintNotValid(
            model_name="notification",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "type__in",
                        [
                            "booking_confirmed",
                            "booking_waitlisted",
                            "booking_cancelled",
                            "waitlist_promoted",
                            "event_updated",
                            "event_cancelled",
                            "event_reminder",
                        ],
                    )
                ),
                name="notification_type_is_known",
            ),
        ),
        AddConstraintNotValid(
            model_name="notification",
            constraint=models.CheckConstraint(
                condition=models.Q(("status__in", ["pending", "sent", "failed", "delivered"])),
                name="notification_status_is_known",
            ),
        ),
        AddConstraintNotValid(
            model_name="notification",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("status", "sent"), _negated=True), ("sent_at__isnull", False), _connector="OR"
                ),
                name="sent_notifications_say_when",
            ),
        ),
        AddConstraintNotValid(
            model_name="notification",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("delivered_at__isnull", False), ("status", "delivered")),
                    models.Q(
                        models.Q(("status", "delivered"), _negated=True), ("delivered_at__isnull", True)
                    ),
                    _connector="OR",
                ),
                name="delivered_notifications_alone_say_when",
            ),
        ),
        AddConstraintNotValid(
            model_name="notification",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("failed_at__isnull", False), ("status", "failed")),
                    models.Q(models.Q(("status", "failed"), _negated=True), ("failed_at__isnull", True)),
                    _connector="OR",
                ),
                name="failed_notifications_alone_say_when",
            ),
        ),
        AddConstraintNotValid(
            model_name="notification",
            constraint=models.CheckConstraint(
                condition=models.Q(("lease_until__isnull", True), ("status", "pending"), _connector="OR"),
                name="only_pending_notifications_are_leased",
            ),
        ),
        AddConstraintNotValid(
            model_name="notification",
            constraint=models.CheckConstraint(
                condition=models.Q(("superseded_by__isnull", True), ("status", "delivered"), _connector="OR"),
                name="superseded_notifications_are_done",
            ),
        ),
    ]
