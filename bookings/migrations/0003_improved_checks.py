from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations

from bookings.recounting import LINES, NUMBERS_OF_NOBODY, SEATS_LEFT_BY_HAND, WHOSE_HISTORY_IT_IS
from orgs.migrating import InPages


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("bookings", "0002_improved_columns"),
    ]

    operations = [
        InPages(*NUMBERS_OF_NOBODY, about="Take the number of whoever waits no more"),
        InPages(*LINES, about="Number the lines in which one is missing or given twice", most=50),
        InPages(*WHOSE_HISTORY_IT_IS, about="Tell the history of bookings whose it is"),
        InPages(*SEATS_LEFT_BY_HAND, about="Count the seats that are left", most=50),
        ValidateConstraint(
            model_name="booking",
            name="a_booking_has_1_to_50_seats",
        ),
        ValidateConstraint(
            model_name="booking",
            name="only_waiting_bookings_have_a_number",
        ),
        ValidateConstraint(
            model_name="booking",
            name="waiting_bookings_have_a_number",
        ),
        ValidateConstraint(
            model_name="bookinghistory",
            name="booking_history_action_is_known",
        ),
        ValidateConstraint(
            model_name="bookingseat",
            name="seat_numbers_begin_at_1",
        ),
    ]
