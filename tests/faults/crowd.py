"""People who are signed in and want seats, over real HTTP, each writing down what they asked and were told.

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
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
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


class Crowd:
    """A bounded number of visitors who come `at_once` at a time, each for one party; begins at once.

    Args:
        parties: how many seats each visitor wants; as many visitors come as there are parties.
        servers: where they go: the first to the first, the next to the second, and so on.
    """

    def __init__(
        self,
        visitors: Iterable[Visitor],
        event_id: UUID,
        servers: Sequence[Address],
        *,
        parties: Sequence[int],
        at_once: int = 16,
        or_wait: bool = False,
    ) -> None:
        self.event_id, self.servers, self.or_wait = event_id, list(servers), or_wait
        self._to_come = list(enumerate(zip(visitors, parties, strict=False)))[::-1]
        self.size = len(self._to_come)
        self.answers: list[tuple[Visitor, Line]] = []
        self.errors: list[BaseException] = []
        self._changed = threading.Condition()
        self._threads = [threading.Thread(target=self._come, daemon=True) for _ in range(at_once)]
        for thread in self._threads:
            thread.start()

    def wait_for_answers(self, count: int, seconds: float = PATIENCE) -> None:
        """Until so many have their answer. Raises TimeoutError."""
        with self._changed:
            enough = self._changed.wait_for(lambda: len(self.answers) >= count or self.errors, seconds)
        if not enough:
            raise TimeoutError(f"{len(self.answers)} of {self.size} have an answer after {seconds:.0f} s")

    def join(self) -> list[Line]:
        """Everybody's last answer, once all have gone home."""
        for thread in self._threads:
            thread.join()
        if self.errors:
            raise self.errors[0]
        return [line for _, line in self.answers]

    def _come(self) -> None:
        while True:
            with self._changed:
                if not self._to_come or self.errors:
                    return
                number, (visitor, seats) = self._to_come.pop()
            turn = number % len(self.servers)
            servers = self.servers[turn:] + self.servers[:turn]
            try:
                form = visitor.open(self.event_id, servers, seats=seats, or_wait=self.or_wait)
                line = visitor.send(self.event_id, form, servers)
            except BaseException as error:  # told by `join`
                with self._changed:
                    self.errors.append(error)
                    self._changed.notify_all()
                return
            finally:
                visitor.close()
            with self._changed:
                self.answers.append((visitor, line))
                self._changed.notify_all()


def come_again(
    answers: Iterable[tuple[Visitor, Line]], event_id: UUID, servers: Sequence[Address], *, until
) -> bool:
    """Let those who were turned away ask anew, smallest parties first, until `until()`; False if it did not
    come true in time."""
    turned_away = sorted(
        ((visitor, line) for visitor, line in answers if line.status == 409), key=lambda each: each[1].seats
    )
    deadline = time.monotonic() + PATIENCE
    while not until():
        if time.monotonic() > deadline:
            return False
        for visitor, line in turned_away:
            again = visitor.send(event_id, visitor.open(event_id, servers, seats=line.seats), servers)
            visitor.close()
            if again.status == 303:
                turned_away.remove((visitor, line))
                break
        time.sleep(PAUSE)
    return True


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
