from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from bookings.models.booking import Booking
from events.models import Event
from orgs.models.fields import Dated, Identified


class BookingSeatQuerySet(models.QuerySet):
    def booked(self):
        return self.filter(status=BookingSeat.Status.BOOKED)


class BookingSeat(Identified, Dated):
    """One seat of one booking. `idx_booking_seats_unique` is why no seat is ever sold twice."""

    class Status(models.TextChoices):
        BOOKED = "booked", _("booked")
        CANCELLED = "cancelled", _("cancelled")

    booking = models.ForeignKey(
        Booking, models.DO_NOTHING, related_name="booked_seats", db_constraint=False, db_index=False
    )
    event = models.ForeignKey(
        Event, models.DO_NOTHING, related_name="booked_seats", db_constraint=False, db_index=False
    )
    seat_no = models.IntegerField(_("seat"))
    status = models.CharField(
        _("status"), max_length=20, choices=Status, default=Status.BOOKED, db_default=Status.BOOKED
    )

    objects = BookingSeatQuerySet.as_manager()

    class Meta:
        db_table = "booking_seats"
        db_table_comment = "Which seats a booking holds or held; a seat of an event is booked at most once."
        verbose_name = _("seat")
        verbose_name_plural = _("seats")
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=["booked", "cancelled"]), name="booking_seat_status_is_known"
            ),
            models.CheckConstraint(condition=Q(seat_no__gte=1), name="seat_numbers_begin_at_1"),
            models.UniqueConstraint(
                fields=["event", "seat_no"], condition=Q(status="booked"), name="idx_booking_seats_unique"
            ),
        ]
        indexes = [
            models.Index(fields=["booking"], name="idx_booking_seats_booking_id"),
            models.Index(fields=["event"], name="idx_booking_seats_event_id"),
        ]

    def __str__(self):
        return f"{self.seat_no}"
