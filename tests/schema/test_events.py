import pytest

from tests.schema.refusals import each, refused

OFFENCES = {
    "event_title_is_not_empty": [{"title": ""}, {"title": " \n"}],
    "event_category_is_known": [{"category": "party"}, {"category": ""}],
    "event_status_is_known": [{"status": "postponed"}],
    "event_visibility_is_known": [{"visibility": "secret"}],
    "event_queue_rule_is_known": [{"queue_rule": "lottery"}],
    "event_time_zone_is_not_empty": [{"time_zone": ""}],
    "event_has_at_least_one_seat": [{"total_slots": 0}],
    "event_ends_after_it_starts": [
        {"event_date": "2100-01-01 20:00Z", "ends_at": "2100-01-01 20:00Z"},
        {"event_date": "2100-01-01 20:00Z", "ends_at": "2100-01-01 19:00Z"},
    ],
    "booking_closes_after_it_opens": [
        {"booking_opens_at": "2099-01-02", "booking_closes_at": "2099-01-02"},
        {"booking_opens_at": "2099-01-02", "booking_closes_at": "2099-01-01"},
    ],
    "a_booking_may_hold_1_to_50_seats": [{"max_seats_per_booking": 0}, {"max_seats_per_booking": 51}],
    "a_person_may_hold_at_least_one_seat": [{"max_seats_per_person": 0}],
}
CATEGORIES = ["webinar", "concert", "hackathon", "conference", "workshop", "meetup", "other"]


class TestEvents:
    @pytest.mark.parametrize(("rule", "columns"), each(OFFENCES))
    def test_refuse(self, rows, rule, columns):
        with refused(rule):
            rows.add("events", **columns)

    @pytest.mark.parametrize(
        "columns",
        [
            *({"category": category} for category in CATEGORIES),
            *({"status": status} for status in ("upcoming", "ongoing", "completed", "cancelled")),
            {"total_slots": 1},
            {"total_slots": 1_000_000},
            {"max_seats_per_booking": 50, "max_seats_per_person": 500},
            {"booking_closes_at": "2099-01-01"},
            {"layout": '{"sections": []}'},
        ],
    )
    def test_take(self, rows, columns):
        rows.add("events", **columns)

    def test_are_of_an_organization_that_is_there(self, rows, nobody):
        with refused("events_org_id_fkey"):
            rows.add("events", org_id=nobody)

    def test_stand_once_when_they_are_imported(self, rows):
        org = rows.add("organizations")
        rows.add("events", org_id=org, source_uid="a@calendar")
        with refused("an_imported_event_stands_once"):
            rows.add("events", org_id=org, source_uid="a@calendar")

    def test_may_come_from_one_calendar_to_two_organizations(self, rows):
        for _ in range(2):
            rows.add("events", org_id=rows.add("organizations"), source_uid="a@calendar")


class TestTheEndOfAnEvent:
    @pytest.mark.parametrize("end", ["cancelled", "completed"])
    @pytest.mark.parametrize("revived", ["upcoming", "ongoing", "cancelled", "completed"])
    def test_is_final(self, rows, end, revived):
        event = rows.add("events", status=end)
        if revived == end:
            rows.do("UPDATE events SET status = %s, title = 'Still' WHERE id = %s", revived, event)
        else:
            with refused("cancelled_and_completed_are_final"):
                rows.do("UPDATE events SET status = %s WHERE id = %s", revived, event)

    def test_takes_it_out_of_what_can_be_booked(self, rows):
        event = rows.add("events")
        rows.do("UPDATE events SET status = 'cancelled' WHERE id = %s", event)
        assert rows.value("SELECT is_bookable FROM events WHERE id = %s", event) is False

    def test_takes_bookings_seats_totals_runs_and_jobs_along_when_the_row_goes(self, rows):
        event = rows.add("events")
        rows.book(event, 1, 2)
        rows.add("event_jobs", event_id=event)
        rows.add("event_free_runs", event_id=event)
        rows.do("DELETE FROM events WHERE id = %s", event)
        for table in ("bookings", "booking_seats", "event_totals", "event_jobs", "event_free_runs"):
            assert rows.value(f"SELECT count(*) FROM {table}") == 0
