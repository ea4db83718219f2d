from orgs.migrating import ShortLocks, sql_file


class Migration(ShortLocks):
    tables = ("notifications", "booking_history")
    mode = "SHARE ROW EXCLUSIVE"

    dependencies = [
        ("bookings", "0007_reminders"),
        ("events", "0006_tenancy"),
        ("notifications", "0005_improved_rules"),
    ]

    operations = [
        sql_file(__file__, "0007_rules.sql"),
    ]
