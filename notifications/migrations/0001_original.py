import django.contrib.postgres.functions
import django.db.models.deletion
import django.db.models.functions.datetime
import uuid_utils.compat
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Notification",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        db_default=django.contrib.postgres.functions.RandomUUID(),
                        default=uuid_utils.compat.uuid7,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), editable=False
                    ),
                ),
                (
                    "updated_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), editable=False
                    ),
                ),
                (
                    "type",
                    models.CharField(
                        choices=[
                            ("booking_confirmed", "Booking confirmed"),
                            ("booking_waitlisted", "On the waitlist"),
                            ("booking_cancelled", "Booking cancelled"),
                            ("waitlist_promoted", "Promoted from the waitlist"),
                            ("event_updated", "Event changed"),
                            ("event_cancelled", "Event cancelled"),
                            ("event_reminder", "Reminder"),
                        ],
                        max_length=40,
                        verbose_name="type",
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("pending", "pending"),
                            ("sent", "sent"),
                            ("delivered", "delivered"),
                            ("failed", "failed"),
                        ],
                        db_default="pending",
                        default="pending",
                        max_length=20,
                        verbose_name="status",
                    ),
                ),
                ("payload", models.JSONField(db_default=models.Value({}, models.JSONField()), default=dict)),
                (
                    "user",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="notifications",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "notification",
                "verbose_name_plural": "notifications",
                "db_table": "notifications",
                "db_table_comment": "The outbox: one row for each thing a person is to be told, written with the change it tells of and kept until it is delivered or has failed; the person's inbox too.",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "type__in",
                                [
                                    "booking_confirmed",
                                    "booking_waitlisted",
                                    "booking_cancelled",
                                    "waitlist_promoted",
                                    "event_updated",
                                ],
                            )
                        ),
                        name="notification_type_is_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("status__in", ["pending", "sent", "failed"])),
                        name="notification_status_is_known",
                    ),
                ],
            },
        ),
        migrations.RunSQL(
            """
            ALTER TABLE notifications
                ADD CONSTRAINT notifications_user_id_fkey
                    FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE;
            """,
            migrations.RunSQL.noop,
        ),
    ]
