from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("bookings", "0002_improved_columns"),
    ]

    operations = [
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
