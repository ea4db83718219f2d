"""A rush as people see it: real pages, sessions and forms through the production server, 64 at a time.

Costs are CPU added up over web, PostgreSQL and Redis, for a person who is told also over worker, beat, sender
and RabbitMQ, as multiples of a view that looks at nothing, measured in the same round; a machine's
milliseconds are a lottery.
"""

import time
from collections import Counter
from dataclasses import astuple
from datetime import timedelta
from statistics import median
from uuid import UUID, uuid4

from django.db import connection
from django.utils import timezone

from benchmarks import databases
from benchmarks.background import mail_sink
from benchmarks.visitors import Met, Visitors
from benchmarks.web import Cpu, Server, serving
from bookings import services, standing_pages
from bookings.reconcile import reconcile
from events.models import Event
from happening.demo.signed_in import signed_in_sessions
from notifications.models import Notification
from orgs.models import Organization, User
from tests.truth import assert_sound

DATABASE = "happening_bench_http"
SEATS, PEOPLE = 2_000, 3_000
ROUNDS, SECONDS = 3, 4.0
LEAST = {"refused booking": 0.33, "event page, anonymous": 0.6, "sold-out page, anonymous": 0.6}
PAGES, TOLD = "booking, with its pages", "the same, and told"
TOLD_SECONDS = 120
QUIET = ("refused booking", "sold-out page, anonymous")  # PostgreSQL is not to hear of these
Took = dict[str, tuple[Met, Cpu]]
WORDS = "An evening of music and talk, with people from all over the place. See https://example.org.\n\n" * 4


def run() -> None:
    with databases.scratch(DATABASE):
        databases.use(DATABASE)
        org = Organization.objects.create(name="Acme", slug="acme")
        sessions = list(signed_in_sessions(PEOPLE))
        sold_out = _sold_out(org)
        with mail_sink() as port, serving(DATABASE, mail_port=port) as server:
            visitors = Visitors(server.port, sessions)
            try:
                _warm_up(visitors, org, sold_out)
                rounds = [_round(number, server, visitors, org, sold_out) for number in range(ROUNDS)]
            finally:
                visitors.close()
    _report(rounds)


def _round(number: int, server: Server, visitors: Visitors, org: Organization, sold_out: UUID) -> Took:
    quiet = _event(org).pk
    looks = {
        "empty view": ("look", "/empty"),
        "event page, anonymous": ("look", f"/events/{quiet}/"),
        "sold-out page, anonymous": ("look", f"/events/{sold_out}/"),
        "refused booking": ("send", f"/events/{sold_out}/"),
    }
    took: Took = {}
    visitors.run("open", f"/events/{sold_out}/", journeys=PEOPLE)  # as whoever sends a form has
    now = timezone.now()
    reconcile(now=now)  # this and the next as the timetable has it done every 20 seconds
    standing_pages.vouch(now=now)
    for name, (journey, path) in looks.items():
        began = timezone.now()
        took[name] = _measure(server, visitors, journey, path, seconds=SECONDS)
        if name in QUIET:
            took[name][0].asked_postgres = _connections_used_since(began)
    for name, journey in {"booking request": "send", PAGES: "book"}.items():
        event = _event(org)
        took[name] = _measure(server, visitors, journey, f"/events/{event.pk}/", journeys=SEATS)
        _ensure_all_is_sold(event.pk)
    took[TOLD] = _told(server, visitors, org)
    for name, (met, cpu) in took.items():
        figures = f"{met.rate:7.0f}/s  {_milliseconds(met, cpu)}"
        print(f"  round {number + 1}  {name:<26}{figures}", flush=True)
    return took


def _told(server: Server, visitors: Visitors, org: Organization) -> tuple[Met, Cpu]:
    """The whole journey, until the last of those who went on it has mail."""
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE notifications")  # of journeys on which nobody was told
    event = _event(org)
    with server.telling_people():
        _await_mail(visitors.run("book", f"/events/{_event(org).pk}/", journeys=1).done)
        before = server.cpu()
        met = visitors.run("book", f"/events/{event.pk}/", journeys=SEATS)
        _await_mail(1 + SEATS)
        cpu = server.cpu() - before
    _ensure_all_is_sold(event.pk)
    return met, cpu


def _await_mail(letters: int) -> None:
    deadline = time.monotonic() + TOLD_SECONDS
    while Notification.objects.filter(status="delivered").count() < letters:
        if time.monotonic() > deadline:
            raise RuntimeError(f"Not everybody was told within {TOLD_SECONDS} seconds.")
        time.sleep(0.2)


def _measure(server: Server, visitors: Visitors, journey: str, path: str, **until) -> tuple[Met, Cpu]:
    before = server.cpu()
    met = visitors.run(journey, path, **until)
    return met, server.cpu() - before


def _report(rounds: list[Took]) -> None:
    empty, request = "empty view", "booking request"
    print(f"empty view: {median(_each(*took[empty]) for took in rounds) * 1000:.2f} ms CPU")
    for name, aim in {TOLD: "at most 30, aim 20", PAGES: "of it", request: "at most 10, aim 7"}.items():
        rate = median(took[name][0].rate for took in rounds)
        p99 = median(took[name][0].p99("send") for took in rounds)
        print(f"{name}: {_cost(rounds, name):.1f}x its CPU ({aim}), {rate:.0f} bookings/s")
        print(f"    p99 of the request {p99:.0f} ms (under 1,000)")
    for name, least in LEAST.items():
        rate = median(took[name][0].rate / took[empty][0].rate for took in rounds)
        print(f"{name}: {rate:.2f}x its rate (at least {least}), {1 / _cost(rounds, name):.2f}x by CPU")
    for name in QUIET:
        asked = max(took[name][0].asked_postgres for took in rounds)
        print(f"{name}: {asked} connections asked PostgreSQL (none)")
    print(f"unexpected answers: {_unexpected(rounds) or 'none'}; all seats sold, each once")


def _cost(rounds: list[Took], name: str) -> float:
    """CPU of one journey as a multiple of the empty view's, in the same round."""
    return median(_each(*took[name]) / _each(*took["empty view"]) for took in rounds)


def _unexpected(rounds: list[Took]) -> dict:
    found = Counter()
    for took in rounds:
        for name, (met, _) in took.items():
            expected = {"send": 409 if name == "refused booking" else 303}
            for (step, status), count in met.statuses.items():
                if status != expected.get(step, 200):
                    found[name, step, status] += count
    return dict(found)


def _each(met: Met, cpu: Cpu) -> float:
    return cpu.total / met.done


def _milliseconds(met: Met, cpu: Cpu) -> str:
    web, postgres, redis, telling = (part / met.done * 1000 for part in astuple(cpu))
    return f"{web:5.2f} web + {postgres:4.2f} pg + {redis:4.2f} redis + {telling:4.2f} telling ms"


def _event(org: Organization, **facts) -> Event:
    now = timezone.now()
    return Event.objects.create(
        org=org,
        title="A night to remember",
        description=WORDS,
        place="Town hall",
        time_zone="Europe/Berlin",
        event_date=now + timedelta(days=30),
        ends_at=now + timedelta(days=30, hours=2),
        published_at=now,
        **{"total_slots": SEATS, **facts},
    )


def _sold_out(org: Organization) -> UUID:
    event = _event(org, total_slots=1, waitlist=False)
    someone = User.objects.create_user("first@load.test", None, name="First")
    services.book(event_id=event.pk, user_id=someone.pk, seats=1, key=uuid4(), now=timezone.now())
    return event.pk


def _warm_up(visitors: Visitors, org: Organization, sold_out: UUID) -> None:
    """Every thread its connection, every connection its prepared statements."""
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    visitors.run("book", f"/events/{_event(org).pk}/", journeys=SEATS // 2)
    visitors.run("send", f"/events/{sold_out}/", seconds=1)
    visitors.run("look", "/empty", seconds=1)
    visitors.run("look", f"/events/{sold_out}/", seconds=1)


def _connections_used_since(moment) -> int:
    """Connections that sent a statement since: exact, where the counters of PostgreSQL lag behind."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
            "AND pid <> pg_backend_pid() AND backend_type = 'client backend' AND query_start > %s",
            [moment],
        )
        return cursor.fetchone()[0]


def _ensure_all_is_sold(event_id: UUID) -> None:
    assert_sound(event_id)
    event = Event.objects.get(pk=event_id)
    if event.available_slots:
        raise RuntimeError(f"{event.available_slots} of {SEATS} seats are unsold.")
