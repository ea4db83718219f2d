from django.db import migrations

from orgs.migrating import short_locks, sql_file


class Migration(migrations.Migration):
    dependencies = [("orgs", "0005_improved_rules"), ("events", "0004_improved_indexes")]

    operations = [short_locks(), sql_file(__file__, "0005_rules.sql")]
