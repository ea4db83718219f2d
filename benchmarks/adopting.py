"""The improved step on an original database with 1,000,000 bookings, while the original program books.

Reports for each migration how long it took, the slowest booking that began meanwhile or went on, and how long
one was seen to wait for a lock: nobody may for 2 s, no booking may fail, none may be lost. A watcher beside
it measures how long strong locks are held. The database is made on the server that the settings name.
"""

import os
import subprocess
import sys
import threading
import time
from collections import defaultdict
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
from django.db import connection

from benchmarks import databases
from happening import postgres_programs, schema_export
from tests.schema.old_house import OldProgram

BOOKINGS = int(os.environ.get("ADOPTED_BOOKINGS", "1000000"))
DATABASE = "happening_bench_adopting"
UNDISTURBED = 3  # seconds for which the programs book alone, to know how slow that is by itself
PROGRAMS, PAUSE = 4, 0.01
AT_MOST = 2.0  # seconds
STRONG = ("ShareLock", "ShareRowExclusiveLock", "ExclusiveLock", "AccessExclusiveLock")
HOT = ("events", "bookings", "booking_seats", "booking_history", "notifications", "users")

WAITING = """
SELECT extract(epoch FROM clock_timestamp() - waitstart)::float
FROM pg_locks JOIN pg_stat_activity USING (pid)
WHERE NOT granted AND waitstart IS NOT NULL AND application_name = 'program'
"""


def run() -> None:
    with databases.scratch(DATABASE, migrated=False):
        databases.use(DATABASE)
        _fill()
        with connection.cursor() as cursor:
            cursor.execute("SELECT id FROM events")
            events = [event for [event] in cursor.fetchall()]
            cursor.execute("SELECT id FROM users LIMIT 5000")
            people = [person for [person] in cursor.fetchall()]
        programs = [
            OldProgram(
                partial(_connect, "program"),
                events,
                people,
                number=number,
                of=PROGRAMS,
                above=100,
                pause=PAUSE,
            )
            for number in range(PROGRAMS)
        ]
        watcher = Watcher()
        for thread in (watcher, *programs):
            thread.start()
        time.sleep(UNDISTURBED)
        before = max(program.slowest for program in programs)
        steps = _adopt()
        for thread in (*programs, watcher):
            thread.stop()
        _report(programs, watcher, steps, before)


def _fill() -> None:
    began = time.perf_counter()
    target = postgres_programs.used()
    plain = ("--no-psqlrc", "--quiet", "-v", "ON_ERROR_STOP=1", "-v", f"bookings={BOOKINGS}")
    filling = Path(__file__).with_suffix(".sql")
    for file in (schema_export.FILES["original"], filling):
        postgres_programs.run("psql", *plain, "-f", str(file), on=target)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    print(f"{BOOKINGS:,} bookings made in {time.perf_counter() - began:.0f} s", flush=True)


def _adopt() -> list[tuple[str, float, float]]:
    """What it said, line by line: the words, when the last line came, when this one did."""
    address = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{DATABASE}")
    command = [sys.executable, "manage.py", "adopt_schema", "--mend", "--improve", "--yes"]
    environment = {**os.environ, "DATABASE_URL": urlunsplit(address), "PYTHONUNBUFFERED": "1"}
    steps, last = [], time.monotonic()
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as adopting:
        for line in adopting.stdout:
            now = time.monotonic()
            steps.append((line.rstrip(), last, now))
            last = now
            print(f"  {line.rstrip()}", flush=True)
    if adopting.returncode:
        sys.exit("The adoption failed.")
    return steps


class Watcher(threading.Thread):
    """Samples who holds strong locks on hot tables, and for how long."""

    def __init__(self):
        super().__init__(daemon=True)
        self.longest: dict[tuple[str, str], float] = defaultdict(float)  # by table and kind of lock
        self.waits: list[
            tuple[float, float]
        ] = []  # when a program was seen to wait for a lock, and its seconds
        self._ended = threading.Event()

    def run(self) -> None:
        held: dict[tuple, float] = {}
        with _connect() as link:
            while not self._ended.is_set():
                now = time.monotonic()
                rows = link.execute(
                    "SELECT pid, relation::regclass::text, mode FROM pg_locks"
                    " WHERE granted AND mode = ANY(%s) AND locktype = 'relation'"
                    " AND relation::regclass::text = ANY(%s)",
                    [list(STRONG), list(HOT)],
                ).fetchall()
                held = {row: held.get(row, now) for row in rows}
                for (_, table, mode), since in held.items():
                    self.longest[table, mode] = max(self.longest[table, mode], now - since)
                self.waits += [(now, seconds) for [seconds] in link.execute(WAITING).fetchall()]
                time.sleep(0.005)

    def stop(self) -> None:
        self._ended.set()
        self.join()


def _report(programs: list[OldProgram], watcher: Watcher, steps: list, before: float) -> None:
    took = [one for program in programs for one in program.took]
    print(f"{'step':<52}{'s':>7}{'bookings':>10}{'slowest, ms':>13}{'lock wait, ms':>15}")
    for words, began, ended in steps:
        meanwhile = [seconds for at, seconds in took if at < ended and at + seconds > began]
        if ended - began > 0.02:
            slowest = max(meanwhile, default=0) * 1000
            wait = max((seconds for at, seconds in watcher.waits if began <= at <= ended), default=0) * 1000
            print(f"{words[:50]:<52}{ended - began:>7.1f}{len(meanwhile):>10}{slowest:>13.0f}{wait:>15.0f}")
    for (table, mode), seconds in sorted(watcher.longest.items()):
        print(f"{mode} on {table}: held for at most {seconds * 1000:.0f} ms (sampled)")
    booked = [booking for program in programs for booking in program.booked]
    errors = [error for program in programs for error in program.errors]
    slowest = max(seconds for _, seconds in took)
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM bookings WHERE id = ANY(%s)", [booked])
        [kept] = cursor.fetchone()
        cursor.execute("SELECT count(*) FROM events WHERE available_slots <> get_event_available_slots(id)")
        [wrong] = cursor.fetchone()
    print(
        f"{len(booked):,} bookings meanwhile, {kept:,} of them kept, {len(errors)} failed,"
        f" {wrong} counters wrong"
    )
    waited = max((seconds for _, seconds in watcher.waits), default=0)
    print(f"longest wait of a program for a lock {waited * 1000:.0f} ms (at most {AT_MOST * 1000:.0f})")
    print(
        f"slowest booking {slowest * 1000:.0f} ms, {before * 1000:.0f} ms before; what is no lock is the disk"
    )
    for error in errors[:5]:
        print(f"  {error}")


def _connect(name: str = "watcher") -> psycopg.Connection:
    wanted = ("user", "password", "host", "port")
    parameters = {key: value for key, value in connection.get_connection_params().items() if key in wanted}
    return psycopg.connect(**parameters, dbname=DATABASE, application_name=name, autocommit=True)
