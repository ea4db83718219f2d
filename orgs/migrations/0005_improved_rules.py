from orgs.migrating import ShortLocks, sql_file


class Migration(ShortLocks):
    tables = ("organizations", "users", "organization_users", "organization_invites")
    mode = "SHARE ROW EXCLUSIVE"

    dependencies = [("orgs", "0004_improved_indexes")]

    operations = [
        sql_file(__file__, "0005_rules.sql"),
    ]
