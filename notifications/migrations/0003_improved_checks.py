from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("notifications", "0002_improved_columns"),
    ]

    operations = [
        # When was not kept; the last change of the row is as near as anybody can come.
        migrations.RunSQL(
            """
            UPDATE notifications SET sent_at = updated_at WHERE status = 'sent' AND sent_at IS NULL;
            UPDATE notifications SET failed_at = updated_at WHERE status = 'failed' AND failed_at IS NULL;
            """,
            migrations.RunSQL.noop,
        ),
        ValidateConstraint(
            model_name="notification",
            name="notification_type_is_known",
        ),
        ValidateConstraint(
            model_name="notification",
            name="notification_status_is_known",
        ),
        ValidateConstraint(
            model_name="notification",
            name="sent_notifications_say_when",
        ),
        ValidateConstraint(
            model_name="notification",
            name="delivered_notifications_alone_say_when",
        ),
        ValidateConstraint(
            model_name="notification",
            name="failed_notifications_alone_say_when",
        ),
        ValidateConstraint(
            model_name="notification",
            name="only_pending_notifications_are_leased",
        ),
        ValidateConstraint(
            model_name="notification",
            name="superseded_notifications_are_done",
        ),
    ]
