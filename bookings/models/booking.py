from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from bookings.models.history import BookingHistory
from events.models import Event
from orgs.models.fields import Dated, Identified


class BookingQuerySet(models.QuerySet):
    def confirmed(self):
        return self.filter(status=Booking.Status.CONFIRMED)

    def confirmed_by(self, moment):
        """Those that are confirmed, and have been since `moment` or before."""
        promoted_later = BookingHistory.objects.filter(
            booking_id=OuterRef("pk"), action=BookingHistory.Action.PROMOTED, created_at__gt=moment
        )
        return self.confirmed().filter(~Exists(promoted_later), created_at__lte=moment)

    def to_be_told(self):
        """With what a message about their event needs of them."""
        return self.only("pk", "event_id", "user_id", "status", "version")

    def waiting(self):
        return self.filter(status=Booking.Status.WAITING)

    def active(self):
        return self.filter(status__in=[Booking.Status.CONFIRMED, Booking.Status.WAITING])

    def held_by(self, user_id):
        return self.filter(user_id=user_id)

    def after(self, booking_id):
        """Those behind `booking_id` in the order of ids; all of them if it is None."""
        return self.filter(pk__gt=booking_id) if booking_id else self

    def lock(self):
        """These bookings' rows, locked in the one order in which anybody locks bookings: by id.

        The event's row is locked before (see `bookings.services`).
        """
        return self.select_for_update(no_key=True, of=("self",)).order_by("pk")


class Booking(Identified, Dated):
    """A person's request for N seats of an event, and what became of it: seats, a place in line, neither."""

    class Status(models.TextChoices):
        CONFIRMED = "confirmed", _("confirmed")
        WAITING = "waiting", _("waiting")
        CANCELLED = "cancelled", _("cancelled")

    event = models.ForeignKey(
        Event, models.DO_NOTHING, related_name="bookings", db_constraint=False, db_index=False
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.DO_NOTHING,
        related_name="bookings",
        db_constraint=False,
        db_index=False,
    )
    seats = models.SmallIntegerField(_("seats"))
    status = models.CharField(_("status"), max_length=20, choices=Status)
    waiting_number = models.IntegerField(_("waiting number"), null=True, blank=True)
    idempotency_key = models.UUIDField(null=True, editable=False)
    version = models.IntegerField(default=1, db_default=1, editable=False)

    objects = BookingQuerySet.as_manager()

    class Meta:
        db_table = "bookings"
        db_table_comment = (
            "A person's request for seats of an event: confirmed, waiting under a number, or cancelled."
        )
        verbose_name = _("booking")
        verbose_name_plural = _("bookings")
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=["confirmed", "waiting", "cancelled"]), name="booking_status_is_known"
            ),
            models.CheckConstraint(
                condition=Q(seats__gte=1, seats__lte=50), name="a_booking_has_1_to_50_seats"
            ),
            models.CheckConstraint(
                condition=Q(waiting_number__isnull=True) | Q(status="waiting"),
                name="only_waiting_bookings_have_a_number",
            ),
            models.CheckConstraint(
                condition=Q(waiting_number__isnull=False, waiting_number__gte=1) | ~Q(status="waiting"),
                name="waiting_bookings_have_a_number",
            ),
            models.UniqueConstraint(fields=["id", "event"], name="a_booking_has_one_event"),
            models.UniqueConstraint(fields=["event", "user", "idempotency_key"], name="a_form_books_once"),
            models.UniqueConstraint(
                fields=["event", "waiting_number"],
                condition=Q(status="waiting"),
                name="nobody_shares_a_waiting_number",
            ),
        ]
        indexes = [
            models.Index(fields=["event", "status", "id"], name="idx_bookings_event_id"),
            models.Index(fields=["user", "-created_at", "-id"], name="idx_bookings_user_id"),
            models.Index(
                fields=["event", "seats", "waiting_number"],
                condition=Q(status="waiting"),
                name="idx_bookings_waiting_parties",
            ),
        ]

    def __str__(self):
        seats = ngettext("%(n)s seat, %(state)s", "%(n)s seats, %(state)s", self.seats)
        return seats % {"n": self.seats, "state": self.get_status_display()}

    @property
    def is_confirmed(self) -> bool:
        return self.status == self.Status.CONFIRMED

    @property
    def is_waiting(self) -> bool:
        return self.status == self.Status.WAITING

    @property
    def is_cancelled(self) -> bool:
        return self.status == self.Status.CANCELLED
