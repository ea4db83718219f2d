from orgs.migrating import ShortLocks, sql_file


class Migration(ShortLocks):
    dependencies = [
        ("notifications", "0011_done_with_index"),
    ]

    operations = [sql_file(__file__, "0012_forgetting.sql")]
