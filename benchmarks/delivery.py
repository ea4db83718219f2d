"""The outbox's way to people: relay, sender and poll, each beside a bare client of the same server."""

import gc
import json
import os
import resource
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from statistics import median
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from benchmarks import bare, databases
from benchmarks.background import background, mail_sink

DATABASE = "happening_bench_delivery"
DRAINS, MESSAGES = 5, 20_000
DELIVERIES, MAILS = 15, 200  # short ones, each beside its yardstick: a machine has other things to do, too
COMMITS = 60
MANY_ROWS, MOST_SECONDS = 1_000_000, 200
PEOPLE = 1_000


def run() -> None:
    with databases.scratch(DATABASE):
        databases.use(DATABASE)
        settings.NUDGES = True
        _people()
        if settings.AMQP_URL:
            with _rabbit() as channel:
                _drain(channel)
        else:
            print("No RabbitMQ answers, so draining to it is not measured.")
        _delivery()
        _from_commit_to_delivered()
        if settings.AMQP_URL:
            _memory()
        else:
            _rows(MANY_ROWS, "sent")
        _idle_poll()


def _drain(channel) -> None:
    from notifications import relay
    from notifications.broker import Topology

    names, rates, bare_rates = Topology.ours(), [], []
    for number in range(DRAINS):
        _rows(MESSAGES, "pending")
        channel.queue_purge(names.queue)
        began = time.perf_counter()
        sent = relay.drain(clock=timezone.now, seconds=120)
        rates.append(sent / (time.perf_counter() - began))
        channel.queue_purge(names.queue)
        bare_rates.append(bare.Publisher(settings.AMQP_URL, names.exchange, MESSAGES).run())
        channel.queue_purge(names.queue)
        _round(number, "drain", rates[-1], "bare pika", bare_rates[-1])
    ratio = _ratio(rates, bare_rates)
    print(f"drain: {median(rates):.0f}/s, {ratio:.2f}x bare pika with confirms in flight (at least 0.5)")


def _memory() -> None:
    """What the process holds after the first rows of a long backlog, and after all of them, or as many as the
    time allows."""
    from notifications import relay
    from notifications.broker import Topology

    _rows(MANY_ROWS, "pending")
    held, drained, began = [], 0, time.perf_counter()
    with _rabbit() as channel:
        while time.perf_counter() < began + MOST_SECONDS:
            if not (sent := relay.drain(clock=timezone.now, seconds=120)):  # until the queue has no room
                break
            drained += sent
            channel.queue_purge(Topology.ours().queue)
            gc.collect()
            held.append(_resident())
    took = time.perf_counter() - began
    with connection.cursor() as cursor:  # what a slow machine has not come to
        cursor.execute("UPDATE notifications SET status = 'sent', sent_at = now() WHERE status = 'pending'")
    print(
        f"memory: {held[0]:.1f} MB after {relay.QUEUE_ROOM:,} rows, {held[-1]:.1f} MB after {drained:,} "
        f"(flat); {drained / took:.0f}/s over all of them"
    )


def _delivery() -> None:
    from notifications import mail, states
    from notifications.delivery import deliver
    from notifications.models import Notification
    from notifications.post_room import PostRoom
    from notifications.taking import take

    with _mail_sink(), closing(PostRoom()) as post:
        rates, bare_rates = [], []
        for number in range(DELIVERIES):
            _rows(MAILS, "sent")
            ids = list(Notification.objects.filter(status="sent").values_list("pk", flat=True)[:MAILS])
            if not number:
                [taken] = take(ids[:1], now=timezone.now())
                letter = mail.compose(taken).message()
                states.let_go(ids[:1], lease=taken.notification.lease_until)
            began = time.perf_counter()
            for start in range(0, MAILS, 50):
                deliver(ids[start : start + 50], room=post, clock=timezone.now)
            rates.append(MAILS / (time.perf_counter() - began))
            bare_rates.append(bare.mail_rate(settings.EMAIL_PORT, letter, MAILS))
            _round(number, "deliver", rates[-1], "bare smtplib", bare_rates[-1])
    ratio = _ratio(rates, bare_rates)
    print(f"delivery: {median(rates):.0f}/s, {ratio:.2f}x a bare smtplib loop (at least 0.5)")


def _from_commit_to_delivered() -> None:
    """One message at a time on a quiet system, with worker, beat and sender as in production."""
    from notifications import outbox
    from notifications.models import Notification
    from orgs.models import User

    [person] = User.objects.all()[:1]
    took = []
    with _mail_sink(), background(_environment()):
        for number in range(COMMITS + 1):
            key = uuid4().hex
            with transaction.atomic():
                outbox.enqueue([_waitlisted(person, key)], now=timezone.now())
            committed = timezone.now()
            while not (row := Notification.objects.filter(dedupe_key=key, status="delivered").first()):
                time.sleep(0.005)
            if number:  # the first waits for the processes to start
                took.append((row.delivered_at - committed).total_seconds())
            time.sleep(0.25)
    took.sort()
    print(
        f"commit to delivered: median {1000 * median(took):.0f} ms, "
        f"p95 {1000 * took[int(0.95 * len(took))]:.0f} ms (median at most 1,000)"
    )


def _idle_poll() -> None:
    """With a million rows sent, as the draining left them and once they are cleaned up. A relay goes through
    everything once a minute, and at its other looks begins a minute back."""
    from notifications import states
    from notifications.lookout import BEGINNING, LATE

    def look(since):
        return lambda: states.is_anything_due(now=timezone.now(), since=since())

    polls = {
        "look": look(lambda: timezone.now() - LATE),
        "look through everything, once a minute": look(lambda: BEGINNING),
    }
    for in_bulk in (False, True):
        polls[f"claim, in_bulk={in_bulk}"] = lambda lane=in_bulk: states.claim(
            in_bulk=lane, most=500, now=timezone.now()
        )
    for when in ("as they were left", "after VACUUM"):
        if when == "after VACUUM":
            with connection.cursor() as cursor:
                cursor.execute("VACUUM ANALYZE notifications")
        for name, poll in polls.items():
            poll()
            took = []
            for _ in range(200):
                began = time.perf_counter()
                poll()
                took.append(time.perf_counter() - began)
            figure = f"{1000 * median(took):.2f} ms"
            print(f"idle poll with {MANY_ROWS:,} rows sent, {when}, {name}: {figure} (at most 1)")


# What it takes

PAYLOAD = {
    "title": "A night to remember",
    "place": "Town hall, Rathausplatz 1",
    "starts_at": "2030-06-14T17:00:00+00:00",
    "ends_at": "2030-06-14T19:00:00+00:00",
    "time_zone": "Europe/Berlin",
    "sequence": 0,
    "seats": 2,
    "seat_labels": ["1", "2"],
    "booking_version": 1,
}


def _round(number: int, ours: str, rate: float, bare: str, bare_rate: float) -> None:
    print(f"  round {number + 1}  {ours} {rate:8.0f}/s  {bare} {bare_rate:8.0f}/s", flush=True)


def _ratio(rates: list[float], bare_rates: list[float]) -> float:
    """Of each round to its own yardstick; the one in the middle."""
    return median(ours / bare for ours, bare in zip(rates, bare_rates, strict=True))


def _waitlisted(person, key: str):
    from notifications.outbox import Owed

    return Owed(type="booking_waitlisted", user_id=person.pk, dedupe_key=key, payload=PAYLOAD)


def _people() -> None:
    from orgs.models import User

    User.objects.bulk_create([User(email=f"p{n}@load.test", name=f"Person {n}") for n in range(PEOPLE)])


def _rows(count: int, *states: str) -> None:
    """Fresh rows, spread over the people and evenly over the states; older ones are gone."""
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE notifications")
        cursor.execute(
            """
            INSERT INTO notifications (
                id, user_id, type, status, sent_at, delivered_at, dedupe_key, event_id, booking_id,
                payload, attempts, due_at
            )
            SELECT lpad(to_hex(n), 32, '0')::uuid, person.id, 'booking_confirmed', state.status,
                   CASE WHEN state.status <> 'pending' THEN now() END,
                   CASE WHEN state.status = 'delivered' THEN now() END,
                   'bench:' || n, gen_random_uuid(), gen_random_uuid(), %s::jsonb,
                   CASE WHEN state.status <> 'pending' THEN 1 ELSE 0 END,
                   now() - interval '1 hour' + n * interval '1 ms'
            FROM generate_series(1, %s) AS n
            CROSS JOIN LATERAL (SELECT (%s::text[])[1 + n %% %s] AS status) AS state
            JOIN (SELECT id, row_number() OVER () AS no FROM users) AS person ON person.no = 1 + n %% %s
            """,
            [json.dumps(PAYLOAD), count, list(states), len(states), PEOPLE],
        )
        cursor.execute("VACUUM ANALYZE notifications")


@contextmanager
def _rabbit() -> Iterator:
    """A channel to the broker, where our queue is declared and empty; removed at the end."""
    import pika

    from notifications.broker import Publisher, Topology
    from notifications.broker.connecting import parameters

    names = Topology.ours()
    with Publisher(settings.AMQP_URL, names):
        link = pika.BlockingConnection(parameters(settings.AMQP_URL))
    channel = link.channel()
    try:
        yield channel
    finally:
        if link.is_closed:
            channel = pika.BlockingConnection(parameters(settings.AMQP_URL)).channel()
        channel.queue_delete(names.queue)
        channel.queue_delete(names.dead)


@contextmanager
def _mail_sink() -> Iterator[None]:
    """A mail server to which this process's and its children's mail goes."""
    with mail_sink() as port:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", port
        os.environ["EMAIL_URL"] = f"smtp://127.0.0.1:{port}"
        yield


def _environment() -> dict[str, str]:
    """Of processes that work on the benchmark's database."""
    url = urlsplit(os.environ["DATABASE_URL"])
    return os.environ | {"DATABASE_URL": urlunsplit(url._replace(path=f"/{DATABASE}")), "LOG_LEVEL": "ERROR"}


def _resident() -> float:
    """Megabytes that this process holds now."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize() / 1e6
