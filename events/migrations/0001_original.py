import django.contrib.postgres.functions
import django.db.models.deletion
import django.db.models.functions.datetime
import uuid_utils.compat
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("orgs", "0001_original"),
    ]

    operations = [
        migrations.CreateModel(
            name="Event",
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
                ("title", models.CharField(max_length=200, verbose_name="title")),
                (
                    "description",
                    models.TextField(blank=True, db_default="", default="", verbose_name="description"),
                ),
                (
                    "category",
                    models.CharField(
                        choices=[
                            ("webinar", "Webinar"),
                            ("concert", "Concert"),
                            ("hackathon", "Hackathon"),
                            ("conference", "Conference"),
                            ("workshop", "Workshop"),
                            ("meetup", "Meetup"),
                            ("other", "Other"),
                        ],
                        default="other",
                        max_length=20,
                        verbose_name="category",
                    ),
                ),
                ("event_date", models.DateTimeField(verbose_name="starts")),
                ("ends_at", models.DateTimeField(blank=True, null=True, verbose_name="ends")),
                (
                    "time_zone",
                    models.CharField(
                        db_default="UTC", default="UTC", max_length=64, verbose_name="time zone"
                    ),
                ),
                ("total_slots", models.IntegerField(verbose_name="seats")),
                (
                    "available_slots",
                    models.IntegerField(db_default=0, default=0, editable=False, verbose_name="seats left"),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("upcoming", "upcoming"),
                            ("ongoing", "ongoing"),
                            ("completed", "completed"),
                            ("cancelled", "cancelled"),
                        ],
                        db_default="upcoming",
                        default="upcoming",
                        max_length=20,
                        verbose_name="status",
                    ),
                ),
                (
                    "org",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="events",
                        to="orgs.organization",
                        verbose_name="organization",
                    ),
                ),
            ],
            options={
                "verbose_name": "event",
                "verbose_name_plural": "events",
                "db_table": "events",
                "db_table_comment": "What can be booked: when, where, how many seats, how many are left. Redis mirrors the count under event:<id>:slots.",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("category__in", ["webinar", "concert", "hackathon"])),
                        name="event_category_is_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("status__in", ["upcoming", "ongoing", "completed", "cancelled"])),
                        name="event_status_is_known",
                    ),
                ],
            },
        ),
        migrations.RunSQL(
            """
            ALTER TABLE events
                ADD CONSTRAINT events_org_id_fkey
                    FOREIGN KEY (org_id) REFERENCES organizations (id) ON DELETE SET NULL;
            """,
            migrations.RunSQL.noop,
        ),
    ]
