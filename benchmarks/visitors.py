"""Signed-in visitors over keep-alive connections, each asking again as soon as it was answered.

They live in a process of their own, whose CPU is not counted. `Visitors.run` asks them to begin and returns
what they met.
"""

import asyncio
import multiprocessing
import re
import time
from collections import Counter
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from statistics import quantiles
from urllib.parse import urlencode
from uuid import uuid4

import httptools
import uvloop

VISITORS = 64
SECRET = "c" * 32  # of the CSRF cookie; what the form carries is compared with it
COOKIES = ("__Host-sessionid", "__Host-csrftoken")


@dataclass
class Met:
    """What the visitors met: answers by status, and how long each step took, in seconds."""

    seconds: float = 0.0
    statuses: Counter = field(default_factory=Counter)
    took: dict[str, list[float]] = field(default_factory=dict)
    done: int = 0  # journeys
    asked_postgres: int = 0  # connections that sent it anything meanwhile, where that was counted

    @property
    def rate(self) -> float:
        return self.done / self.seconds

    def p99(self, step: str) -> float:
        """Milliseconds."""
        return quantiles(self.took[step], n=100)[98] * 1000


class Visitors:
    """64 of them, waiting in their own process until they are sent on a journey."""

    def __init__(self, port: int, sessions: list[str]) -> None:
        spawn = multiprocessing.get_context("spawn")
        self._pipe, theirs = spawn.Pipe()
        self._process = spawn.Process(target=_live, args=(theirs, port, sessions), daemon=True)
        self._process.start()

    def run(self, journey: str, path: str, *, seconds: float = 0.0, journeys: int = 0) -> Met:
        """Let all of them go on `journey` until the time is up, or until so many journeys are done.

        Args:
            journey: "look" (GET, nobody in particular), "open" (GET, signed in), "send" (POST the form of the
                event at `path`), or "book" (its page, the form on it, and the page that it leads to).
        """
        self._pipe.send((journey, path, seconds, journeys))
        met = self._pipe.recv()
        if isinstance(met, str):
            raise RuntimeError(met)
        return met

    def close(self) -> None:
        self._pipe.close()
        self._process.join()


def _live(pipe, port: int, sessions: list[str]) -> None:
    uvloop.run(_serve(pipe, port, sessions))


async def _serve(pipe, port: int, sessions: list[str]) -> None:
    loop = asyncio.get_running_loop()
    visitors = [Visitor(port) for _ in range(VISITORS)]
    people = _in_turn(sessions)
    while True:
        try:
            job = await loop.run_in_executor(None, pipe.recv)
        except EOFError:
            return
        try:
            pipe.send(await _go(visitors, people, *job))
        except Exception as error:
            pipe.send(repr(error))


async def _go(visitors, people, journey: str, path: str, seconds: float, journeys: int) -> Met:
    met = Met()
    for visitor in visitors:
        await visitor.connect()
        visitor.met = met
    step: Callable[..., Coroutine] = {"look": look, "open": open_page, "send": send, "book": book}[journey]
    began = time.perf_counter()
    end = began + seconds if seconds else float("inf")
    left = iter(range(journeys)) if journeys else iter(int, 1)

    async def keep_going(visitor: "Visitor") -> None:
        while time.perf_counter() < end and next(left, None) is not None:
            await step(visitor, path, people)
            met.done += 1

    await asyncio.gather(*(keep_going(visitor) for visitor in visitors))
    met.seconds = time.perf_counter() - began
    return met


async def look(visitor: "Visitor", path: str, people) -> None:
    visitor.session = ""
    await visitor.request("look", "GET", path)


async def open_page(visitor: "Visitor", path: str, people) -> None:
    visitor.session = next(people)
    await visitor.request("page", "GET", path)


async def send(visitor: "Visitor", path: str, people) -> None:
    """The form alone, as if the page had been open for a while."""
    visitor.session = next(people)
    await visitor.request("send", "POST", f"{path}book/", _form(key=str(uuid4()), token=SECRET))


async def book(visitor: "Visitor", path: str, people) -> None:
    visitor.session = next(people)
    page = await visitor.request("page", "GET", path)
    if page.parser.get_status_code() != 200:
        raise RuntimeError(f"The event's page answered {page.parser.get_status_code()}: {page.body[:2000]!r}")
    await visitor.request(
        "send",
        "POST",
        f"{path}book/",
        _form(key=_hidden(page.body, "idempotency_key"), token=_hidden(page.body, "csrfmiddlewaretoken")),
    )
    if visitor.location:
        await visitor.request("booking", "GET", visitor.location)


class Visitor(asyncio.Protocol):
    """One connection; one request at a time."""

    def __init__(self, port: int) -> None:
        self.port, self.session, self.met = port, "", Met()
        self.transport: asyncio.Transport | None = None
        self.answered: asyncio.Future | None = None
        self.location = ""

    async def connect(self) -> None:
        if self.transport is None or self.transport.is_closing():
            loop = asyncio.get_running_loop()
            self.transport, _ = await loop.create_connection(lambda: self, "127.0.0.1", self.port)

    async def request(self, step: str, method: str, path: str, body: str = "") -> "Visitor":
        cookies = f"Cookie: {COOKIES[0]}={self.session}; {COOKIES[1]}={SECRET}\r\n" if self.session else ""
        form = (
            "Content-Type: application/x-www-form-urlencoded\r\n"
            f"Origin: https://localhost\r\nContent-Length: {len(body)}\r\n"
            if method == "POST"
            else ""
        )
        began = time.perf_counter()
        self.body, self.location = b"", ""
        self.parser = httptools.HttpResponseParser(self)
        self.answered = asyncio.get_running_loop().create_future()
        self.transport.write(
            f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-Proto: https\r\n"
            f"{cookies}{form}\r\n{body}".encode()
        )
        await self.answered
        self.met.statuses[step, self.parser.get_status_code()] += 1
        self.met.took.setdefault(step, []).append(time.perf_counter() - began)
        return self

    # What asyncio and httptools call

    def data_received(self, data: bytes) -> None:
        self.parser.feed_data(data)

    def connection_lost(self, error) -> None:
        self.transport = None
        if self.answered and not self.answered.done():
            self.answered.set_exception(error or ConnectionResetError("the server hung up"))

    def on_header(self, name: bytes, value: bytes) -> None:
        if name.lower() == b"location":
            self.location = value.decode()

    def on_body(self, body: bytes) -> None:
        self.body += body

    def on_message_complete(self) -> None:
        self.answered.set_result(None)


def _form(*, key: str, token: str) -> str:
    return urlencode({"seats": 1, "idempotency_key": key, "csrfmiddlewaretoken": token})


def _hidden(page: bytes, name: str) -> str:
    return re.search(rf'name="{name}" value="([^"]+)"'.encode(), page)[1].decode()


def _in_turn(sessions: list[str]):
    while True:
        yield from sessions
