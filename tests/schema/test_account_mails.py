import pytest

from tests.schema.refusals import each, refused

WHEN = "2100-01-01"
OFFENCES = {
    "account_mail_kind_is_known": [{"kind": "newsletter"}],
    "account_mail_status_is_known": [{"status": "lost"}],
    "account_mail_goes_to_an_address": [
        {"recipient": "ada@example.test\nBcc: all@example.test"},
        {"recipient": "ada@example.test\n"},
        {"recipient": "ada@example.test, eve@example.test"},
        {"recipient": "ada@localhost"},
        {"recipient": ""},
    ],
    "account_mail_subject_is_one_line": [
        {"subject": "Hello\nBcc: all@example.test"},
        {"subject": "Hello\r"},
        {"subject": " "},
    ],
    "pending_account_mail_has_its_text": [{"sealed": None}],
    "sent_account_mail_keeps_no_text": [{"status": "sent", "sent_at": WHEN}],
    "sent_account_mail_alone_says_when": [{"status": "sent", "sealed": None}, {"sent_at": WHEN}],
    "failed_account_mail_alone_says_when_and_why": [
        {"status": "failed", "last_error": "No."},
        {"status": "failed", "failed_at": WHEN},
        {"failed_at": WHEN, "last_error": "No."},
    ],
    "only_pending_account_mail_is_leased": [
        {"status": "failed", "failed_at": WHEN, "last_error": "No.", "lease_until": WHEN}
    ],
}


class TestAccountMails:
    @pytest.mark.parametrize(("rule", "columns"), each(OFFENCES))
    def test_refuse(self, rows, rule, columns):
        with refused(rule):
            rows.add("account_mails", **columns)

    @pytest.mark.parametrize(
        "columns",
        [
            *({"kind": kind} for kind in ("verification", "password_reset", "invite", "notice")),
            {"lease_until": WHEN, "last_error": "Not now."},
            {"status": "sent", "sent_at": WHEN, "sealed": None},
            {"status": "failed", "failed_at": WHEN, "last_error": "No.", "sealed": None},
        ],
    )
    def test_take(self, rows, columns):
        rows.add("account_mails", **columns)

    def test_are_of_a_person_and_an_organization_that_are_there(self, rows, nobody):
        with refused("account_mails_user_id_fkey"):
            rows.add("account_mails", user_id=nobody)
        with refused("account_mails_organization_id_fkey"):
            rows.add("account_mails", organization_id=nobody)
