import pytest

from tests.schema.refusals import each, refused

OFFENCES = {
    "booking_mail_cannot_be_turned_off": [
        {"type": kind}
        for kind in (
            "booking_confirmed",
            "booking_waitlisted",
            "booking_cancelled",
            "waitlist_promoted",
            "event_updated",
            "event_cancelled",
            "newsletter",
        )
    ],
}


class TestNotificationPreferences:
    @pytest.mark.parametrize(("rule", "columns"), each(OFFENCES))
    def test_refuse(self, rows, rule, columns):
        with refused(rule):
            rows.add("notification_preferences", **columns)

    @pytest.mark.parametrize("kind", ["event_reminder", "everything"])
    def test_take(self, rows, kind):
        rows.add("notification_preferences", type=kind)

    def test_are_one_for_each_person_and_type(self, rows):
        person = rows.add("users")
        rows.add("notification_preferences", user_id=person)
        rows.add("notification_preferences", user_id=person, type="everything")
        with refused("a_person_chooses_once_for_each_type"):
            rows.add("notification_preferences", user_id=person, by_mail=True)

    def test_are_of_a_person_who_is_there_and_go_with_them(self, rows, nobody):
        with refused("notification_preferences_user_id_fkey"):
            rows.add("notification_preferences", user_id=nobody)
        person = rows.add("users")
        rows.add("notification_preferences", user_id=person)
        rows.do("DELETE FROM users WHERE id = %s", person)
        assert rows.value("SELECT count(*) FROM notification_preferences") == 0
