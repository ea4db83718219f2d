"""The rooms of the demo that have a seating plan."""

from dataclasses import dataclass
from string import ascii_uppercase


@dataclass(frozen=True)
class Room:
    place: str
    layout: dict

    @property
    def slots(self) -> int:
        return sum(row["seats"] for section in self.layout["sections"] for row in section["rows"])


def _label(number: int) -> str:
    """A to Z, then AA to AZ."""
    return ("A" if number >= 26 else "") + ascii_uppercase[number % 26]


def _section(name: str, *, rows: int, seats: int, aisles: list[int], wheelchair: list[int] = ()) -> dict:
    """Equal rows; the wheelchair places are in the first one."""
    plan = [{"label": _label(number), "seats": seats, "aisles": aisles} for number in range(rows)]
    plan[0]["wheelchair"] = list(wheelchair)
    return {"name": name, "rows": plan}


ROOMS = {
    "turbine-hall": Room(
        "Turbine Hall, Acme Kulturhaus, Wilhelminenhofstraße 76, 12459 Berlin",
        {
            "sections": [
                _section("Stalls", rows=30, seats=60, aisles=[15, 45], wheelchair=[1, 2, 30, 31, 59, 60]),
                _section("Circle", rows=30, seats=50, aisles=[25], wheelchair=[1, 2, 49, 50]),
                _section("Balcony", rows=34, seats=50, aisles=[12, 38]),
            ]
        },
    ),
    "cinema": Room(
        "Cinema, Acme Kulturhaus, Wilhelminenhofstraße 76, 12459 Berlin",
        {"sections": [_section("Cinema", rows=12, seats=15, aisles=[8], wheelchair=[1, 2, 14, 15])]},
    ),
    "studio": Room(
        "Studio, Acme Kulturhaus, Wilhelminenhofstraße 76, 12459 Berlin",
        {"sections": [_section("Studio", rows=6, seats=10, aisles=[5], wheelchair=[1, 10])]},
    ),
    "tool-room": Room(
        "Tool room, Acme Kulturhaus, Wilhelminenhofstraße 76, 12459 Berlin",
        {
            "sections": [
                {
                    "name": "Tables",
                    "rows": [
                        {"label": f"Table {number}", "seats": 2, "wheelchair": [1] if number == 1 else []}
                        for number in range(1, 5)
                    ],
                }
            ]
        },
    ),
    "auditorium": Room(
        "Globex Auditorium, 71 Ayer Rajah Crescent, Singapore 139951",
        {"sections": [_section("Auditorium", rows=14, seats=25, aisles=[6, 19], wheelchair=[1, 2, 24, 25])]},
    ),
    "seminar": Room(
        "Globex Sydney, 477 Pitt Street, Haymarket NSW 2000",
        {"sections": [_section("Seminar room", rows=4, seats=6, aisles=[3], wheelchair=[1])]},
    ),
}
