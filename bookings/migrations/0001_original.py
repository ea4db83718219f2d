import django.contrib.postgres.functions
import django.db.models.deletion
import django.db.models.functions.datetime
import uuid_utils.compat
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("events", "0001_original"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Booking",
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
                ("seats", models.SmallIntegerField(verbose_name="seats")),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("confirmed", "confirmed"),
                            ("waiting", "waiting"),
                            ("cancelled", "cancelled"),
                        ],
                        max_length=20,
                        verbose_name="status",
                    ),
                ),
                ("waiting_number", models.IntegerField(blank=True, null=True, verbose_name="waiting number")),
                (
                    "event",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="bookings",
                        to="events.event",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="bookings",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "booking",
                "verbose_name_plural": "bookings",
                "db_table": "bookings",
                "db_table_comment": "A person's request for seats of an event: confirmed, waiting under a number, or cancelled.",
            },
        ),
        migrations.CreateModel(
            name="BookingHistory",
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
                ("booking_id", models.UUIDField()),
                (
                    "action",
                    models.CharField(
                        choices=[
                            ("created", "created"),
                            ("cancelled", "cancelled"),
                            ("promoted", "promoted"),
                            ("modified", "modified"),
                        ],
                        max_length=20,
                        verbose_name="action",
                    ),
                ),
                ("details", models.JSONField(db_default=models.Value({}, models.JSONField()), default=dict)),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
            options={
                "verbose_name": "history entry",
                "verbose_name_plural": "history",
                "db_table": "booking_history",
                "db_table_comment": "Append-only: what was done to each booking, for people, analysis and compliance.",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("action__in", ["created", "cancelled", "promoted"])),
                        name="booking_history_action_is_known",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="BookingSeat",
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
                ("seat_no", models.IntegerField(verbose_name="seat")),
                (
                    "status",
                    models.CharField(
                        choices=[("booked", "booked"), ("cancelled", "cancelled")],
                        db_default="booked",
                        default="booked",
                        max_length=20,
                        verbose_name="status",
                    ),
                ),
                (
                    "booking",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="booked_seats",
                        to="bookings.booking",
                    ),
                ),
                (
                    "event",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="booked_seats",
                        to="events.event",
                    ),
                ),
            ],
            options={
                "verbose_name": "seat",
                "verbose_name_plural": "seats",
                "db_table": "booking_seats",
                "db_table_comment": "Which seats a booking holds or held; a seat of an event is booked at most once.",
            },
        ),
        migrations.AddConstraint(
            model_name="booking",
            constraint=models.CheckConstraint(
                condition=models.Q(("status__in", ["confirmed", "waiting", "cancelled"])),
                name="booking_status_is_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="bookingseat",
            constraint=models.CheckConstraint(
                condition=models.Q(("status__in", ["booked", "cancelled"])),
                name="booking_seat_status_is_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="bookingseat",
            constraint=models.UniqueConstraint(
                condition=models.Q(("status", "booked")),
                fields=("event", "seat_no"),
                name="idx_booking_seats_unique",
            ),
        ),
        migrations.RunSQL(
            """
            ALTER TABLE bookings
                ADD CONSTRAINT bookings_event_id_fkey
                    FOREIGN KEY (event_id) REFERENCES events (id) ON DELETE CASCADE,
                ADD CONSTRAINT bookings_user_id_fkey
                    FOREIGN KEY (user_id) REFERENCES users (id);
            ALTER TABLE booking_seats
                ADD CONSTRAINT booking_seats_booking_id_fkey
                    FOREIGN KEY (booking_id) REFERENCES bookings (id) ON DELETE CASCADE,
                ADD CONSTRAINT booking_seats_event_id_fkey
                    FOREIGN KEY (event_id) REFERENCES events (id) ON DELETE CASCADE;
            """,
            migrations.RunSQL.noop,
        ),
    ]
