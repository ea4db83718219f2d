"""Bringing a calendar's facts into an organization: what is new is created, what changed goes to services.

The file has been read to its end before the first write. Then each event is one service call, a transaction
of its own: killed anywhere, nothing is half done, and running again does the rest, because an imported event
is found again by `source_uid`.

What the file does not say (no place, no description, an entry that is gone) is left as it is. A cancelled or
completed event is final, whatever the file says of it.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import IntegrityError

from bookings import seat_counter, services
from bookings.errors import BookingRefused
from events.ical.facts import Occurrence, Reading, Skipped
from events.ical.identity import series_of
from events.models import Event
from events.services import EventRefused, create_event
from orgs.models import Organization

NEAR = timedelta(days=3)  # how far a time of a series is looked for when the whole series was moved
PAGE = 1_000  # events between two lines of progress
REASON = "Cancelled in the organizer's calendar."


@dataclass
class Report:
    created: int = 0
    changed: int = 0
    cancelled: int = 0
    unchanged: int = 0
    past: int = 0
    skipped: list[Skipped] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def import_reading(
    reading: Reading,
    *,
    org: Organization,
    slots: int,
    now: datetime,
    dry_run: bool = False,
    tell: Callable[[str], None] = lambda line: None,
) -> Report:
    """Bring what was read into `org`; new events are published and get `slots` seats.

    Args:
        dry_run: count what would happen, and write nothing.
        tell: takes a line now and then where there is much to do.
    """
    importer = _Importer(reading, org=org, slots=slots, now=now, dry_run=dry_run)
    for number, occurrence in enumerate(reading.occurrences, start=1):
        importer.take(occurrence)
        if number % PAGE == 0:
            tell(f"{number:,} of {len(reading.occurrences):,} events.")
    for identity in sorted(reading.withdrawn):
        importer.withdraw(identity)
    return importer.report


class _Importer:
    def __init__(self, reading: Reading, *, org: Organization, slots: int, now: datetime, dry_run: bool):
        self.org, self.slots, self.now, self.dry_run = org, slots, now, dry_run
        self.report = Report(past=reading.past, skipped=list(reading.skipped), notes=list(reading.notes))
        imported = Event.objects.filter(org=org, source_uid__isnull=False)
        self.imported = {event.source_uid: event for event in imported}
        self._follow_moved_series(reading)

    def take(self, occurrence: Occurrence) -> None:
        event = self.imported.get(occurrence.identity)
        try:
            if event is None:
                self._create(occurrence)
            elif event.is_final:
                self.report.unchanged += 1
            elif occurrence.is_cancelled:
                self._cancel(event)
            else:
                self._change(event, occurrence)
        except (BookingRefused, EventRefused) as refusal:
            self.report.skipped.append(Skipped(occurrence.name, str(refusal)))

    def withdraw(self, identity: str) -> None:
        """Cancel a time that its series names as not taking place, if it was ever imported."""
        event = self.imported.get(identity)
        if event is None or event.is_final:
            return
        try:
            self._cancel(event)
        except BookingRefused as refusal:
            self.report.skipped.append(Skipped(f"“{event.title}”", str(refusal)))

    def _create(self, occurrence: Occurrence) -> None:
        if occurrence.is_cancelled:
            return
        if occurrence.is_over(at=self.now):
            self.report.past += 1
            return
        if not self.dry_run:
            visibility = Event.Visibility.MEMBERS if occurrence.is_private else Event.Visibility.PUBLIC
            try:
                event = create_event(
                    org_id=self.org.pk,
                    now=self.now,
                    published=True,
                    source_uid=occurrence.identity,
                    title=occurrence.title,
                    description=occurrence.description or "",
                    category=occurrence.category or Event.Category.OTHER,
                    event_date=occurrence.event_date,
                    ends_at=occurrence.ends_at,
                    time_zone=occurrence.time_zone,
                    place=occurrence.place or "",
                    online_url=occurrence.online_url or "",
                    visibility=visibility,
                    total_slots=self.slots,
                )
            except IntegrityError:
                if not Event.objects.filter(org=self.org, source_uid=occurrence.identity).exists():
                    raise
                self.report.unchanged += 1  # another import of the same calendar came first
                return
            self.imported[occurrence.identity] = event
        self.report.created += 1

    def _change(self, event: Event, occurrence: Occurrence) -> None:
        is_moved = self._move(event, occurrence)
        is_reworded = self._reword(event, occurrence)
        if is_moved or is_reworded:
            self.report.changed += 1
        else:
            self.report.unchanged += 1

    def _move(self, event: Event, occurrence: Occurrence) -> bool:
        """Let people know of another time or place; returns whether there is one."""
        new = {
            "event_date": occurrence.event_date,
            "ends_at": occurrence.ends_at,
            "time_zone": occurrence.time_zone,
            "place": event.place if occurrence.place is None else occurrence.place,
            "online_url": event.online_url if occurrence.online_url is None else occurrence.online_url,
        }
        if all(getattr(event, name) == value for name, value in new.items()):
            return False
        if occurrence.is_over(at=self.now):
            raise EventRefused("it was moved into the past, so it stays where people know it to be")
        if not self.dry_run:
            services.reschedule(event_id=event.pk, actor_id=None, now=self.now, **new)
        return True

    def _reword(self, event: Event, occurrence: Occurrence) -> bool:
        """Take over the organizer's words as far as the file has any; returns whether they differ."""
        said = {name: getattr(occurrence, name) for name in ("title", "description", "category")}
        new = {name: value for name, value in said.items() if value is not None}
        if occurrence.is_private and event.visibility != Event.Visibility.MEMBERS:
            new["visibility"] = Event.Visibility.MEMBERS
        new = {name: value for name, value in new.items() if getattr(event, name) != value}
        for name, value in new.items():
            setattr(event, name, value)
        if new and not self.dry_run:
            event.save(update_fields=list(new))
            if "visibility" in new:
                seat_counter.forget(event.pk)
        return bool(new)

    def _cancel(self, event: Event) -> None:
        if event.event_date <= self.now:
            self.report.unchanged += 1
            return
        if not self.dry_run:
            services.cancel_event(event_id=event.pk, reason=REASON, actor_id=None, now=self.now)
        self.report.cancelled += 1

    def _follow_moved_series(self, reading: Reading) -> None:
        """Where a whole series was moved, each time of it has a new identity: give it to the nearest event.

        An event that the file no longer names becomes the nearest new time of its own series, so that the
        people on it are told, rather than left with an event that nobody holds beside a copy of it.
        """
        named = {occurrence.identity for occurrence in reading.occurrences} | reading.withdrawn
        gone: dict[str, list[Event]] = {}
        for event in self.imported.values():
            if event.source_uid not in named and not event.is_final and event.event_date > self.now:
                gone.setdefault(series_of(event.source_uid), []).append(event)
        new = [one for one in reading.occurrences if one.identity not in self.imported and one.series in gone]
        for event, occurrence in _nearest_pairs(gone, new):
            del self.imported[event.source_uid]
            self.imported[occurrence.identity] = event
            if not self.dry_run:
                event.source_uid = occurrence.identity
                event.save(update_fields=["source_uid"])


def _nearest_pairs(
    gone: dict[str, list[Event]], new: Iterable[Occurrence]
) -> Iterable[tuple[Event, Occurrence]]:
    """Events and occurrences of the same series, those closest in time first, each at most once."""
    distances = sorted(
        (
            (
                abs(event.event_date - occurrence.event_date),
                event.source_uid,
                occurrence.identity,
                event,
                occurrence,
            )
            for occurrence in new
            for event in gone[occurrence.series]
            if abs(event.event_date - occurrence.event_date) <= NEAR
        ),
        key=lambda found: found[:3],
    )
    taken = set()
    for _, was, becomes, event, occurrence in distances:
        if was not in taken and becomes not in taken:
            taken |= {was, becomes}
            yield event, occurrence
