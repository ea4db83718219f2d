"""Mail in development: files that people read, links that stand in the log."""

import logging

import pytest
from django.core.mail import BadHeaderError, EmailMultiAlternatives

from happening.mail_files import EmailBackend

BODY = "Grüße!\n\nConfirm: http://localhost:8000/accounts/confirm-email/abc/.\nOr write to us.\n"


@pytest.fixture
def directory(settings, tmp_path):
    settings.EMAIL_FILE_PATH = tmp_path / "mail"
    return settings.EMAIL_FILE_PATH


def send(**changes):
    message = EmailMultiAlternatives(
        **{"subject": "Please confirm: ada", "body": BODY, "to": ["ada@acme.test"], **changes}
    )
    message.attach_alternative("<p>Grüße!</p>", "text/html")
    return EmailBackend().send_messages([message])


class TestMailFiles:
    def test_can_be_read_as_they_are(self, directory):
        assert send() == 1
        [mail] = directory.glob("*.eml")
        text = mail.read_text()
        assert "To: ada@acme.test\nSubject: Please confirm: ada\n" in text
        assert "\n\nGrüße!\n\nConfirm: http://localhost:8000/accounts/confirm-email/abc/." in text

    def test_are_named_for_recipient_and_subject(self, directory):
        send()
        [mail] = directory.glob("*.eml")
        assert mail.name.endswith("_ada-acme-test_please-confirm-ada.eml")

    def test_have_the_html_part_beside_them(self, directory):
        send()
        [mail] = directory.glob("*.eml")
        assert mail.with_suffix(".html").read_text() == "<p>Grüße!</p>"

    def test_have_what_is_attached_beside_them(self, directory):
        send(attachments=[("invite.ics", "BEGIN:VCALENDAR", "text/calendar; method=REQUEST")])
        [mail] = directory.glob("*.eml")
        assert "Attached: invite.ics" in mail.read_text()
        assert (directory / f"{mail.stem}_invite.ics").read_text() == "BEGIN:VCALENDAR"

    def test_stay_in_their_directory_whatever_the_subject(self, directory):
        send(subject="../../etc/passwd " + "x" * 500, to=['"../up"@acme.test'])
        assert len(list(directory.glob("*.eml"))) == 1
        assert {path.parent for path in directory.parent.rglob("*.*")} <= {directory, directory.parent}

    def test_leave_nothing_half_written(self, directory):
        send()
        assert sorted(path.suffix for path in directory.iterdir()) == [".eml", ".html"]

    def test_put_links_in_one_line_of_the_log(self, directory, caplog):
        with caplog.at_level(logging.INFO, logger="happening.mail"):
            send()
        assert caplog.messages == [
            "Mail to ada@acme.test: Please confirm: ada http://localhost:8000/accounts/confirm-email/abc/"
        ]

    def test_refuse_a_line_break_in_a_header_as_a_mail_server_would(self, directory):
        with pytest.raises(BadHeaderError):
            send(subject="Hello\nBcc: all@acme.test")
