"""A booking from the browser's side of the proxy to the mail, through all that the compose file starts."""

import time

from tests.faults.composed.stage import WHOLE_WITHIN


class TestSomebodyWhoBooks:
    def test_signs_in_books_and_is_told(self, stage):
        address, password = stage.walker
        visitor = stage.visitor()
        assert visitor.sign_in(address, password).status == 302
        booked = visitor.book(stage.event, seats=2)
        assert booked.status == 303
        page = visitor.get(booked.location)
        assert page.status == 200
        assert "An evening with Ada" in page.text
        deadline = time.monotonic() + WHOLE_WITHIN
        while not (mails := stage.mail.sent_to(address)):
            assert time.monotonic() < deadline
            time.sleep(0.1)
        assert stage.compose.site_url in mails[0].as_string()
