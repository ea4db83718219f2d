"""What a calendar file says, as plain values."""

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True)
class Occurrence:
    """One happening: an entry that stands alone, or one time of an entry that repeats.

    `identity` is the UID, with "/" and the time in the series (UTC, basic format) where the entry repeats:
    it stays the same when that one time is moved. `None` means that the file is silent about a fact.
    """

    identity: str
    series: str
    line: int
    title: str
    event_date: datetime
    ends_at: datetime | None
    time_zone: str
    description: str | None = None
    category: str | None = None
    place: str | None = None
    online_url: str | None = None
    is_private: bool = False
    is_cancelled: bool = False

    @property
    def name(self) -> str:
        return f"“{self.title}” ({self.event_date:%Y-%m-%d %H:%M} UTC, line {self.line})"

    def is_over(self, *, at: datetime) -> bool:
        return (self.ends_at or self.event_date) < at


@dataclass(frozen=True)
class Skipped:
    """An entry, or one time of it, that was left out: what it calls itself, where it stands, and why."""

    name: str
    why: str

    def __str__(self) -> str:
        return f"{self.name}: {self.why}"


@dataclass
class Reading:
    """`withdrawn`: identities of the times that a series names as not taking place (EXDATE)."""

    occurrences: list[Occurrence] = field(default_factory=list)
    withdrawn: set[str] = field(default_factory=set)
    skipped: list[Skipped] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    past: int = 0
