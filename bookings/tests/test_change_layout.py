import pytest

from bookings import services
from bookings.errors import BookedSeatRenamed, Closed, EventCancelled, PlanLeavesSeatsOut, PlanUnreadable
from bookings.models import FreeRun
from tests.factories import EventFactory
from tests.truth import assert_sound, seats_of

pytestmark = pytest.mark.django_db


def plan(*rows: tuple[str, int], **more) -> dict:
    return {
        "sections": [
            {"name": "Stalls", "rows": [{"label": label, "seats": seats, **more} for label, seats in rows]}
        ]
    }


@pytest.fixture
def hall(db):
    return EventFactory(total_slots=10, layout=plan(("A", 6), ("B", 4)))


@pytest.fixture
def redraw(now, organizer):
    def redrawing(event, layout):
        return services.change_layout(event_id=event.pk, layout=layout, actor_id=organizer.pk, now=now)

    return redrawing


class TestChangeLayout:
    def test_adds_rows_behind_those_that_are_booked(self, hall, book, redraw):
        booking = book(hall, 3)
        changed = redraw(hall, plan(("A", 6), ("B", 4), ("C", 8)))
        assert changed.seating.seats == 18
        assert seats_of(booking) == [1, 2, 3]
        assert_sound(hall.pk)

    def test_makes_the_free_runs_of_the_new_aisles(self, hall, book, redraw):
        book(hall, 1)
        redraw(hall, plan(("A", 6), ("B", 4), aisles=[2]))
        runs = FreeRun.objects.filter(event=hall).order_by("first_seat")
        assert [(run.first_seat, run.last_seat) for run in runs] == [(2, 2), (3, 6), (7, 8), (9, 10)]

    def test_renames_seats_that_nobody_holds(self, hall, book, redraw):
        book(hall, 3)
        assert redraw(hall, plan(("A", 6), ("Balcony", 4))).seating.label(7) == "Row Balcony, seat 1"

    def test_refuses_to_give_a_booked_seat_another_place(self, hall, book, redraw):
        book(hall, 7)
        with pytest.raises(BookedSeatRenamed, match="Row B, seat 1"):
            redraw(hall, plan(("A", 5), ("B", 5)))
        hall.refresh_from_db()
        assert hall.layout == plan(("A", 6), ("B", 4))

    def test_refuses_a_plan_with_fewer_seats_than_are_on_sale(self, hall, redraw):
        with pytest.raises(PlanLeavesSeatsOut, match="8 seats, and 10 are on sale"):
            redraw(hall, plan(("A", 8)))

    def test_refuses_what_is_no_plan(self, hall, redraw):
        with pytest.raises(PlanUnreadable):
            redraw(hall, {"sections": []})

    def test_takes_a_plan_away_while_nobody_holds_a_seat_of_it(self, hall, redraw):
        assert redraw(hall, None).seating is None

    def test_refuses_it_when_the_event_is_off_or_over(self, hall, redraw, now, organizer):
        over = EventFactory(status="completed")
        with pytest.raises(Closed):
            redraw(over, None)
        services.cancel_event(event_id=hall.pk, reason="Storm", actor_id=organizer.pk, now=now)
        with pytest.raises(EventCancelled):
            redraw(hall, None)
