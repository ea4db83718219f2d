from django.db import migrations, models

from orgs.migrating import AddIndexSafely


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("notifications", "0009_event_user_index"),
    ]

    operations = [
        # Leasing a row changes no indexed column: with room on the page it touches no index either (HOT).
        migrations.RunSQL(
            "ALTER TABLE notifications SET (fillfactor = 70)",
            "ALTER TABLE notifications RESET (fillfactor)",
        ),
        AddIndexSafely(
            model_name="notification",
            index=models.Index(
                condition=models.Q(("status", "failed")),
                fields=["failed_at"],
                name="idx_notifications_failed",
            ),
        ),
    ]
