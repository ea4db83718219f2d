from orgs.migrating import ShortLocks, sql_file


class Migration(ShortLocks):
    tables = ("events",)
    mode = "SHARE ROW EXCLUSIVE"

    dependencies = [("orgs", "0005_improved_rules"), ("events", "0004_improved_indexes")]

    operations = [sql_file(__file__, "0005_rules.sql")]
