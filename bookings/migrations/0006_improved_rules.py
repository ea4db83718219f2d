from orgs.migrating import ShortLocks, sql_file


class Migration(ShortLocks):
    tables = ("bookings", "booking_seats", "events")
    mode = "SHARE ROW EXCLUSIVE"

    dependencies = [("events", "0005_improved_rules"), ("bookings", "0005_improved_seat_key")]

    operations = [
        sql_file(__file__, "0006_rules.sql"),
    ]
