from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations

from orgs.migrating import InPages


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("events", "0002_improved_columns"),
    ]

    operations = [
        # Counted from the seats by `bookings`, which knows them; until then within its bounds.
        InPages(
            """
            SELECT id FROM events
            WHERE id >= %(after)s AND available_slots NOT BETWEEN 0 AND total_slots AND total_slots > 0
            ORDER BY id LIMIT %(most)s
            """,
            """
            UPDATE events SET available_slots = greatest(0, least(available_slots, total_slots))
            WHERE id = ANY(%(ids)s) AND total_slots > 0
            """,
            about="Bring the seats left within their bounds",
            most=200,
        ),
        ValidateConstraint(
            model_name="event",
            name="event_category_is_known",
        ),
        ValidateConstraint(
            model_name="event",
            name="event_visibility_is_known",
        ),
        ValidateConstraint(
            model_name="event",
            name="event_queue_rule_is_known",
        ),
        ValidateConstraint(
            model_name="event",
            name="event_title_is_not_empty",
        ),
        ValidateConstraint(
            model_name="event",
            name="event_time_zone_is_not_empty",
        ),
        ValidateConstraint(
            model_name="event",
            name="event_has_at_least_one_seat",
        ),
        ValidateConstraint(
            model_name="event",
            name="available_slots_lie_between_none_and_all",
        ),
        ValidateConstraint(
            model_name="event",
            name="event_ends_after_it_starts",
        ),
        ValidateConstraint(
            model_name="event",
            name="booking_closes_after_it_opens",
        ),
        ValidateConstraint(
            model_name="event",
            name="a_booking_may_hold_1_to_50_seats",
        ),
        ValidateConstraint(
            model_name="event",
            name="a_person_may_hold_at_least_one_seat",
        ),
    ]
