from django.db import migrations, models

from orgs.migrating import AddIndexSafely, AddUniqueSafely


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("notifications", "0003_improved_checks"),
    ]

    operations = [
        AddIndexSafely(
            model_name="notification",
            index=models.Index(
                condition=models.Q(("status", "pending")),
                fields=["due_at", "id"],
                name="idx_notifications_pending",
            ),
        ),
        AddIndexSafely(
            model_name="notification",
            index=models.Index(fields=["user", "-created_at", "-id"], name="idx_notifications_inbox"),
        ),
        AddIndexSafely(
            model_name="notification",
            index=models.Index(
                condition=models.Q(("read_at", None)), fields=["user"], name="idx_notifications_unread"
            ),
        ),
        AddIndexSafely(
            model_name="notification",
            index=models.Index(
                condition=models.Q(("status", "sent")), fields=["sent_at"], name="idx_notifications_sent"
            ),
        ),
        AddIndexSafely(
            model_name="notification",
            index=models.Index(fields=["event_id"], name="idx_notifications_event_id"),
        ),
        AddIndexSafely(
            model_name="notification",
            index=models.Index(
                condition=models.Q(("booking_id__isnull", False)),
                fields=["booking_id"],
                name="idx_notifications_booking_id",
            ),
        ),
        AddUniqueSafely(
            model_name="notification",
            constraint=models.UniqueConstraint(
                fields=("dedupe_key",), name="nobody_is_told_the_same_thing_twice"
            ),
        ),
    ]
