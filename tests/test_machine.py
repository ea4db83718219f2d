"""Anything anybody can do to a few small houses, in any order, beside the plainest model of it.

After each step the database and the model must agree: who is confirmed, in which seats, who waits under
which number, who was promoted and in which order; and whatever must hold of an event holds.
"""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from bookings import services
from bookings.errors import BookingRefused, KeyUsedDifferently, OutOfDate
from bookings.models import Booking, BookingHistory, BookingSeat
from events.models import Event
from tests.factories import EventFactory, UserFactory
from tests.model import EventModel, Refused
from tests.truth import assert_sound, assert_told_of_every_change

pytestmark = pytest.mark.django_db(transaction=True)

PEOPLE = 6
PLAN = (3, 2, 4, 1)  # row A with an aisle, row B, row C

an_event = st.integers(0, 1)
a_person = st.integers(0, PEOPLE - 1)
a_party = st.integers(1, 4)
some_seats = st.sets(st.integers(1, 6), min_size=1, max_size=3).map(lambda seats: tuple(sorted(seats)))
somebody = st.integers(0, 11)


class Bookings(RuleBasedStateMachine):
    @initialize(
        houses=st.tuples(st.integers(4, 10), st.integers(4, 10)),
        with_plan=st.tuples(st.booleans(), st.booleans()),
        crowd=st.lists(st.tuples(an_event, a_person, a_party), min_size=10, max_size=20),
    )
    def open_the_houses(self, houses, with_plan, crowd):
        """One event of each rule; a crowd comes at once, so that most houses are full and have a line."""
        self.now = timezone.now()
        self.people = [UserFactory() for _ in range(PEOPLE)]
        self.events, self.models = [], []
        for total, plan, strict in zip(houses, with_plan, (True, False), strict=True):
            most = {"most_per_booking": 4, "most_per_person": 9}
            self.models.append(EventModel(total, strict, PLAN if plan else (), **most))
            self.events.append(
                EventFactory(
                    total_slots=total,
                    queue_rule="strict" if strict else "fill",
                    layout=_layout() if plan else None,
                    max_seats_per_booking=4,
                    max_seats_per_person=9,
                )
            )
        self.ids = [[], []]  # of each event's bookings, in the order of the model's
        self.forms = []  # what was sent to book, and the booking that it made
        self.touched = set()
        self.steps = 0
        for event, person, seats in crowd:
            self._book(event, person, seats=seats, or_wait=True)

    # What people do

    @rule(event=an_event, person=a_person, seats=a_party, or_wait=st.booleans())
    def book(self, event, person, seats, or_wait):
        self._book(event, person, seats=seats, or_wait=or_wait)

    @rule(event=an_event, person=a_person, seat_nos=some_seats)
    def book_these_seats(self, event, person, seat_nos):
        if max(seat_nos) <= self.models[event].total:
            self._book(event, person, seat_nos=seat_nos)

    @rule(event=an_event, which=somebody, seats=a_party)
    def change_the_number_of_seats(self, event, which, seats):
        self._modify(event, self._one_of(event, which, "confirmed"), seats=seats)

    @rule(event=an_event, which=somebody, seats=a_party)
    def change_the_party_that_waits(self, event, which, seats):
        self._modify(event, self._one_of(event, which, "waiting"), seats=seats)

    @rule(event=an_event, which=somebody, seat_nos=some_seats)
    def change_to_these_seats(self, event, which, seat_nos):
        if max(seat_nos) <= self.models[event].total:
            self._modify(event, self._one_of(event, which, "confirmed"), seat_nos=seat_nos)

    @rule(event=an_event, which=somebody)
    def give_seats_back(self, event, which):
        self._cancel(event, self._one_of(event, which, "confirmed"))

    @rule(event=an_event, which=somebody)
    def leave_the_line(self, event, which):
        self._cancel(event, self._one_of(event, which, "waiting"))

    @rule(event=an_event, which=somebody, what=st.sampled_from(["form", "other form", "change", "cancelled"]))
    def come_too_late_or_twice(self, event, which, what):
        """None of it makes a difference."""
        request, booking_id = self.forms[which % len(self.forms)]
        if what == "form":
            assert services.book(**request, now=self.now).pk == booking_id
        elif what == "other form":
            other = {**request, "seats": (request["seats"] or 1) + 1, "seat_nos": None, "or_wait": False}
            with pytest.raises(KeyUsedDifferently):
                services.book(**other, now=self.now)
        elif what == "change" and (model := self._one_of(event, which, "confirmed", "waiting")):
            with pytest.raises(OutOfDate):
                self._send_change(event, model, version=model.version + 1, seats=1)
        else:
            self._cancel(event, self._one_of(event, which, "cancelled"))
            self._modify(event, self._one_of(event, which, "cancelled"), seats=1)
        self.touched = {0, 1}

    # What organizers do

    @rule(event=an_event, which=somebody)
    def promote_out_of_turn(self, event, which):
        model = self._one_of(event, which, "waiting") or self._one_of(event, which, "confirmed")
        if model:
            self._agree(
                event,
                lambda: self.models[event].promote(model),
                lambda: services.promote(
                    booking_id=self._id_of(event, model),
                    reason="So.",
                    actor_id=self.people[0].pk,
                    now=self.now,
                ),
            )

    @rule(event=an_event, by=st.integers(-4, 4), move_people=st.booleans())
    def change_capacity(self, event, by, move_people):
        total = self.models[event].total + by
        if total < 1:
            return
        by_id = sorted(self.models[event].bookings, key=lambda model: self._id_of(event, model))
        self._agree(
            event,
            lambda: self.models[event].change_capacity(total, move_people=move_people, in_order=by_id),
            lambda: services.change_capacity(
                event_id=self.events[event].pk,
                total_slots=total,
                move_people=move_people,
                actor_id=None,
                now=self.now,
            ),
        )

    @precondition(lambda self: self.steps > 10)
    @rule(event=an_event, what=st.sampled_from(["reschedule", "close_waitlist", "run_jobs", "cancel_event"]))
    def let_it_move_or_end(self, event, what):
        if what == "reschedule":
            self._reschedule(event)
        elif what == "close_waitlist":
            self._close_waitlist(event)
        elif what == "run_jobs":
            self._run_jobs()
        elif self.steps > 25:
            self._cancel_event(event)

    # What must hold

    @invariant()
    def the_database_says_what_the_model_says(self):
        for number in self.touched:
            event, model, ids = self.events[number], self.models[number], self.ids[number]
            expected = {pk: booking.state() for pk, booking in zip(ids, model.bookings, strict=True)}
            assert _states(event) == expected
            promoted = BookingHistory.objects.filter(event_id=event.pk, action="promoted", details__by="rule")
            in_order = list(promoted.order_by("id").values_list("booking_id", flat=True))
            assert in_order == [self._id_of(number, booking) for booking in model.promoted]
            assert Event.objects.get(pk=event.pk).last_waiting_number == model.last_number
            assert_sound(event.pk)
            assert_told_of_every_change(event.pk)
        self.touched = set()

    def teardown(self):
        if hasattr(self, "events"):
            self._run_jobs()
            self.the_database_says_what_the_model_says()

    # How

    def _book(self, event, person, *, seats=None, seat_nos=(), or_wait=False):
        request = {
            "event_id": self.events[event].pk,
            "user_id": self.people[person].pk,
            "seats": seats,
            "seat_nos": list(seat_nos) or None,
            "or_wait": or_wait,
            "key": uuid4(),
        }
        party = seats or len(seat_nos)
        made = self._agree(
            event,
            lambda: self.models[event].book(person, party, seat_nos=seat_nos, or_wait=or_wait),
            lambda: services.book(**request, now=self.now),
        )
        if made is not None:
            self.ids[event].append(made.pk)
            self.forms.append((request, made.pk))

    def _modify(self, event, model, *, seats=None, seat_nos=()):
        if model:
            self._agree(
                event,
                lambda: self.models[event].modify(model, seats or len(seat_nos), seat_nos=seat_nos),
                lambda: self._send_change(
                    event, model, version=model.version, seats=seats, seat_nos=list(seat_nos)
                ),
            )

    def _send_change(self, event, model, **change):
        services.modify(booking_id=self._id_of(event, model), actor_id=None, now=self.now, **change)

    def _cancel(self, event, model):
        if model:
            self._agree(
                event,
                lambda: self.models[event].cancel(model),
                lambda: services.cancel(booking_id=self._id_of(event, model), actor_id=None, now=self.now),
            )

    def _reschedule(self, event):
        place = f"Hall {self.steps}"
        self._agree(
            event,
            self.models[event].reschedule,
            lambda: services.reschedule(
                event_id=self.events[event].pk,
                event_date=self.events[event].event_date,
                ends_at=None,
                time_zone="UTC",
                place=place,
                online_url="",
                actor_id=None,
                now=self.now,
            ),
        )

    def _cancel_event(self, event):
        self._agree(
            event,
            self.models[event].cancel_event,
            lambda: services.cancel_event(
                event_id=self.events[event].pk, reason="Flooded.", actor_id=None, now=self.now
            ),
        )

    def _close_waitlist(self, event):
        self._agree(
            event,
            self.models[event].close_waitlist,
            lambda: services.close_waitlist(
                event_id=self.events[event].pk, now=self.events[event].event_date
            ),
        )

    def _run_jobs(self):
        services.run_jobs(now=self.now + timedelta(minutes=2))
        for event, model in enumerate(self.models):
            model.run_jobs()
            self.touched.add(event)

    def _one_of(self, event, which, *states):
        """One of the event's bookings in such a state; None where there are none."""
        bookings = [booking for booking in self.models[event].bookings if booking.status in states]
        return bookings[which % len(bookings)] if bookings else None

    def _id_of(self, event, model):
        position = [booking is model for booking in self.models[event].bookings].index(True)
        return self.ids[event][position]

    def _agree(self, event, of_model, of_service):
        """Do it in both; both must do it, or refuse it for the same reason."""
        self.touched.add(event)
        self.steps += 1
        must_refuse = refused = made = None
        try:
            made = of_service()
        except BookingRefused as error:
            refused = type(error)
        try:
            of_model()
        except Refused as error:
            must_refuse = error.reason
        assert refused == must_refuse
        return made


def _states(event) -> dict:
    """How each of an event's bookings stands, as the model says it."""
    seats = {}
    for booking_id, seat_no in (
        BookingSeat.objects.booked().filter(event=event).values_list("booking_id", "seat_no")
    ):
        seats.setdefault(booking_id, []).append(seat_no)
    return {
        booking.pk: (
            booking.status,
            booking.seats,
            booking.waiting_number,
            sorted(seats.get(booking.pk, [])),
            booking.version,
        )
        for booking in Booking.objects.filter(event=event)
    }


def _layout():
    rows = [
        {"label": "A", "seats": 5, "aisles": [3]},
        {"label": "B", "seats": 4},
        {"label": "C", "seats": 1},
    ]
    return {"sections": [{"name": "Stalls", "rows": rows}]}


TestBookings = Bookings.TestCase
TestBookings.settings = settings(max_examples=25, stateful_step_count=40, deadline=None, print_blob=True)
