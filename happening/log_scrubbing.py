"""What is no business of a log is not written into it: links that open something, people's addresses, and the
rows that PostgreSQL quotes where they break a rule. Scrubbed is the whole text, traceback and all, since an
error's words come from anywhere.
"""

import json
import logging
import re
from datetime import UTC, datetime

from django.http import UnreadablePostError

from orgs.log_facts import known

_SECRET = re.compile(
    r"(/invites/|/accounts/confirm-email/|/accounts/password/reset/key/|/notifications/unsubscribe/)"
    r"[^/\s\"'?&]+"
)
_QUERY = re.compile(r"(https?://[^\s\"'?]+|(?<![\w.])/[^\s\"'?]*)\?[^\s\"']*")  # what was searched for, codes
_ADDRESS = re.compile(r"[\w.!#$%&*+/=^`{|}~-]+@[\w-]+(\.[\w-]+)+")
_QUOTED_ROW = re.compile(r"^(\s*(?:DETAIL|CONTEXT):).*$", re.MULTILINE)


class ScrubbingFormatter(logging.Formatter):
    """For reading at a terminal. Mails' links are made to be followed there, so addresses stay."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        line = super().formatMessage(record)
        if record.levelno < logging.WARNING or not (facts := known()):
            return line
        return f"{line} ({', '.join(f'{name} {fact}' for name, fact in facts.items())})"

    def format(self, record: logging.LogRecord) -> str:
        return _without_tokens(super().format(record))


class JsonFormatter(logging.Formatter):
    """For programs: one JSON object a line, with the facts of the work at hand (`orgs.log_facts`)."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": _scrubbed(record.getMessage()),
            **known(),
            **getattr(record, "facts", {}),
        }
        if record.exc_info and record.exc_info[0]:
            line["error"] = record.exc_info[0].__name__
            line["traceback"] = _scrubbed(self.formatException(record.exc_info))
        return json.dumps(line, default=str)


class WithoutStrangersTracebacks(logging.Filter):
    """A request that is wrong, or breaks off, is one line and no fault of ours: no error, no traceback."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if record.name.startswith("django.security") or isinstance(error, UnreadablePostError):
            record.exc_info = record.exc_text = None
            record.levelno, record.levelname = logging.WARNING, "WARNING"
        return True


def _without_tokens(text: str) -> str:
    return _SECRET.sub(r"\1…", text)


def _scrubbed(text: str) -> str:
    return _ADDRESS.sub("…@…", _QUERY.sub(r"\1?…", _QUOTED_ROW.sub(r"\1 …", _without_tokens(text))))
