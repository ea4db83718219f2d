from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("events", "0002_improved_columns"),
    ]

    operations = [
        # Counted exactly once triggers keep it (bookings 0006); until then within its bounds.
        migrations.RunSQL(
            """
            UPDATE events SET available_slots = greatest(0, least(available_slots, total_slots))
            WHERE available_slots NOT BETWEEN 0 AND total_slots AND total_slots > 0
            """,
            migrations.RunSQL.noop,
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
