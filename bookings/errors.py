"""Why a booking, a change or a promotion was refused: each error is named for what went wrong.

`str(error)` is a sentence for the person; the attributes are facts for whoever offers a way on.
Nothing has been changed when one of these is raised.
"""

from django.utils.translation import gettext as _
from django.utils.translation import ngettext


class BookingRefused(Exception):
    """Any of the reasons below."""

    @property
    def for_organizer(self) -> str:
        """The sentence for who does it for somebody else."""
        return str(self)


class NotOpenYet(BookingRefused):
    def __init__(self, opens_at):
        self.opens_at = opens_at
        super().__init__(_("Booking for this event has not opened yet."))


class Closed(BookingRefused):
    def __init__(self):
        super().__init__(
            _("Booking for this event has closed, so nothing can be booked or changed any more.")
        )


class EventCancelled(BookingRefused):
    def __init__(self):
        super().__init__(_("This event has been cancelled."))


class NotBookable(BookingRefused):
    """A draft, or an event whose organization is suspended, closed or gone."""

    def __init__(self):
        super().__init__(_("This event cannot be booked at the moment."))


class PartyTooLarge(BookingRefused):
    def __init__(self, largest):
        self.largest = largest
        super().__init__(
            ngettext(
                "One booking for this event can hold %(n)s seat.",
                "One booking for this event can hold at most %(n)s seats.",
                largest,
            )
            % {"n": largest}
        )


class NothingLeft(BookingRefused):
    """A change to no seats at all."""

    def __init__(self):
        super().__init__(_("A booking holds at least one seat. To give all of them back, cancel it."))


class NoSuchSeat(BookingRefused):
    def __init__(self, seat_no):
        self.seat_no = seat_no
        super().__init__(_("There is no seat %(n)s at this event.") % {"n": seat_no})


class SeatNamedTwice(BookingRefused):
    def __init__(self, seat_no):
        self.seat_no = seat_no
        super().__init__(_("Seat %(n)s was chosen twice.") % {"n": seat_no})


class OwnLimit(BookingRefused):
    """The cap per person, over confirmed and waiting seats together."""

    def __init__(self, *, limit, held):
        self.limit, self.held = limit, held
        super().__init__(
            ngettext(
                "Each person may hold %(limit)s seat of this event; you hold %(held)s already.",
                "Each person may hold up to %(limit)s seats of this event; you hold %(held)s already.",
                limit,
            )
            % {"limit": limit, "held": held}
        )

    @property
    def for_organizer(self) -> str:
        sentence = ngettext(
            "Each person may hold %(limit)s seat of this event; this person holds %(held)s already.",
            "Each person may hold up to %(limit)s seats of this event; this person holds %(held)s already.",
            self.limit,
        )
        return sentence % {"limit": self.limit, "held": self.held}


class NotEnoughSeats(BookingRefused):
    """The party does not fit, or may not pass those who wait.

    `free`: how many seats the asker could have right now; `waitlist`: whether waiting is on offer.
    """

    def __init__(self, *, asked, free, waitlist):
        self.asked, self.free, self.waitlist = asked, free, waitlist
        if free:
            sentence = ngettext(
                "There is only %(free)s seat left that you could book now.",
                "There are only %(free)s seats left that you could book now.",
                free,
            )
        else:
            sentence = _("There is no seat left that you could book now.")
        super().__init__(sentence % {"free": free})

    @property
    def for_organizer(self) -> str:
        if not self.free:
            return _("There is no seat left that could be booked now.")
        sentence = ngettext(
            "There is only %(free)s seat left that could be booked now.",
            "There are only %(free)s seats left that could be booked now.",
            self.free,
        )
        return sentence % {"free": self.free}


class SeatsTaken(BookingRefused):
    def __init__(self, seat_nos):
        self.seat_nos = sorted(seat_nos)
        super().__init__(
            ngettext(
                "One of the seats you chose has just been taken.",
                "Some of the seats you chose have just been taken.",
                len(self.seat_nos),
            )
        )

    @property
    def for_organizer(self) -> str:
        return ngettext(
            "One of the seats chosen has just been taken.",
            "Some of the seats chosen have just been taken.",
            len(self.seat_nos),
        )


class OthersAreWaiting(BookingRefused):
    """Named seats are free, but people in line have a claim to them first."""

    def __init__(self, *, waitlist):
        self.waitlist = waitlist
        super().__init__(_("People are waiting in line for seats of this event, so none can be picked now."))


class KeyUsedDifferently(BookingRefused):
    def __init__(self, booking):
        self.booking = booking
        super().__init__(
            _("This form was already sent with other choices. Open the event again to book more.")
        )


class OutOfDate(BookingRefused):
    """The booking has changed since the page was made; `booking` is as it is now."""

    def __init__(self, booking):
        self.booking = booking
        super().__init__(_("Your booking has changed since this page was opened. This is how it is now."))

    @property
    def for_organizer(self) -> str:
        return _("The booking has changed since this page was opened. This is how it is now.")


class AlreadyCancelled(BookingRefused):
    def __init__(self, booking):
        self.booking = booking
        super().__init__(_("This booking is cancelled."))


class NotWaiting(BookingRefused):
    def __init__(self, booking):
        self.booking = booking
        super().__init__(_("This booking is not waiting, so it cannot be promoted."))


class ReasonMissing(BookingRefused):
    def __init__(self):
        super().__init__(_("Give a reason: the people concerned will read it."))


class NoCapacity(BookingRefused):
    def __init__(self):
        super().__init__(_("An event has at least one seat. To end it, cancel it."))


class CapacityTaken(BookingRefused):
    """Capacity cannot go below what is booked.

    `booked`: seats booked; `highest`: the highest booked seat; `movable`: whether moving the people above
    the new capacity to free seats below it would do.
    """

    def __init__(self, *, booked, highest, movable):
        self.booked, self.highest, self.movable = booked, highest, movable
        if movable:
            sentence = _("Seat %(highest)s is booked. The people above can be moved to free seats, and told.")
        else:
            sentence = _("%(booked)s seats are booked; there cannot be fewer.")
        super().__init__(sentence % {"booked": booked, "highest": highest})


class PlanTooSmall(BookingRefused):
    def __init__(self, seats):
        self.seats = seats
        super().__init__(_("The seating plan has %(n)s seats; there cannot be more.") % {"n": seats})


class PlanUnreadable(BookingRefused):
    """The plan of the house is none; `because` says where and why."""

    def __init__(self, because):
        self.because = because
        super().__init__(because)


class PlanLeavesSeatsOut(BookingRefused):
    """`plan`: seats of the new plan; `on_sale`: seats of the event."""

    def __init__(self, *, plan, on_sale):
        self.plan, self.on_sale = plan, on_sale
        sentence = _(
            "This plan has %(plan)s seats, and %(on_sale)s are on sale. Lower the number of seats first."
        )
        super().__init__(sentence % {"plan": plan, "on_sale": on_sale})


class BookedSeatRenamed(BookingRefused):
    """Somebody was told another place: `was`; in the new plan it is `becomes`."""

    def __init__(self, *, was, becomes):
        self.was, self.becomes = was, becomes
        sentence = _(
            "The place “%(was)s” is booked and would become “%(becomes)s”. Booked seats keep their place: "
            "add rows at the end, or move those people first."
        )
        super().__init__(sentence % {"was": was, "becomes": becomes})


class TimesDoNotFit(BookingRefused):
    def __init__(self):
        super().__init__(_("The event must end after it starts."))


class NoSuchTime(BookingRefused):
    """`first_year` and `last_year`: between which an event can lie."""

    def __init__(self, *, first_year, last_year):
        self.first_year, self.last_year = first_year, last_year
        sentence = _("The event must lie between the years %(first)s and %(last)s.")
        super().__init__(sentence % {"first": first_year, "last": last_year})


class StartsInThePast(BookingRefused):
    def __init__(self):
        super().__init__(_("That start has passed already. Choose one that is still to come."))


class ClosesBeforeItOpens(BookingRefused):
    def __init__(self, opens_at):
        self.opens_at = opens_at
        super().__init__(_("At that time booking would close before it opens."))
