import pytest

from tests.schema.refusals import each, refused

OFFENCES = {
    "user_status_is_known": [{"status": "asleep"}],
    "user_name_is_not_empty": [{"name": ""}, {"name": "  "}],
    "user_email_is_an_address": [
        {"email": ""},
        {"email": "ada"},
        {"email": "ada@"},
        {"email": "@example.test"},
        {"email": "ada@example"},
        {"email": "ada@example..test"},
        {"email": "ada@@example.test"},
        {"email": "ada lovelace@example.test"},
        {"email": "ada@example.t"},
        {"email": "ada@example.test\n"},
        {"email": "ada@example.test, uma@example.test"},
    ],
    "user_phone_is_e164": [
        {"phone": ""},
        {"phone": "030123456"},
        {"phone": "+0301234567"},
        {"phone": "+49 30 123456"},
        {"phone": "+1"},
        {"phone": "+4930123456x"},
        {"phone": "+49-30-1234567"},
    ],
    "only_erased_people_have_no_email": [{"email": None}, {"email": None, "status": "suspended"}],
}


class TestPeople:
    @pytest.mark.parametrize(("rule", "columns"), each(OFFENCES))
    def test_refuse(self, rows, rule, columns):
        with refused(rule):
            rows.add("users", **columns)

    @pytest.mark.parametrize(
        "columns",
        [
            {"email": "ada.lovelace+events@mail.example.test"},
            {"email": "o'brien@example.test"},
            {"email": "a&b=c!#$%*/?^_`{|}~@example.test"},
            {"email": "ada@xn--mnchen-3ya.example"},
            {"email": "Ada@Example.Test"},
            {"phone": "+4930123456"},
            {"phone": "+123456789012345"},
            {"phone": "+12"},
            {"name": None},
            {"email": None, "status": "erased"},
        ],
    )
    def test_take(self, rows, columns):
        rows.add("users", **columns)

    def test_have_distinct_emails_however_they_are_written(self, rows):
        rows.add("users", email="ada@example.test")
        with refused("users_have_distinct_emails"):
            rows.add("users", email="Ada@EXAMPLE.test")

    def test_have_distinct_keycloak_ids(self, rows):
        rows.add("users", keycloak_id="f:1")
        with refused("users_have_distinct_keycloak_ids"):
            rows.add("users", keycloak_id="f:1")

    def test_stay_as_long_as_they_have_bookings(self, rows):
        user = rows.add("users")
        rows.add("bookings", user_id=user)
        with refused("bookings_user_id_fkey"):
            rows.do("DELETE FROM users WHERE id = %s", user)

    def test_take_their_notifications_along(self, rows):
        user = rows.add("users")
        rows.add("notifications", user_id=user)
        rows.do("DELETE FROM users WHERE id = %s", user)
        assert rows.value("SELECT count(*) FROM notifications") == 0
