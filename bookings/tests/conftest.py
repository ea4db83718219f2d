from datetime import datetime, timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.utils import timezone

from bookings import reconcile, services
from bookings.models import Booking
from events.models import Event
from tests.factories import EventFactory, UserFactory


@pytest.fixture
def now() -> datetime:
    return timezone.now()


@pytest.fixture
def event(db) -> Event:
    return EventFactory(total_slots=10)


@pytest.fixture
def book(now):
    """Book for a new person, or for `user`."""

    def booking(event: Event, seats: int | None = None, *, user=None, **request) -> Booking:
        user = user or UserFactory()
        request.setdefault("now", now)
        request.setdefault("key", uuid4())
        return services.book(event_id=event.pk, user_id=user.pk, seats=seats, **request)

    return booking


@pytest.fixture
def cancel(now):
    def cancelling(booking: Booking, **request) -> Booking:
        request.setdefault("now", now)
        return services.cancel(booking_id=booking.pk, actor_id=booking.user_id, **request)

    return cancelling


@pytest.fixture
def modify(now):
    def modifying(booking: Booking, seats: int | None = None, **request) -> Booking:
        booking.refresh_from_db()
        request.setdefault("now", now)
        request.setdefault("version", booking.version)
        return services.modify(booking_id=booking.pk, actor_id=booking.user_id, seats=seats, **request)

    return modifying


@pytest.fixture
def later(now):
    return now + timedelta(minutes=5)


@pytest.fixture
def organizer(db):
    return UserFactory()


@pytest.fixture
def promote(now, organizer):
    """Confirm out of turn, as the organizer."""

    def promoting(booking: Booking, reason: str = "She opens the evening.", **request) -> Booking:
        request.setdefault("now", now)
        return services.promote(booking_id=booking.pk, reason=reason, actor_id=organizer.pk, **request)

    return promoting


@pytest.fixture
def change_capacity(now, organizer):
    def changing(event: Event, total_slots: int, **request) -> Event:
        request.setdefault("now", now)
        return services.change_capacity(
            event_id=event.pk, total_slots=total_slots, actor_id=organizer.pk, **request
        )

    return changing


@pytest.fixture
def reschedule(now, organizer):
    """Move an event; what is not named stays as it is."""

    def rescheduling(event: Event, **change) -> Event:
        stored = Event.objects.get(pk=event.pk)
        change = {
            "now": now,
            "event_date": stored.event_date,
            "ends_at": stored.ends_at,
            "time_zone": stored.time_zone,
            "place": stored.place,
            "online_url": stored.online_url,
            **change,
        }
        return services.reschedule(event_id=event.pk, actor_id=organizer.pk, **change)

    return rescheduling


@pytest.fixture
def cancel_event(now, organizer):
    def cancelling(event: Event, reason: str = "The hall is flooded.", **request) -> Event:
        request.setdefault("now", now)
        return services.cancel_event(event_id=event.pk, reason=reason, actor_id=organizer.pk, **request)

    return cancelling


@pytest.fixture
def rows_read():
    """How many rows of a model's table the statements of a call read, roughly (PostgreSQL tells an average
    over repetitions), and by which indexes."""

    def counting(model, call) -> tuple[int, set[str]]:
        table, statements = model._meta.db_table, []

        def note(execute, sql, params, many, context):
            if table in sql:
                statements.append((sql, params))
            return execute(sql, params, many, context)

        with connection.execute_wrapper(note):
            call()
        rows, indexes = 0, set()
        with connection.cursor() as cursor:
            for sql, params in statements:
                cursor.execute("EXPLAIN (ANALYZE, FORMAT JSON) " + sql, params)
                for step in _steps(cursor.fetchone()[0][0]["Plan"]):
                    if step.get("Relation Name") == table:
                        each = step["Actual Rows"] + step.get("Rows Removed by Filter", 0)
                        rows += each * step["Actual Loops"]
                        indexes.add(step.get("Index Name"))
        return rows, indexes

    return counting


@pytest.fixture
def check(now):
    """Reconcile these events, or all that are busy."""

    def checking(*events, **options) -> reconcile.Report:
        options.setdefault("second_look", 0)
        ids = [event.pk for event in events] or None
        return reconcile.reconcile(now=now, event_ids=ids, **options)

    return checking


def _steps(plan):
    yield plan
    for part in plan.get("Plans", ()):
        yield from _steps(part)
