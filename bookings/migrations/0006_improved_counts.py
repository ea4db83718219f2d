from django.db import migrations

from bookings.recounting import LAST_WAITING_NUMBER, SEATS_LEFT, TOTALS
from orgs.migrating import InPages, locked


class Migration(migrations.Migration):
    """What stood before the triggers did, counted event by event while people book; then it is sealed."""

    atomic = False

    dependencies = [("bookings", "0006_improved_rules")]

    operations = [
        InPages(*SEATS_LEFT, about="Count the seats that are left", most=50),
        InPages(*LAST_WAITING_NUMBER, about="Tell each event the last number of its line", most=50),
        InPages(*TOTALS, about="Count the bookings", most=50),
        locked(
            "event_totals",
            mode="SHARE ROW EXCLUSIVE",
            # Totals written by hand, or copied back from a dump beside the bookings they count, are passed over.
            sql="""
            CREATE OR REPLACE TRIGGER event_totals_are_derived BEFORE INSERT OR UPDATE OR DELETE ON event_totals
                FOR EACH ROW WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION ignore_direct_write();
            """,
        ),
        locked(
            "booking_history",
            mode="SHARE ROW EXCLUSIVE",
            sql="""
            CREATE OR REPLACE TRIGGER booking_history_is_append_only BEFORE UPDATE OR DELETE ON booking_history
                FOR EACH ROW EXECUTE FUNCTION keep_booking_history();
            """,
        ),
    ]
