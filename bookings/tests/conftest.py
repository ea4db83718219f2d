from datetime import datetime, timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from bookings import services
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
