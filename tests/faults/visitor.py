"""Somebody who is signed in and wants seats, over real HTTP, and writes down what they asked and were told.

A visitor opens the event's page, and sends its form until there is an answer: whoever hears nothing, or 503,
sends the same form with the same key once more, to the next server. Where the page offers nothing any more
they send what they would have, had they opened it a minute earlier. The log is the crowd's own: one line a
request, written before the next, and nothing in it comes from the database.
"""

import http.client
import json
import random
import re
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from string import ascii_letters
from urllib.parse import urlencode
from uuid import UUID, uuid4

PATIENCE = 60.0  # seconds until a visitor gives up
TIMEOUT = 15.0  # of one request
PAUSE = 0.25
CSRF_SECRET = 32  # characters
TRY_AGAIN = (429, 500, 502, 503, 504)  # answers that settle nothing
Address = tuple[str, int]


@dataclass(frozen=True, kw_only=True)
class Line:
    """One request and what came of it. `status` is None where nothing came."""

    person: str
    event: str
    key: str
    seats: int
    or_wait: bool
    server: str
    began_at: float  # wall time, seconds
    began: float  # monotonic, seconds
    ended: float
    status: int | None = None
    booking: str | None = None  # where a 303 led
    action: str = "book"  # or "cancel"
    trouble: str = ""

    @property
    def is_final(self) -> bool:
        return self.status is not None and self.status not in TRY_AGAIN


class Log:
    """What the crowd was told, in memory and in a file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lines: list[Line] = []
        self._lock = threading.Lock()
        self._file = open(path, "w", buffering=1)  # noqa: SIM115 - as long as the log

    def write(self, line: Line) -> None:
        with self._lock:
            self.lines.append(line)
            self._file.write(json.dumps(asdict(line)) + "\n")

    def close(self) -> None:
        self._file.close()

    @property
    def final(self) -> list[Line]:
        with self._lock:
            return [line for line in self.lines if line.is_final]


@dataclass
class Form:
    """A form as it stood on the page; sent again unchanged."""

    key: str
    token: str
    seats: int
    or_wait: bool = False

    def encoded(self) -> str:
        fields = {"seats": self.seats, "idempotency_key": self.key, "csrfmiddlewaretoken": self.token}
        return urlencode(fields | ({"or_wait": "on"} if self.or_wait else {}))


@dataclass
class Visitor:
    person: UUID
    session: str
    log: Log
    token: str = field(default_factory=lambda: "".join(random.choices(ascii_letters, k=CSRF_SECRET)))
    _connections: dict[Address, http.client.HTTPConnection] = field(default_factory=dict)

    def open(self, event_id: UUID, servers: Sequence[Address], *, seats: int, or_wait: bool = False) -> Form:
        """The event's page, with the form on it. Raises TimeoutError where no server shows it in time."""
        deadline = time.monotonic() + PATIENCE
        for server in _in_turn(servers):
            try:
                status, headers, body = self._request(server, "GET", f"/events/{event_id}/")
            except (OSError, http.client.HTTPException):
                status = None
            if status == 200:
                self._remember(headers)
                key, token = _hidden(body, "idempotency_key"), _hidden(body, "csrfmiddlewaretoken")
                return Form(key or str(uuid4()), token or self.token, seats, or_wait)
            if time.monotonic() > deadline:
                raise TimeoutError(f"the event's page does not come: {status}")
            time.sleep(PAUSE)
        raise AssertionError("unreachable: servers come round for ever")

    def send(self, event_id: UUID, form: Form, servers: Sequence[Address]) -> Line:
        """Send the form until it is settled; the last answer, or the last try when patience ran out."""
        deadline = time.monotonic() + PATIENCE
        for server in _in_turn(servers):
            line = self.send_once(event_id, form, server)
            if line.is_final or time.monotonic() > deadline:
                return line
            time.sleep(PAUSE)
        raise AssertionError("unreachable: servers come round for ever")

    def send_once(self, event_id: UUID, form: Form, server: Address) -> Line:
        facts = {
            "person": str(self.person),
            "event": str(event_id),
            "key": form.key,
            "seats": form.seats,
            "or_wait": form.or_wait,
            "server": f"{server[0]}:{server[1]}",
            "began_at": time.time(),
            "began": time.monotonic(),
        }
        try:
            status, headers, _ = self._request(server, "POST", f"/events/{event_id}/book/", form.encoded())
        except (OSError, http.client.HTTPException) as error:
            line = Line(**facts, ended=time.monotonic(), trouble=repr(error))
        else:
            line = Line(
                **facts, ended=time.monotonic(), status=status, booking=_booking(headers.get("Location", ""))
            )
        self.log.write(line)
        return line

    def cancel(self, booked: Line, servers: Sequence[Address]) -> Line:
        """Give back what `booked` was answered with, until there is an answer or patience runs out."""
        deadline = time.monotonic() + PATIENCE
        for server in _in_turn(servers):
            line = self._cancel_once(booked, server)
            if line.is_final or time.monotonic() > deadline:
                return line
            time.sleep(PAUSE)
        raise AssertionError("unreachable: servers come round for ever")

    def _cancel_once(self, booked: Line, server: Address) -> Line:
        """Open the page and send its form; where it is cancelled already, the page itself leads on."""
        path = f"/bookings/{booked.booking}/cancel/"
        line = replace(
            booked,
            action="cancel",
            server=f"{server[0]}:{server[1]}",
            began_at=time.time(),
            began=time.monotonic(),
            status=None,
            trouble="",
        )
        try:
            status, headers, page = self._request(server, "GET", path)
            if status == 200:
                self._remember(headers)
                version, token = _hidden(page, "version"), _hidden(page, "csrfmiddlewaretoken")
                form = urlencode({"version": version, "csrfmiddlewaretoken": token or self.token})
                status, *_ = self._request(server, "POST", path, form)
        except (OSError, http.client.HTTPException) as error:
            line = replace(line, ended=time.monotonic(), trouble=repr(error))
        else:
            if status == 409:  # the booking was promoted meanwhile, and the page was of before
                status, trouble = None, "out of date"
            else:
                trouble = ""
            line = replace(line, ended=time.monotonic(), status=status, trouble=trouble)
        self.log.write(line)
        return line

    def close(self) -> None:
        for connection in self._connections.values():
            connection.close()
        self._connections.clear()

    def _request(self, server: Address, method: str, path: str, body: str | None = None):
        connection = self._connections.get(server)
        if connection is None:
            connection = self._connections[server] = http.client.HTTPConnection(*server, timeout=TIMEOUT)
        headers = {"Host": "localhost", "Cookie": f"sessionid={self.session}; csrftoken={self.token}"}
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read().decode(errors="replace")
        except BaseException:
            self._connections.pop(server).close()
            raise

    def _remember(self, headers) -> None:
        for cookie in headers.get_all("Set-Cookie", []):
            if match := re.match(r"\s*csrftoken=([^;]+)", cookie):
                self.token = match[1]


def _in_turn(servers: Sequence[Address]):
    while True:
        yield from servers


def _hidden(page: str, name: str) -> str | None:
    """A hidden field of the first form that has it."""
    match = re.search(rf'name="{name}" value="([^"]+)"', page)
    return match[1] if match else None


def _booking(location: str) -> str | None:
    match = re.search(r"/bookings/([0-9a-f-]{36})/", location)
    return match[1] if match else None
