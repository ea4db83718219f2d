"""A booking from the browser's side of the proxy to the mail, through all that the compose file starts."""

import json
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

    def test_leaves_ids_in_the_proxys_log_and_no_trace_of_where_they_went(self, stage):
        answer = stage.visitor().get("/invites/a-token-that-opens/?q=nora")
        deadline = time.monotonic() + WHOLE_WITHIN
        while answer.headers["X-Request-ID"] not in (said := stage.proxy.said.read_text()):
            assert time.monotonic() < deadline
            time.sleep(0.1)
        for trace in ("/", "nora", "a-token", "127.0.0.1"):
            assert trace not in said
        assert all(json.loads(line)["status"] for line in said.splitlines())
