"""Links that open something are not written into logs: whoever reads those could use them."""

import logging
import re

_SECRET = re.compile(
    r"(/invites/|/accounts/confirm-email/|/accounts/password/reset/key/|/notifications/unsubscribe/)"
    r"[^/\s\"'?&]+"
)


class ScrubbingFormatter(logging.Formatter):
    """Writes … in the place of a token, wherever it stands: in the message or in a traceback below it."""

    def format(self, record: logging.LogRecord) -> str:
        return _SECRET.sub(r"\1…", super().format(record))
