"""Thousands of idle live streams on one process: what each takes of memory, how soon all see a change.

The process is the production one. First everybody looks at one event and nobody is signed in, then everybody
is somebody and looks at their own inbox. Changes go on for as long as it takes to ask everybody again whether
they may watch. The browsers are sockets in a process of their own.
"""

import asyncio
import multiprocessing
import os
import resource
import signal
import socket
import subprocess
import sys
import time
from datetime import timedelta
from statistics import median
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

from django.conf import settings
from django.db import connection
from django.test import Client
from django.utils import timezone

from benchmarks import databases
from happening.embedded.child import spawn

DATABASE = "happening_bench_live"
STREAMS = 5_000
AT_MOST_KB, AT_MOST_SECONDS = 60, 2.0
WARM_UP = 100  # streams opened and closed before the memory is looked at
PATIENCE = 120  # seconds
PAUSE = 5.0  # seconds between two changes
HEADERS = (  # as long as a browser's
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0\r\n"
    "Accept: text/event-stream\r\nAccept-Language: en-GB,en;q=0.9,de;q=0.8\r\nAccept-Encoding: gzip, br\r\n"
    "Cache-Control: no-cache\r\nSec-Fetch-Dest: empty\r\nSec-Fetch-Mode: cors\r\n"
    "Sec-Fetch-Site: same-origin\r\n"
)


def run() -> None:
    from notifications.live.server import ASK_AGAIN

    changes = 1 + int(ASK_AGAIN / PAUSE)
    _allow_files(STREAMS + 500)
    with databases.scratch(DATABASE):
        databases.use(DATABASE)
        event, people, cookies = _prepare()
        print(f"{'':<12}{'streams':>8}{'KB each':>9}{'opened in':>11}", end="")
        print(f"{'seen by half':>14}{'by all':>9}{'by all, at worst':>18}")
        _measure(
            "one event",
            paths=[f"/live/events/{event.pk}/"] * STREAMS,
            cookies=[""] * STREAMS,
            change=lambda _: _book(event, people[0]),
            changes=changes,
        )
        _measure(
            "own inboxes",
            paths=["/live/notifications/"] * STREAMS,
            cookies=cookies,
            change=lambda number: _tell(people, number),
            changes=changes,
        )
        print(
            f"(at most {AT_MOST_KB} KB each; an update reaches all within {AT_MOST_SECONDS:g} s, also "
            f"while all are asked again within {ASK_AGAIN:g} s whether they may watch)"
        )


def _measure(name: str, *, paths: list[str], cookies: list[str], change, changes: int) -> None:
    with _LiveProcess() as (port, pid):
        _Crowd(port, paths[:WARM_UP], cookies[:WARM_UP]).leave()
        before = _memory(pid)
        began = time.time()
        crowd = _Crowd(port, paths, cookies)
        opened = time.time() - began
        grown = _memory(pid) - before
        rounds = [_seen(crowd, change, number) for number in range(changes)]
        crowd.leave()
    first, worst = rounds[0], max(map(max, rounds))
    print(f"{name:<12}{len(first):>8,}{grown / STREAMS:>9.1f}{opened:>10.1f}s", end="")
    print(f"{median(first):>13.2f}s{max(first):>8.2f}s{worst:>17.2f}s", flush=True)


def _seen(crowd: "_Crowd", change, number: int) -> list[float]:
    """After how many seconds each saw a change; takes PAUSE at least."""
    began = time.monotonic()
    changed = change(number)
    seen = [moment - changed for moment in crowd.saw_a_change()]
    time.sleep(max(0.0, began + PAUSE - time.monotonic()))
    return seen


class _Crowd:
    """Streams held open by a process of their own; each has had its first state when this returns."""

    def __init__(self, port: int, paths: list[str], cookies: list[str]) -> None:
        spawned = multiprocessing.get_context("spawn")
        self._pipe, other = spawned.Pipe()
        self._process = spawned.Process(target=_hold_open, args=(port, paths, cookies, other), daemon=True)
        self._process.start()
        self._received()

    def saw_a_change(self) -> list[float]:
        """When each saw it."""
        return self._received()

    def leave(self) -> None:
        self._process.kill()
        self._process.join()

    def _received(self):
        if not self._pipe.poll(PATIENCE):
            raise RuntimeError("The streams did not get what they wait for.")
        answer = self._pipe.recv()
        if isinstance(answer, str):
            raise RuntimeError(answer)
        return answer


def _hold_open(port: int, paths: list[str], cookies: list[str], pipe) -> None:
    try:
        asyncio.run(_watch(port, paths, cookies, pipe))
    except Exception as error:
        pipe.send(repr(error))


async def _watch(port: int, paths: list[str], cookies: list[str], pipe) -> None:
    at_a_time = asyncio.Semaphore(200)

    async def connect(path: str, cookie: str) -> asyncio.StreamReader:
        async with at_a_time:
            reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**13)
            sent = f"Cookie: {cookie}\r\n" if cookie else ""
            writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n{HEADERS}{sent}\r\n".encode())
            head = await reader.readline()
            if b" 200 " not in head:
                raise RuntimeError(f"A stream was answered with {head!r}.")
            await _state(reader)
            keeps.append(writer)
            return reader

    async def change(reader: asyncio.StreamReader) -> float:
        await _state(reader)
        return time.time()

    keeps: list[asyncio.StreamWriter] = []
    readers = await asyncio.gather(*map(connect, paths, cookies))
    pipe.send(len(readers))
    while True:
        pipe.send(await asyncio.gather(*map(change, readers)))


async def _state(reader: asyncio.StreamReader) -> None:
    while not (line := await reader.readline()).startswith(b"data: "):
        if not line:
            raise RuntimeError("A stream has ended.")


class _LiveProcess:
    """The live process, on the scratch database."""

    def __enter__(self) -> tuple[int, int]:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        database = urlunsplit(urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{DATABASE}"))
        self._process = spawn(
            [sys.executable, "-m", "happening.live_process", "127.0.0.1", str(port)],
            death_signal=signal.SIGKILL,
            env=os.environ
            | {
                "DATABASE_URL": database,
                "LIVE_MOST_STREAMS_OF_AN_ADDRESS": str(STREAMS),
                "LOG_LEVEL": "ERROR",
            },
        )
        deadline = time.monotonic() + PATIENCE
        while socket.socket().connect_ex(("127.0.0.1", port)):
            if time.monotonic() > deadline or self._process.poll() is not None:
                raise RuntimeError("The live process did not start.")
            time.sleep(0.05)
        return port, self._process.pid

    def __exit__(self, *_) -> None:
        self._process.terminate()
        self._process.wait()


def _memory(pid: int) -> float:
    """Kilobytes of a process's resident memory."""
    words = subprocess.run(["ps", "-o", "rss=", "-p", str(pid)], capture_output=True, text=True, check=True)
    return float(words.stdout)


def _prepare():
    from events.models import Event
    from orgs.models import Organization, User

    now = timezone.now()
    event = Event.objects.create(
        org=Organization.objects.create(name="Acme", slug="acme"),
        title="A night to remember",
        event_date=now + timedelta(days=30),
        total_slots=10_000,
        published_at=now,
    )
    people = User.objects.bulk_create(
        [User(email=f"p{n}@load.test", name=f"Person {n}") for n in range(STREAMS)]
    )
    cookies = []
    for person in people:
        client = Client()
        client.force_login(person, backend="allauth.account.auth_backends.AuthenticationBackend")
        cookies.append(client.cookies[settings.SESSION_COOKIE_NAME].OutputString().partition(";")[0])
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    return event, people, cookies


def _book(event, person) -> float:
    """Book a seat; returns when that was done."""
    from bookings import services

    services.book(event_id=event.pk, user_id=person.pk, seats=1, key=uuid4(), now=timezone.now())
    return time.time()


def _tell(people, number: int) -> float:
    """Tell everybody something, in one transaction."""
    from django.db import transaction

    from notifications import outbox

    with transaction.atomic():
        outbox.enqueue(
            [
                outbox.Owed(type="event_reminder", user_id=person.pk, dedupe_key=f"news:{number}:{person.pk}")
                for person in people
            ],
            now=timezone.now(),
        )
    return time.time()


def _allow_files(number: int) -> None:
    limit, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if limit < number:
        resource.setrlimit(resource.RLIMIT_NOFILE, (number, most))
