import logging

import pytest

from happening.log_scrubbing import ScrubbingFormatter


@pytest.fixture
def written():
    """What stands in the log of a message with arguments."""
    formatter = ScrubbingFormatter("%(levelname)s %(message)s")

    def writing(message, *arguments, error=None):
        trace = (type(error), error, None) if error else None
        record = logging.LogRecord("django.request", logging.ERROR, "", 0, message, arguments, trace)
        return formatter.format(record)

    return writing


class TestTheLog:
    @pytest.mark.parametrize(
        "path",
        [
            "/invites/secret-token/",
            "/accounts/confirm-email/secret-token/",
            "/accounts/password/reset/key/abc-secret-token/",
            "/notifications/unsubscribe/secret-token/",
            "http://acme.localhost/invites/secret-token?a=b",
        ],
    )
    def test_holds_no_link_that_opens_something(self, written, path):
        assert "secret-token" not in written("Internal Server Error: %s", path)
        assert "secret-token" not in written("failed", error=ValueError(f"at {path}"))

    def test_is_otherwise_as_it_was_said(self, written):
        assert written("Not Found: %s", "/events/x/") == "ERROR Not Found: /events/x/"

    def test_is_written_so_by_the_settings(self, settings):
        formatter = settings.LOGGING["formatters"]["line"]
        assert formatter["()"] == "happening.log_scrubbing.ScrubbingFormatter"
