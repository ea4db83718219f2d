"""What people were owed and what became of it, judged by the database and the mail sink alone."""

import time
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

from django.db import connection, transaction
from django.utils import timezone

from notifications import outbox
from notifications.broker import Topology
from notifications.models import Notification
from notifications.reconcile import reconcile
from orgs.models import User
from tests.faults.mail_sink import MailSink
from tests.faults.servers import FaultyRabbit

SECONDS = 60.0
PAYLOAD = {
    "title": "An evening with Ada",
    "starts_at": "2030-06-14T17:00:00+00:00",
    "time_zone": "Europe/Berlin",
    "seats": 2,
    "booking_version": 1,
}


class Owed:
    """Messages to people of their own, so that an address stands for a message."""

    def __init__(self, count: int, **payload) -> None:
        self.people = User.objects.bulk_create(
            [User(email=f"{uuid4().hex}@load.test", name="Somebody") for _ in range(count)]
        )
        with transaction.atomic():
            outbox.enqueue(
                [
                    outbox.Owed(
                        type="booking_confirmed",
                        user_id=person.pk,
                        dedupe_key=f"fault:{person.pk}",
                        booking_id=uuid4(),
                        payload=PAYLOAD | payload,
                    )
                    for person in self.people
                ],
                now=timezone.now(),
            )

    @property
    def rows(self):
        return Notification.objects.filter(user_id__in=[person.pk for person in self.people])

    def states(self) -> Counter:
        return Counter(self.rows.values_list("status", flat=True))

    def wait(self, seconds: float = SECONDS, **wanted: int) -> None:
        """Until as many rows or more are in each of these states."""
        deadline = time.monotonic() + seconds
        while any(self.states()[state] < count for state, count in wanted.items()):
            reasons = set(self.rows.exclude(last_error=None).values_list("last_error", flat=True))
            assert time.monotonic() < deadline, f"{self.states()}, {reasons}"
            time.sleep(0.1)

    def come_through(self) -> None:
        """After a fault: nearly all are delivered by themselves, the others once somebody looks for them."""
        let_time_pass()
        self.wait(delivered=len(self.people) * 7 // 8)
        let_time_pass()
        put_right()
        self.wait(delivered=len(self.people))

    def complaints(self, sink: MailSink, *, twice: int = 0) -> list[str]:
        """Everything that is wrong: a message lost, doubled or without its reason. `twice`: so many may have
        been mailed twice, because a send was cut after the server had taken it."""
        mails = Counter(mail["X-Envelope-To"] for mail in sink.mails)
        found, doubled = [], 0
        for address, status, error in self.rows.values_list("user__email", "status", "last_error"):
            if status == "delivered" and not mails[address]:
                found.append(f"{address} was delivered and never mailed")
            if status == "failed" and not error:
                found.append(f"{address} has failed without a reason")
            if status not in ("delivered", "failed"):
                found.append(f"{address} is {status}")
            doubled += max(0, mails[address] - 1)
        if self.rows.count() != len(self.people):
            found.append(f"{self.rows.count()} rows for {len(self.people)} people")
        if doubled > twice:
            found.append(f"{doubled} mails came twice")
        return found


def nobody_is_owed_anything(broker: FaultyRabbit) -> None:
    """Forget what earlier tests left, at the broker too, so that no test waits for another's mails."""
    Notification.objects.all().delete()
    broker.empty(Topology().queue)


def wait_until(truth: Callable[[], object], seconds: float = SECONDS) -> None:
    deadline = time.monotonic() + seconds
    while not truth():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.1)


def let_time_pass(minutes: int = 10) -> None:
    """As if every row's moments were so much longer ago: leases of the dead end, and what waits is due."""
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH row AS (SELECT id FROM notifications WHERE status <> 'delivered' ORDER BY id FOR UPDATE)"
            " UPDATE notifications SET lease_until = lease_until - %(past)s,"
            " due_at = greatest(due_at - %(past)s, now()),"  # where a relay that has looked looks again
            " sent_at = sent_at - %(past)s, created_at = created_at - %(past)s"
            " FROM row WHERE notifications.id = row.id",
            {"past": timedelta(minutes=minutes)},
        )


def put_right() -> None:
    """What the timetable does every quarter of a minute."""
    reconcile(now=timezone.now())
