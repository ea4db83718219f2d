from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations

from orgs.migrating import InPages


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("notifications", "0002_improved_columns"),
    ]

    operations = [
        # When was not kept; the last change of the row is as near as anybody can come.
        InPages(
            """
            SELECT id FROM notifications
            WHERE id >= %(after)s AND (
                status = 'sent' AND sent_at IS NULL OR status = 'failed' AND failed_at IS NULL
            )
            ORDER BY id LIMIT %(most)s
            """,
            """
            UPDATE notifications SET sent_at = CASE WHEN status = 'sent' THEN updated_at END,
                                     failed_at = CASE WHEN status = 'failed' THEN updated_at END
            WHERE id = ANY(%(ids)s) AND status IN ('sent', 'failed')
            """,
            about="Say when of what was sent and what failed",
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
