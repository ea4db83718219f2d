"""Everything that books, changes, promotes or frees seats goes through here: web, admin, commands, tests.

Each function is one durable transaction with keyword-only arguments and `now` passed in; it raises what
stands in `bookings.errors`, and then nothing has changed. Locks, in this order and no other: the event's
row, then bookings by id, then the event's job. Nothing slow, nothing remote and no savepoint while they
are held.

Booking is joining the queue and letting it settle: see `bookings.waitlist` for the rule, and
`bookings.box_office` for what happens under the lock.
"""

from bookings.services.book import book, set_aside
from bookings.services.cancel import cancel
from bookings.services.cancel_event import cancel_event
from bookings.services.capacity import change_capacity
from bookings.services.close_waitlist import close_waitlist, close_waitlists, count_to_let_go
from bookings.services.jobs import run_jobs
from bookings.services.layout import change_layout
from bookings.services.modify import modify
from bookings.services.organizations import (
    close_organization,
    reopen_organization,
    suspend_organization,
)
from bookings.services.promote import promote, settle
from bookings.services.remind import due_reminders, owe_reminders
from bookings.services.reschedule import reschedule
from bookings.services.resend import resend

__all__ = [
    "book",
    "cancel",
    "cancel_event",
    "change_capacity",
    "change_layout",
    "close_organization",
    "close_waitlist",
    "close_waitlists",
    "count_to_let_go",
    "due_reminders",
    "modify",
    "owe_reminders",
    "promote",
    "reopen_organization",
    "reschedule",
    "resend",
    "run_jobs",
    "set_aside",
    "settle",
    "suspend_organization",
]
