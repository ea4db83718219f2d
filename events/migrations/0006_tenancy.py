from django.db import migrations

from orgs.migrating import short_locks, sql_file


class Migration(migrations.Migration):
    dependencies = [("events", "0005_improved_rules"), ("orgs", "0008_tenancy_checks")]

    operations = [short_locks(), sql_file(__file__, "0006_rules.sql")]
