import django.contrib.postgres.functions
import django.db.models.deletion
import django.db.models.expressions
import django.db.models.functions.comparison
import django.db.models.functions.datetime
import uuid_utils.compat
from django.conf import settings
from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models

from orgs.migrating import ShortLocks


class Migration(ShortLocks):
    tables = ("bookings", "booking_seats", "events", "booking_history")

    dependencies = [
        ("bookings", "0001_original"),
        ("events", "0002_improved_columns"),
        ("orgs", "0002_improved_columns"),
        ("orgs", "__first__"),
    ]

    operations = [
        migrations.CreateModel(
            name="EventBookingSummary",
            fields=[
                (
                    "event",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        primary_key=True,
                        related_name="summary",
                        serialize=False,
                        to="events.event",
                    ),
                ),
                ("org_id", models.UUIDField(null=True)),
                ("total_slots", models.IntegerField()),
                ("available_slots", models.IntegerField()),
                ("booked_seats", models.IntegerField()),
                ("confirmed_bookings", models.IntegerField()),
                ("waiting_bookings", models.IntegerField()),
                ("cancelled_bookings", models.IntegerField()),
                ("waiting_seats", models.IntegerField()),
            ],
            options={
                "db_table": "event_booking_summary",
                "managed": False,
            },
        ),
        migrations.CreateModel(
            name="UserBookingSummary",
            fields=[
                (
                    "user",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        primary_key=True,
                        related_name="booking_summary",
                        serialize=False,
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("confirmed_bookings", models.IntegerField()),
                ("waiting_bookings", models.IntegerField()),
                ("cancelled_bookings", models.IntegerField()),
                ("booked_seats", models.IntegerField()),
                ("waiting_seats", models.IntegerField()),
            ],
            options={
                "db_table": "user_booking_summary",
                "managed": False,
            },
        ),
        migrations.CreateModel(
            name="EventJob",
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
                    "kind",
                    models.CharField(
                        choices=[
                            ("cancel_bookings", "Cancel Bookings"),
                            ("settle_queue", "Settle Queue"),
                            ("tell_of_change", "Tell Of Change"),
                        ],
                        max_length=20,
                    ),
                ),
                ("details", models.JSONField(db_default=models.Value({}, models.JSONField()), default=dict)),
                ("due_at", models.DateTimeField()),
                ("cursor", models.UUIDField(null=True)),
                ("finished_at", models.DateTimeField(null=True)),
                (
                    "event",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="jobs",
                        to="events.event",
                    ),
                ),
            ],
            options={
                "db_table": "event_jobs",
                "db_table_comment": "Work owed by an event, done in pages: cancelling, telling, settling.",
            },
        ),
        migrations.CreateModel(
            name="EventTotals",
            fields=[
                (
                    "event",
                    models.OneToOneField(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        primary_key=True,
                        related_name="totals",
                        serialize=False,
                        to="events.event",
                    ),
                ),
                ("confirmed_bookings", models.IntegerField(db_default=0, default=0)),
                ("waiting_bookings", models.IntegerField(db_default=0, default=0)),
                ("cancelled_bookings", models.IntegerField(db_default=0, default=0)),
                ("waiting_seats", models.IntegerField(db_default=0, default=0)),
            ],
            options={
                "db_table": "event_totals",
                "db_table_comment": "Derived: how many bookings of each kind an event has.",
            },
        ),
        migrations.CreateModel(
            name="FreeRun",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "event_id", "last_seat", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("first_seat", models.IntegerField()),
                ("last_seat", models.IntegerField()),
                (
                    "length",
                    models.GeneratedField(
                        db_persist=True,
                        expression=django.db.models.functions.comparison.Least(
                            django.db.models.expressions.CombinedExpression(
                                django.db.models.expressions.CombinedExpression(
                                    models.F("last_seat"), "-", models.F("first_seat")
                                ),
                                "+",
                                models.Value(1),
                            ),
                            models.Value(50),
                        ),
                        output_field=models.SmallIntegerField(),
                    ),
                ),
                (
                    "event",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="events.event",
                    ),
                ),
            ],
            options={
                "db_table": "event_free_runs",
                "db_table_comment": "Derived: the runs of free seats of each event, one row a run.",
            },
        ),
        migrations.RemoveConstraint(
            model_name="bookinghistory",
            name="booking_history_action_is_known",
        ),
        migrations.AddField(
            model_name="booking",
            name="idempotency_key",
            field=models.UUIDField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name="booking",
            name="version",
            field=models.IntegerField(db_default=1, default=1, editable=False),
        ),
        migrations.AddField(
            model_name="bookinghistory",
            name="event_id",
            field=models.UUIDField(null=True),
        ),
        migrations.AddField(
            model_name="bookinghistory",
            name="org_id",
            field=models.UUIDField(null=True),
        ),
        migrations.AddField(
            model_name="bookinghistory",
            name="user_id",
            field=models.UUIDField(null=True),
        ),
        AddConstraintNotValid(
            model_name="booking",
            constraint=models.CheckConstraint(
                condition=models.Q(("seats__gte", 1), ("seats__lte", 50)), name="a_booking_has_1_to_50_seats"
            ),
        ),
        AddConstraintNotValid(
            model_name="booking",
            constraint=models.CheckConstraint(
                condition=models.Q(("waiting_number__isnull", True), ("status", "waiting"), _connector="OR"),
                name="only_waiting_bookings_have_a_number",
            ),
        ),
        AddConstraintNotValid(
            model_name="booking",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("waiting_number__gte", 1), ("waiting_number__isnull", False)),
                    models.Q(("status", "waiting"), _negated=True),
                    _connector="OR",
                ),
                name="waiting_bookings_have_a_number",
            ),
        ),
        AddConstraintNotValid(
            model_name="bookinghistory",
            constraint=models.CheckConstraint(
                condition=models.Q(("action__in", ["created", "cancelled", "promoted", "modified"])),
                name="booking_history_action_is_known",
            ),
        ),
        AddConstraintNotValid(
            model_name="bookingseat",
            constraint=models.CheckConstraint(
                condition=models.Q(("seat_no__gte", 1)), name="seat_numbers_begin_at_1"
            ),
        ),
        migrations.AddIndex(
            model_name="eventjob",
            index=models.Index(
                condition=models.Q(("finished_at", None)), fields=["due_at"], name="idx_event_jobs_open"
            ),
        ),
        migrations.AddIndex(
            model_name="eventjob",
            index=models.Index(fields=["event"], name="idx_event_jobs_event_id"),
        ),
        migrations.AddConstraint(
            model_name="eventjob",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind__in", ["cancel_bookings", "settle_queue", "tell_of_change"])),
                name="event_job_kind_is_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="eventjob",
            constraint=models.UniqueConstraint(
                condition=models.Q(("finished_at", None)),
                fields=("event", "kind"),
                name="an_event_owes_each_kind_once",
            ),
        ),
        migrations.AddIndex(
            model_name="freerun",
            index=models.Index(fields=["event", "length", "last_seat"], name="idx_event_free_runs_length"),
        ),
        migrations.AddConstraint(
            model_name="freerun",
            constraint=models.CheckConstraint(
                condition=models.Q(("first_seat__gte", 1), ("last_seat__gte", models.F("first_seat"))),
                name="free_runs_begin_before_they_end",
            ),
        ),
        migrations.RunSQL(
            """
            ALTER TABLE event_totals
                ADD CONSTRAINT event_totals_event_id_fkey
                    FOREIGN KEY (event_id) REFERENCES events (id) ON DELETE CASCADE;
            ALTER TABLE event_free_runs
                ADD CONSTRAINT event_free_runs_event_id_fkey
                    FOREIGN KEY (event_id) REFERENCES events (id) ON DELETE CASCADE;
            ALTER TABLE event_jobs
                ADD CONSTRAINT event_jobs_event_id_fkey
                    FOREIGN KEY (event_id) REFERENCES events (id) ON DELETE CASCADE;
            """,
            migrations.RunSQL.noop,
        ),
    ]
