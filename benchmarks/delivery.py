"""The outbox's way to people: relay, sender and poll, each beside a bare client of the same server."""

import gc
import json
import os
import resource
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from benchmarks import bare, databases

DATABASE = "happening_bench_delivery"
ROUNDS, MESSAGES, MAILS, COMMITS = 3, 20_000, 2_000, 60
OLD_ROWS, MANY_ROWS = 1_000_000, 100_000
PEOPLE = 1_000


def run() -> None:
    with databases.scratch(DATABASE):
        databases.use(DATABASE)
        settings.INSTANCE = os.environ["HAPPENING_INSTANCE"] = f"bench-{uuid4().hex[:8]}"
        settings.NUDGES = True
        _people()
        if settings.AMQP_URL:
            with _rabbit() as channel:
                _drain(channel)
                _memory(channel)
        else:
            print("No RabbitMQ answers, so draining to it is not measured.")
        _delivery()
        _from_commit_to_delivered()
        _idle_poll()


def _drain(channel) -> None:
    from notifications import relay
    from notifications.broker import Topology

    names, rates, bare_rates = Topology.ours(), [], []
    for number in range(ROUNDS):
        _rows(MESSAGES, "pending")
        channel.queue_purge(names.queue)
        began = time.perf_counter()
        sent = relay.drain(clock=timezone.now, seconds=120)
        rates.append(sent / (time.perf_counter() - began))
        channel.queue_purge(names.queue)
        bare_rates.append(bare.Publisher(settings.AMQP_URL, names.exchange, MESSAGES).run())
        channel.queue_purge(names.queue)
        print(
            f"  round {number + 1}  drain {rates[-1]:8.0f}/s  bare pika {bare_rates[-1]:8.0f}/s", flush=True
        )
    ratio = median(rates) / median(bare_rates)
    print(f"drain: {median(rates):.0f}/s, {ratio:.2f}x bare pika with confirms in flight (at least 0.5)")


def _memory(channel) -> None:
    """What the process holds after some rows, and after many more."""
    from notifications import relay
    from notifications.broker import Topology

    held = []
    for _ in range(MANY_ROWS // MESSAGES):
        _rows(MESSAGES, "pending")
        relay.drain(clock=timezone.now, seconds=120)
        channel.queue_purge(Topology.ours().queue)
        gc.collect()
        held.append(_resident())
    print(
        f"memory: {held[0]:.1f} MB after {MESSAGES:,} rows, {held[-1]:.1f} MB after {MANY_ROWS:,} more (flat)"
    )


def _delivery() -> None:
    from notifications import mail, states
    from notifications.delivery import deliver
    from notifications.models import Notification
    from notifications.post_room import PostRoom

    with _mail_sink():
        rates, bare_rates = [], []
        for number in range(ROUNDS):
            _rows(MAILS, "sent")
            ids = list(Notification.objects.filter(status="sent").values_list("pk", flat=True)[:MAILS])
            if not number:
                [taken] = states.take(ids[:1], now=timezone.now())
                letter = mail.compose(taken).message()
                states.let_go(ids[:1], lease=taken.notification.lease_until)
            post, began = PostRoom(), time.perf_counter()
            for start in range(0, MAILS, 50):
                deliver(ids[start : start + 50], room=post, clock=timezone.now)
            rates.append(MAILS / (time.perf_counter() - began))
            post.close()
            bare_rates.append(bare.mail_rate(settings.EMAIL_PORT, letter, MAILS))
            print(
                f"  round {number + 1}  deliver {rates[-1]:6.0f}/s  bare smtplib {bare_rates[-1]:6.0f}/s",
                flush=True,
            )
    ratio = median(rates) / median(bare_rates)
    print(f"delivery: {median(rates):.0f}/s, {ratio:.2f}x a bare smtplib loop (at least 0.5)")


def _from_commit_to_delivered() -> None:
    """One message at a time on a quiet system, with worker, beat and sender as in production."""
    from notifications import outbox
    from notifications.models import Notification
    from orgs.models import User

    [person] = User.objects.all()[:1]
    took = []
    with _mail_sink(), _background():
        for number in range(COMMITS + 1):
            key = uuid4().hex
            with transaction.atomic():
                outbox.enqueue(
                    [
                        outbox.Owed(
                            type="booking_waitlisted", user_id=person.pk, dedupe_key=key, payload=PAYLOAD
                        )
                    ],
                    now=timezone.now(),
                )
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
    from notifications import states

    _rows(OLD_ROWS, "sent", "delivered")
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE notifications")
    polls = {"look": lambda: states.is_anything_due(now=timezone.now())}
    for in_bulk in (False, True):
        polls[f"claim, in_bulk={in_bulk}"] = lambda lane=in_bulk: states.claim(
            in_bulk=lane, most=500, now=timezone.now()
        )
    for name, poll in polls.items():
        poll()
        took = []
        for _ in range(200):
            began = time.perf_counter()
            poll()
            took.append(time.perf_counter() - began)
        print(f"idle poll with {OLD_ROWS:,} rows sent, {name}: {1000 * median(took):.2f} ms (at most 1)")


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
                user_id, type, status, sent_at, delivered_at, dedupe_key, event_id, booking_id,
                payload, attempts
            )
            SELECT person.id, 'booking_confirmed', state.status,
                   CASE WHEN state.status <> 'pending' THEN now() END,
                   CASE WHEN state.status = 'delivered' THEN now() END,
                   'bench:' || n, gen_random_uuid(), gen_random_uuid(), %s::jsonb,
                   CASE WHEN state.status <> 'pending' THEN 1 ELSE 0 END
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
    """A mail server in a process of its own, to which this process's and its children's mail goes."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    sink = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.mail_sink", str(port)], stdout=subprocess.PIPE, text=True
    )
    sink.stdout.readline()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", port
    os.environ["EMAIL_URL"] = f"smtp://127.0.0.1:{port}"
    try:
        yield
    finally:
        sink.kill()
        sink.wait()


@contextmanager
def _background() -> Iterator[None]:
    """Worker, beat, and where there is a broker the sender, on the benchmark's database."""
    url = urlsplit(os.environ["DATABASE_URL"])
    env = os.environ | {"DATABASE_URL": urlunsplit(url._replace(path=f"/{DATABASE}")), "LOG_LEVEL": "ERROR"}
    celery = [sys.executable, "-m", "celery", "--app", "happening", "--quiet"]
    commands = [
        [*celery, "worker", "--concurrency", "2", "--without-mingle", "--without-gossip"],
        [*celery, "beat", "--pidfile=", "--schedule", f"/tmp/{settings.INSTANCE}-beat"],
    ]
    if settings.AMQP_URL:
        commands.append([sys.executable, "manage.py", "deliver_notifications"])
    started = [
        subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for command in commands
    ]
    try:
        yield
    finally:
        for process in started:
            process.terminate()
        for process in started:
            process.wait()


def _resident() -> float:
    """Megabytes that this process holds now."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize() / 1e6
