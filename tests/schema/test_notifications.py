import pytest

from tests.schema.refusals import each, refused

WHEN = "2100-01-01"
OFFENCES = {
    "notification_type_is_known": [{"type": "newsletter"}, {"type": ""}],
    "notification_status_is_known": [{"status": "bounced"}],
    "sent_notifications_say_when": [{"status": "sent"}],
    "delivered_notifications_alone_say_when": [
        {"status": "delivered", "sent_at": WHEN},
        {"status": "pending", "delivered_at": WHEN},
        {"status": "sent", "sent_at": WHEN, "delivered_at": WHEN},
    ],
    "failed_notifications_alone_say_when": [
        {"status": "failed"},
        {"status": "pending", "failed_at": WHEN},
    ],
    "only_notifications_under_way_are_leased": [
        {"status": "delivered", "delivered_at": WHEN, "lease_until": WHEN},
        {"status": "failed", "failed_at": WHEN, "lease_until": WHEN},
    ],
    "superseded_notifications_are_done": [
        {"status": "pending", "superseded_by": "00000000-0000-0000-0000-000000000000"}
    ],
}
TYPES = [
    "booking_confirmed",
    "booking_waitlisted",
    "booking_cancelled",
    "waitlist_promoted",
    "event_updated",
    "event_cancelled",
    "event_reminder",
]


class TestNotifications:
    @pytest.mark.parametrize(("rule", "columns"), each(OFFENCES))
    def test_refuse(self, rows, rule, columns):
        with refused(rule):
            rows.add("notifications", **columns)

    @pytest.mark.parametrize(
        "columns",
        [
            *({"type": kind} for kind in TYPES),
            {"lease_until": WHEN},
            {"status": "sent", "sent_at": WHEN, "lease_until": WHEN},
            {"in_bulk": True},
            {"status": "pending", "sent_at": WHEN},
            {"status": "sent", "sent_at": WHEN},
            {"status": "delivered", "sent_at": WHEN, "delivered_at": WHEN},
            {"status": "failed", "failed_at": WHEN, "last_error": "No such mailbox."},
        ],
    )
    def test_take(self, rows, columns):
        rows.add("notifications", **columns)

    def test_begin_pending_and_due_at_once(self, rows):
        notification = rows.add("notifications")
        assert rows.row(
            "SELECT status, due_at <= clock_timestamp(), attempts FROM notifications WHERE id = %s",
            notification,
        ) == ("pending", True, 0)

    def test_tell_nobody_the_same_thing_twice(self, rows):
        rows.add("notifications", dedupe_key="booking:1:confirmed")
        with refused("nobody_is_told_the_same_thing_twice"):
            rows.add("notifications", dedupe_key="booking:1:confirmed")

    def test_may_all_be_without_a_dedupe_key(self, rows):
        rows.add("notifications")
        rows.add("notifications")

    def test_are_for_a_person_who_is_there(self, rows, nobody):
        with refused("notifications_user_id_fkey"):
            rows.add("notifications", user_id=nobody)
