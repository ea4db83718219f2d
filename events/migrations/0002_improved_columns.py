from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models
from django.db.models.functions import Now

from orgs.migrating import ShortLocks


class Migration(ShortLocks):
    tables = ("events",)

    dependencies = [
        ("events", "0001_original"),
        ("orgs", "0002_improved_columns"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="event",
            name="event_category_is_known",
        ),
        migrations.AddField(
            model_name="event",
            name="booking_closes_at",
            field=models.DateTimeField(
                blank=True,
                help_text="Empty: when the event starts.",
                null=True,
                verbose_name="booking closes",
            ),
        ),
        migrations.AddField(
            model_name="event",
            name="booking_opens_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="booking opens"),
        ),
        migrations.AddField(
            model_name="event",
            name="cancellation_reason",
            field=models.CharField(db_default="", default="", editable=False, max_length=500),
        ),
        migrations.AddField(
            model_name="event",
            name="is_bookable",
            field=models.BooleanField(
                db_default=True, default=True, editable=False, verbose_name="has seats"
            ),
        ),
        migrations.AddField(
            model_name="event",
            name="last_waiting_number",
            field=models.IntegerField(db_default=0, default=0, editable=False),
        ),
        migrations.AddField(
            model_name="event",
            name="layout",
            field=models.JSONField(blank=True, null=True, verbose_name="seating plan"),
        ),
        migrations.AddField(
            model_name="event",
            name="max_seats_per_booking",
            field=models.SmallIntegerField(db_default=50, default=50, verbose_name="seats per booking"),
        ),
        migrations.AddField(
            model_name="event",
            name="max_seats_per_person",
            field=models.SmallIntegerField(db_default=50, default=50, verbose_name="seats per person"),
        ),
        migrations.AddField(
            model_name="event",
            name="online_url",
            field=models.URLField(
                blank=True,
                db_default="",
                default="",
                help_text="Shown to people with a confirmed booking only.",
                max_length=500,
                verbose_name="link to join",
            ),
        ),
        migrations.AddField(
            model_name="event",
            name="place",
            field=models.CharField(
                blank=True, db_default="", default="", max_length=300, verbose_name="place"
            ),
        ),
        # What stands already was on show; only what comes after begins as a draft. (A column's default
        # at its making costs no write of the rows.)
        migrations.AddField(
            model_name="event",
            name="published_at",
            field=models.DateTimeField(blank=True, db_default=Now(), null=True, verbose_name="published"),
        ),
        migrations.AlterField(
            model_name="event",
            name="published_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="published"),
        ),
        migrations.AddField(
            model_name="event",
            name="queue_rule",
            field=models.CharField(
                choices=[("strict", "first in, first out"), ("fill", "the first party that fits")],
                db_default="strict",
                default="strict",
                max_length=10,
                verbose_name="queue rule",
            ),
        ),
        migrations.AddField(
            model_name="event",
            name="sequence",
            field=models.IntegerField(
                db_default=0,
                default=0,
                editable=False,
                help_text="Counts changes of time and place, for calendars.",
            ),
        ),
        migrations.AddField(
            model_name="event",
            name="source_uid",
            field=models.CharField(blank=True, editable=False, max_length=300, null=True),
        ),
        migrations.AddField(
            model_name="event",
            name="version",
            field=models.BigIntegerField(db_default=1, default=1, editable=False),
        ),
        migrations.AddField(
            model_name="event",
            name="visibility",
            field=models.CharField(
                choices=[
                    ("public", "everybody"),
                    ("unlisted", "whoever has the link"),
                    ("members", "members of the organization"),
                ],
                db_default="public",
                default="public",
                max_length=20,
                verbose_name="who may see it",
            ),
        ),
        migrations.AddField(
            model_name="event",
            name="waitlist",
            field=models.BooleanField(db_default=True, default=True, verbose_name="has a waitlist"),
        ),
        AddConstraintNotValid(
            model_name="event",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "category__in",
                        ["webinar", "concert", "hackathon", "conference", "workshop", "meetup", "other"],
                    )
                ),
                name="event_category_is_known",
            ),
        ),
        AddConstraintNotValid(
            model_name="event",
            constraint=models.CheckConstraint(
                condition=models.Q(("visibility__in", ["public", "unlisted", "members"])),
                name="event_visibility_is_known",
            ),
        ),
        AddConstraintNotValid(
            model_name="event",
            constraint=models.CheckConstraint(
                condition=models.Q(("queue_rule__in", ["strict", "fill"])), name="event_queue_rule_is_known"
            ),
        ),
        AddConstraintNotValid(
            model_name="event",
            constraint=models.CheckConstraint(
                condition=models.Q(("title__regex", "\\S")), name="event_title_is_not_empty"
            ),
        ),
        AddConstraintNotValid(
            model_name="event",
            constraint=models.CheckConstraint(
                condition=models.Q(("time_zone__regex", "\\S")), name="event_time_zone_is_not_empty"
            ),
        ),
        AddConstraintNotValid(
            model_name="event",
            constraint=models.CheckConstraint(
                condition=models.Q(("total_slots__gt", 0)), name="event_has_at_least_one_seat"
            ),
        ),
        AddConstraintNotValid(
            model_name="event",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("available_slots__gte", 0), ("available_slots__lte", models.F("total_slots"))
                ),
                name="available_slots_lie_between_none_and_all",
            ),
        ),
        AddConstraintNotValid(
            model_name="event",
            constraint=models.CheckConstraint(
                condition=models.Q(("ends_at__gt", models.F("event_date"))), name="event_ends_after_it_starts"
            ),
        ),
        AddConstraintNotValid(
            model_name="event",
            constraint=models.CheckConstraint(
                condition=models.Q(("booking_closes_at__gt", models.F("booking_opens_at"))),
                name="booking_closes_after_it_opens",
            ),
        ),
        AddConstraintNotValid(
            model_name="event",
            constraint=models.CheckConstraint(
                condition=models.Q(("max_seats_per_booking__gte", 1), ("max_seats_per_booking__lte", 50)),
                name="a_booking_may_hold_1_to_50_seats",
            ),
        ),
        AddConstraintNotValid(
            model_name="event",
            constraint=models.CheckConstraint(
                condition=models.Q(("max_seats_per_person__gte", 1)),
                name="a_person_may_hold_at_least_one_seat",
            ),
        ),
    ]
