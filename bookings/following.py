"""Who follows an event once a change of it is committed: the counter, the line's mirror, pages, viewers.

None of them is part of the truth, and none can fail a booking: what one misses it makes good by itself.
"""

from dataclasses import dataclass, field
from functools import partial
from uuid import UUID

from django.db import transaction

from bookings import queue_mirror, seat_counter
from events import public_pages
from events.models import Event
from notifications import live


@dataclass
class Following:
    """What a transaction changed about `event`, as it was found and locked."""

    event: Event
    left_before: int = field(init=False)
    line_is_new: bool = field(init=False)  # nobody had ever stood in line
    line: dict[UUID, int | None] = field(default_factory=dict)  # new numbers, None of those that left it

    def __post_init__(self):
        self.left_before = self.event.available_slots
        self.line_is_new = not self.event.last_waiting_number

    def on_commit(self, *, left: int, claimed: int, is_counted: bool) -> None:
        """Have everybody follow when the open transaction is committed.

        Args:
            left: seats left when it ends.
            claimed: seats that were booked and that the counter had set aside for it already.
            is_counted: False if the event's counter has to be begun.
        """
        event, change = self.event, left - self.left_before + claimed
        if change or not is_counted:
            has_changed = left != self.left_before
            _afterwards(seat_counter.follow, event, change=change, left=left, has_changed=has_changed)
        if self.line:
            _afterwards(
                queue_mirror.follow,
                event.pk,
                version=event.version,
                is_new=self.line_is_new,
                changes=self.line,
            )
        if bool(left) != bool(self.left_before):  # sold out, or no more
            _afterwards(public_pages.forget, event.pk, public_pages.LIST)
        live.show_event(event.pk)


def _afterwards(follow, *arguments, **named) -> None:
    transaction.on_commit(partial(follow, *arguments, **named), robust=True)
