import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from events.seating import LARGEST, Layout, LayoutError


def plan(*rows, name="Stalls"):
    return {"sections": [{"name": name, "rows": list(rows)}]}


@pytest.fixture
def hall():
    return Layout.parse(
        {
            "sections": [
                {
                    "name": "Stalls",
                    "rows": [
                        {"label": "A", "seats": 6, "aisles": [4, 2], "wheelchair": [1, 6]},
                        {"label": "B", "seats": 3},
                    ],
                },
                {"name": " Balcony ", "rows": [{"label": "A", "seats": 2}]},
            ]
        }
    )


class TestLayout:
    def test_numbers_seats_through_the_whole_plan(self, hall):
        assert [(row.label, row.first, row.last) for row in hall.rows] == [
            ("A", 1, 6),
            ("B", 7, 9),
            ("A", 10, 11),
        ]
        assert hall.seats == 11

    def test_breaks_rows_into_blocks_at_their_aisles(self, hall):
        assert hall.blocks == ((1, 2), (3, 4), (5, 6), (7, 9), (10, 11))

    def test_knows_the_row_and_the_section_of_a_seat(self, hall):
        assert [hall.row_of(seat).first for seat in (1, 6, 7, 9, 10, 11)] == [1, 1, 7, 7, 10, 10]
        assert [hall.section_of(seat).name for seat in (1, 9, 10, 11)] == [
            "Stalls",
            "Stalls",
            "Balcony",
            "Balcony",
        ]

    def test_knows_the_seats_of_a_row(self, hall):
        seats = list(hall.rows[0])
        assert [(seat.number, seat.place) for seat in seats] == [(n, n) for n in range(1, 7)]
        assert [seat.number for seat in seats if seat.is_wheelchair] == [1, 6]
        assert [(seat.number, seat.place) for seat in hall.rows[2]] == [(10, 1), (11, 2)]

    def test_labels_a_seat_with_section_row_and_place(self, hall):
        assert hall.label(8) == "Stalls, row B, seat 2"
        assert hall.label(11) == "Balcony, row A, seat 2"

    def test_leaves_the_name_of_an_only_section_out(self):
        assert Layout.parse(plan({"label": "A", "seats": 3})).label(2) == "Row A, seat 2"

    @settings(max_examples=50, deadline=None)
    @given(st.data())
    def test_has_each_seat_in_exactly_one_block_and_one_row(self, data):
        rows = []
        for number in range(data.draw(st.integers(1, 5))):
            seats = data.draw(st.integers(1, 9))
            aisles = data.draw(st.lists(st.integers(1, seats - 1), max_size=3)) if seats > 1 else []
            rows.append({"label": str(number), "seats": seats, "aisles": aisles})
        layout = Layout.parse(plan(*rows))
        in_blocks = [seat for first, last in layout.blocks for seat in range(first, last + 1)]
        assert in_blocks == list(range(1, layout.seats + 1))
        for first, last in layout.blocks:
            assert layout.row_of(first) is layout.row_of(last)


class TestPlansThatCannotBeBuilt:
    @pytest.mark.parametrize(
        "broken",
        [
            None,
            [],
            "Stalls",
            {},
            {"sections": []},
            {"sections": {}},
            {"sections": ["Stalls"]},
            {"sections": [{"name": "Stalls"}]},
            {"sections": [{"name": "Stalls", "rows": []}]},
            {"sections": [{"name": " ", "rows": [{"label": "A", "seats": 1}]}]},
            {"sections": [{"rows": [{"label": "A", "seats": 1}]}]},
            plan({"seats": 3}),
            plan({"label": "", "seats": 3}),
            plan({"label": 7, "seats": 3}),
            plan("A"),
            plan({"label": "A"}),
            plan({"label": "A", "seats": 0}),
            plan({"label": "A", "seats": -1}),
            plan({"label": "A", "seats": "3"}),
            plan({"label": "A", "seats": 2.5}),
            plan({"label": "A", "seats": True}),
            plan({"label": "A", "seats": LARGEST + 1}),
            plan({"label": "A", "seats": LARGEST}, {"label": "B", "seats": 1}),
            plan({"label": "A", "seats": 3, "aisles": [3]}),
            plan({"label": "A", "seats": 3, "aisles": [0]}),
            plan({"label": "A", "seats": 3, "aisles": 1}),
            plan({"label": "A", "seats": 3, "aisles": ["1"]}),
            plan({"label": "A", "seats": 3, "aisles": None}),
            plan({"label": "A", "seats": 3, "wheelchair": [4]}),
            plan({"label": "A", "seats": 3, "wheelchair": [True]}),
        ],
        ids=str,
    )
    def test_are_refused(self, broken):
        with pytest.raises(LayoutError):
            Layout.parse(broken)

    def test_are_refused_with_the_place_that_is_wrong(self):
        with pytest.raises(LayoutError, match="Row B of section Stalls"):
            Layout.parse(plan({"label": "A", "seats": 3}, {"label": "B", "seats": 0}))

    def test_are_not_those_with_one_aisle_named_twice(self):
        assert Layout.parse(plan({"label": "A", "seats": 4, "aisles": [2, 2]})).blocks == ((1, 2), (3, 4))
