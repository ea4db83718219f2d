from orgs.migrating import ShortLocks, sql_file


class Migration(ShortLocks):
    tables = ("notifications",)
    mode = "SHARE ROW EXCLUSIVE"

    dependencies = [("orgs", "0005_improved_rules"), ("notifications", "0004_improved_indexes")]

    operations = [
        sql_file(__file__, "0005_rules.sql"),
    ]
