from django.db import migrations

from orgs.migrating import short_locks, sql_file


class Migration(migrations.Migration):
    dependencies = [
        ("bookings", "0007_reminders"),
        ("events", "0006_tenancy"),
        ("notifications", "0005_improved_rules"),
    ]

    operations = [short_locks(), sql_file(__file__, "0007_rules.sql")]
