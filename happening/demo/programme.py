"""The programme as it is written down, and what it means on a given day.

day        days from today; `on` moves it forward to that day of the week
at, minutes   the clock of `zone` (Europe/Berlin where none stands), and how long it lasts
room       one of `rooms`, else `slots` and `place`
published  days ago; `draft` instead where it is not out yet
opens_in, closes_in   booking opens in so many days, closes in so many hours
crowd      who comes: `sold` is the share of the seats, `waiting` and `gone` are bookings, `parties` their
           sizes (`crowd`), `members` whether members alone
story      what else happens (`stories`)
"""

import tomllib
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from functools import cached_property
from pathlib import Path
from zoneinfo import ZoneInfo

from happening.demo.rooms import ROOMS

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
AS_WRITTEN = (
    "title",
    "category",
    "visibility",
    "queue_rule",
    "waitlist",
    "online_url",
    "max_seats_per_booking",
    "max_seats_per_person",
)


@dataclass(frozen=True)
class Planned:
    """One event of the programme; all its moments are counted from `made_at`."""

    org: str
    written: dict
    made_at: datetime

    @property
    def key(self) -> str:
        """How the event is found again."""
        return f"demo:{self.written['key']}"

    @property
    def story(self) -> str | None:
        return self.written.get("story")

    @property
    def crowd(self) -> dict:
        return self.written.get("crowd", {"sold": 0})

    @property
    def is_draft(self) -> bool:
        return self.written.get("draft", False)

    @property
    def place(self) -> str:
        return self.room.place if self.room else self.written["place"]

    @property
    def room(self):
        return ROOMS.get(self.written.get("room"))

    @property
    def slots(self) -> int:
        return self.room.slots if self.room else self.written["slots"]

    @cached_property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.written.get("zone", "Europe/Berlin"))

    @cached_property
    def starts_at(self) -> datetime:
        moment = self._on(self.written["day"], time.fromisoformat(self.written["at"]))
        wanted = self.written.get("on")
        return moment + timedelta(days=(WEEKDAYS.index(wanted) - moment.weekday()) % 7 if wanted else 0)

    @property
    def ends_at(self) -> datetime:
        return self.starts_at + timedelta(minutes=self.written["minutes"])

    @property
    def opened_at(self) -> datetime:
        """When it was published."""
        return self._on(-self.written.get("published", 7), time(10))

    @property
    def closes_at(self) -> datetime | None:
        if "closes_in" not in self.written:
            return None
        hour = self.made_at.astimezone(self.zone).replace(minute=0, second=0, microsecond=0)
        return hour + timedelta(hours=self.written["closes_in"] + 1)

    @property
    def settled_at(self) -> datetime:
        """Until when people have booked: an hour ago, or an hour before booking closed."""
        return min(self.made_at, self.closes_at or self.starts_at) - timedelta(hours=1)

    def facts(self) -> dict:
        """The event's fields, for the service that creates it."""
        opens_in = self.written.get("opens_in")
        return {
            **{name: self.written[name] for name in AS_WRITTEN if name in self.written},
            "source_uid": self.key,
            "description": self.written["description"].strip(),
            "event_date": self.starts_at,
            "ends_at": self.ends_at,
            "time_zone": self.zone.key,
            "place": self.place,
            "total_slots": self.slots,
            "layout": self.room.layout if self.room else None,
            "booking_opens_at": self._on(opens_in, time(10)) if opens_in else None,
            "booking_closes_at": self.closes_at,
            "created_at": self.opened_at,
        }

    def _on(self, day: int, at: time) -> datetime:
        today = self.made_at.astimezone(self.zone).date()
        return datetime.combine(today + timedelta(days=day), at, tzinfo=self.zone)


def programme(org: str, *, made_at: datetime) -> list[Planned]:
    text = (Path(__file__).parent / f"{org}.toml").read_text(encoding="utf-8")
    return [Planned(org, written, made_at) for written in tomllib.loads(text)["event"]]
