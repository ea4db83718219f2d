from django.db import migrations

from orgs.migrating import locked


class Migration(migrations.Migration):
    """A seat belongs to a booking *of the same event*: one key over both replaces the one over the booking."""

    atomic = False

    dependencies = [("bookings", "0004_improved_indexes")]

    operations = [
        locked(
            "bookings",
            "booking_seats",
            sql="""
            ALTER TABLE booking_seats
                DROP CONSTRAINT IF EXISTS a_seat_belongs_to_a_booking_of_its_event,
                ADD CONSTRAINT a_seat_belongs_to_a_booking_of_its_event
                    FOREIGN KEY (booking_id, event_id) REFERENCES bookings (id, event_id)
                    ON DELETE CASCADE NOT VALID;
            """,
        ),
        migrations.RunSQL(
            "ALTER TABLE booking_seats VALIDATE CONSTRAINT a_seat_belongs_to_a_booking_of_its_event",
            migrations.RunSQL.noop,
        ),
        locked(
            "bookings",
            "booking_seats",
            sql="ALTER TABLE booking_seats DROP CONSTRAINT IF EXISTS booking_seats_booking_id_fkey;",
        ),
    ]
