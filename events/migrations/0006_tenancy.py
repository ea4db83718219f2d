from orgs.migrating import ShortLocks, sql_file


class Migration(ShortLocks):
    tables = ("events", "organizations")
    mode = "SHARE ROW EXCLUSIVE"

    dependencies = [("events", "0005_improved_rules"), ("orgs", "0008_tenancy_checks")]

    operations = [
        sql_file(__file__, "0006_rules.sql"),
    ]
