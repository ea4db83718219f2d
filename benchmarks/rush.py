"""Bookings a second on one hot event, and on a thousand, beside plain PostgreSQL in the same rounds."""

from datetime import timedelta
from statistics import median
from uuid import uuid4

import psycopg
from django.db import connection
from django.utils import timezone

from benchmarks import databases, yardstick
from benchmarks.callers import Tally, crowd

SEATS, PEOPLE, EVENTS, PARTY = 1_000_000, 4_000, 1_000, 2
ROUNDS, SECONDS = 3, 3.0
DATABASE = "happening_bench_rush"


def run() -> None:
    with databases.scratch(DATABASE):
        databases.use(DATABASE)
        people, hot, spread = prepare()
        kinds = {
            "hot: yardstick, 8 connections": ("plain", bare_arguments(people, hot), 1, 8),
            "hot: yardstick, 64 connections": ("plain", bare_arguments(people, hot), 2, 32),
            "hot: book(), 2 x 32 callers": ("service", {"people": people, "events": hot}, 2, 32),
            "spread: yardstick, 64 connections": ("plain", bare_arguments(people, spread), 2, 32),
            "spread: book(), 2 x 32 callers": ("service", {"people": people, "events": spread}, 2, 32),
        }
        took: dict[str, list[Tally]] = {kind: [] for kind in kinds}
        for number in range(ROUNDS):
            for kind, (caller, arguments, processes, threads) in kinds.items():
                tally = crowd(
                    f"benchmarks.rush:{caller}",
                    arguments,
                    processes=processes,
                    threads=threads,
                    seconds=SECONDS,
                )
                took[kind].append(tally)
                print(
                    f"  round {number + 1}  {kind:<36}{tally.rate:8.0f}/s  p99 {tally.p99:6.0f} ms",
                    flush=True,
                )
        _report(took)


def _report(took: dict[str, list[Tally]]) -> None:
    rate = {kind: median(tally.rate for tally in tallies) for kind, tallies in took.items()}
    p99 = {kind: median(tally.p99 for tally in tallies) for kind, tallies in took.items()}
    best, crowded, hot, plain, spread = rate
    for kind in rate:
        print(f"{kind:<38}{rate[kind]:8.0f}/s  p99 {p99[kind]:6.0f} ms")
    print(f"book() on one event: {rate[hot] / rate[best]:.2f}x the yardstick's best (at least 1.4, aim 2)")
    print(f"                     {rate[hot] / rate[crowded]:.2f}x the crowd (at least 2.3)")
    print(f"                     p99 {p99[hot] / p99[crowded]:.2f}x the crowd's (at most 0.5)")
    wide = rate[spread] / rate[plain]
    print(f"book() on {EVENTS:,} events: {wide:.2f}x the yardstick (at least 0.25, aim 0.4)")


def plain(*, parameters: dict, people: list, events: list):
    server = psycopg.connect(**parameters, autocommit=True)

    def call(pick) -> None:
        server.execute("SELECT yardstick_book(%s, %s, %s)", [pick.choice(events), pick.choice(people), PARTY])

    return call


def service(*, people: list, events: list):
    from bookings import services

    connection.settings_dict["NAME"] = DATABASE

    def call(pick) -> None:
        services.book(
            event_id=pick.choice(events),
            user_id=pick.choice(people),
            seats=PARTY,
            key=uuid4(),
            now=timezone.now(),
        )

    return call


def prepare() -> tuple[list, list, list]:
    from bookings.models import FreeRun
    from events.models import Event
    from orgs.models import Organization, User

    now = timezone.now()
    org = Organization.objects.create(name="Acme", slug="acme")
    people = User.objects.bulk_create(
        [User(email=f"p{n}@load.test", name=f"Person {n}") for n in range(PEOPLE)]
    )
    events = Event.objects.bulk_create(
        [
            Event(
                org=org,
                title="A night to remember",
                event_date=now + timedelta(days=30),
                total_slots=SEATS,
                published_at=now,
                max_seats_per_person=SEATS,
            )
            for _ in range(EVENTS + 1)
        ]
    )
    FreeRun.objects.bulk_create([FreeRun(event=event, first_seat=1, last_seat=SEATS) for event in events])
    with connection.cursor() as cursor:
        cursor.execute(yardstick.FUNCTION)
        cursor.execute("VACUUM ANALYZE")
    ids = [event.pk for event in events]
    return [person.pk for person in people], ids[:1], ids[1:]


def bare_arguments(people: list, events: list) -> dict:
    """What `plain` takes."""
    wanted = ("dbname", "user", "password", "host", "port")
    known = connection.get_connection_params().items()
    parameters = {key: value for key, value in known if key in wanted}
    return {"parameters": parameters, "people": people, "events": events}
