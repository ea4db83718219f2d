from django.db import migrations

from orgs.migrating import short_locks, sql_file


class Migration(migrations.Migration):
    dependencies = [
        ("notifications", "0011_done_with_index"),
    ]

    operations = [short_locks(), sql_file(__file__, "0012_forgetting.sql")]
