"""The form of a seating plan: what may be written, and what becomes of it."""

import pytest
from django.contrib.admin.models import LogEntry
from django.urls import reverse

from bookings.admin.plan_form import Line, PlanForm, PlanRefused, SectionLines, labels
from events.seating import Layout
from tests.factories import EventFactory, MembershipFactory

BACKEND = "allauth.account.auth_backends.AuthenticationBackend"
HALL = {
    "sections": [
        {
            "name": "Stalls",
            "rows": [
                {"label": label, "seats": 6, "aisles": [3], "wheelchair": [1] if label == "A" else []}
                for label in "ABCD"
            ],
        },
        {"name": "Balcony", "rows": [{"label": "1", "seats": 4, "aisles": [], "wheelchair": []}]},
    ]
}


def plan_of(*lines: Line, name="Stalls") -> dict | None:
    return PlanForm([SectionLines(name, list(lines))]).plan()


class TestRows:
    @pytest.mark.parametrize(
        ("written", "read"),
        [
            ("A–D", ["A", "B", "C", "D"]),
            ("a-c", ["A", "B", "C"]),
            ("Y–AB", ["Y", "Z", "AA", "AB"]),
            ("8 to 11", ["8", "9", "10", "11"]),
            ("A, C, Front", ["A", "C", "Front"]),
            ("A–B, 7..8", ["A", "B", "7", "8"]),
        ],
    )
    def test_are_read_as_people_write_them(self, written, read):
        assert list(labels(written)) == read

    @pytest.mark.parametrize("written", ["D–A", "1–Z", "1–99999", "AAA–BBB"])
    def test_that_are_no_range_are_refused(self, written):
        with pytest.raises(PlanRefused, match="no range"):
            list(labels(written))


class TestTheForm:
    def test_shows_a_plan_and_reads_the_same_plan_back(self):
        shown = PlanForm.showing(Layout.parse(HALL))
        assert shown.plan() == HALL
        assert [line.rows for line in shown.sections[0].lines] == ["A", "B–D"]

    def test_always_has_room_for_a_line_and_a_section_more(self):
        assert [
            len(section.lines) for section in PlanForm.showing(Layout.parse(HALL)).with_room().sections
        ] == [
            *[3, 2],
            1,
        ]

    def test_takes_out_the_rows_of_a_line_that_was_emptied(self):
        assert plan_of(Line("A", "4"), Line("", "9"))["sections"][0]["rows"][0]["label"] == "A"
        assert plan_of(Line("", "9")) is None

    @pytest.mark.parametrize(
        ("line", "says"),
        [
            (Line("A", ""), "how many seats"),
            (Line("A", "0"), "how many seats"),
            (Line("A", "9000"), "how many seats"),
            (Line("A", "4", aisles="4"), "aisles and wheelchair places"),
            (Line("A", "4", wheelchair="five"), "aisles and wheelchair places"),
            (Line("A, A", "4"), "row A twice"),
        ],
    )
    def test_says_where_it_is_no_plan(self, line, says):
        with pytest.raises(PlanRefused, match=says):
            plan_of(line)

    @pytest.mark.parametrize("rows", ["1-1999," * 50_000, ", ".join(f"{n}" for n in range(2_001))])
    def test_refuses_more_rows_than_any_house_has_without_writing_them_all_out(self, rows):
        with pytest.raises(PlanRefused, match="at most 2,000 rows"):
            plan_of(Line(rows, "4"))

    def test_reads_a_name_of_any_length_as_one_row(self):
        """As a range it would be looked through once for each place where it could be one."""
        plan = plan_of(Line("to" * 500_000 + "!", "4"))
        assert [row["label"] for row in plan["sections"][0]["rows"]] == ["to" * 10]

    def test_needs_a_name_for_each_section(self):
        with pytest.raises(PlanRefused, match="Give each section a name"):
            plan_of(Line("A", "4"), name=" ")


@pytest.mark.django_db
class TestThePage:
    @pytest.fixture
    def organizer(self, client):
        membership = MembershipFactory(organizer=True)
        client.force_login(membership.user, backend=BACKEND)
        return membership

    def sent(self, rows="A–B", seats="5", **more) -> dict:
        return {"s0-name": "Stalls", "s0-0-rows": rows, "s0-0-seats": seats, **more}

    def url(self, event):
        return reverse("admin:events_event_layout", args=[event.pk])

    def test_draws_before_it_saves(self, client, organizer):
        draft = EventFactory(draft=True, org=organizer.organization)
        answer = client.post(self.url(draft), self.sent(show="1"))
        assert "Row B, seat 5" in answer.content.decode()
        draft.refresh_from_db()
        assert draft.layout is None

    def test_gives_a_draft_as_many_seats_as_its_plan(self, client, organizer):
        draft = EventFactory(draft=True, org=organizer.organization)
        assert client.post(self.url(draft), self.sent(save="1")).status_code == 302
        draft.refresh_from_db()
        assert (draft.total_slots, draft.seating.seats) == (10, 10)
        assert LogEntry.objects.get().user_id == organizer.user_id

    def test_says_why_a_published_plan_cannot_be(self, client, organizer, book):
        event = EventFactory(org=organizer.organization, with_layout=True)
        book(event, 4)
        answer = client.post(self.url(event), self.sent(rows="X–Z", save="1"))
        assert answer.status_code == 422
        assert "is booked and would become" in answer.content.decode()

    def test_survives_any_nonsense(self, client, organizer):
        draft = EventFactory(draft=True, org=organizer.organization)
        for rows, seats in (("\x00", "4"), ("A–" * 500, "4"), ("A", "9" * 400), ("١–٩", "٣"), ("_", "-1")):
            answer = client.post(self.url(draft), self.sent(rows=rows, seats=seats, save="1"))
            assert answer.status_code in (302, 400, 422)
