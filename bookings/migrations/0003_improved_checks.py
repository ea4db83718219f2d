from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("bookings", "0002_improved_columns"),
    ]

    operations = [
        # A number is a place in line: it ends with the waiting, everybody who waits has one, nobody shares
        # one. Whoever had a place keeps it before whoever came later.
        migrations.RunSQL(
            """
            UPDATE bookings SET waiting_number = NULL
            WHERE status <> 'waiting' AND waiting_number IS NOT NULL
            """,
            migrations.RunSQL.noop,
        ),
        migrations.RunSQL(
            """
            UPDATE bookings SET waiting_number = line.place
            FROM (
                SELECT id, row_number() OVER (
                    PARTITION BY event_id ORDER BY waiting_number NULLS LAST, created_at, id
                ) AS place
                FROM bookings WHERE status = 'waiting' AND event_id IN (
                    SELECT event_id FROM bookings WHERE status = 'waiting' GROUP BY event_id
                    HAVING count(*) > count(DISTINCT waiting_number) OR min(waiting_number) < 1
                )
            ) AS line
            WHERE bookings.id = line.id AND bookings.waiting_number IS DISTINCT FROM line.place
            """,
            migrations.RunSQL.noop,
        ),
        migrations.RunSQL(
            """
            UPDATE booking_history AS line
            SET event_id = booking.event_id, org_id = event.org_id, user_id = booking.user_id
            FROM bookings AS booking JOIN events AS event ON event.id = booking.event_id
            WHERE booking.id = line.booking_id AND line.event_id IS NULL
            """,
            migrations.RunSQL.noop,
        ),
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
