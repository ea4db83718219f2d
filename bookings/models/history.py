from datetime import timedelta

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from orgs.models.fields import Identified


class BookingHistoryQuerySet(models.QuerySet):
    def of_booking(self, booking_id):
        """In the order in which they were written: `created_at` is when somebody asked, and whoever asked
        first may have had the event's lock second."""
        return self.filter(booking_id=booking_id).order_by("id")

    def passing(self, *, event_id, number, since):
        """Whoever stood behind `number` in an event's line and was confirmed before it, newest first.

        `stood_at` is kept in the row of everybody who was confirmed while others waited. Numbers are given
        out under the event's lock, so they alone decide; `since` only bounds what is read, with room for
        who asked before and had the lock after.
        """
        return self.filter(
            event_id=event_id,
            created_at__gte=since - timedelta(minutes=1),
            details__has_key="stood_at",
            details__stood_at__gt=number,
        ).order_by("-created_at", "-id")


class BookingHistory(Identified):
    """What was done to bookings, in order, for good.

    The rows outlive what they tell of, so they hold plain values and no foreign keys; triggers refuse to
    change or delete them. `details` holds facts, never a name or an address.
    """

    class Action(models.TextChoices):
        CREATED = "created", _("created")
        CANCELLED = "cancelled", _("cancelled")
        PROMOTED = "promoted", _("promoted")
        MODIFIED = "modified", _("modified")

    booking_id = models.UUIDField()
    action = models.CharField(_("action"), max_length=20, choices=Action)
    details = models.JSONField(default=dict, db_default=models.Value({}, models.JSONField()))
    created_at = models.DateTimeField(db_default=Now())
    event_id = models.UUIDField(null=True)
    org_id = models.UUIDField(null=True)
    user_id = models.UUIDField(null=True)

    objects = BookingHistoryQuerySet.as_manager()

    class Meta:
        db_table = "booking_history"
        db_table_comment = "Append-only: what was done to each booking, for people, analysis and compliance."
        verbose_name = _("history entry")
        verbose_name_plural = _("history")
        constraints = [
            models.CheckConstraint(
                condition=Q(action__in=["created", "cancelled", "promoted", "modified"]),
                name="booking_history_action_is_known",
            ),
        ]
        indexes = [
            models.Index(fields=["booking_id", "created_at", "id"], name="idx_booking_history_booking_id"),
            models.Index(fields=["event_id", "created_at"], name="idx_booking_history_event_id"),
            models.Index(
                fields=["event_id", "created_at"],
                condition=Q(details__has_key="stood_at"),
                name="idx_booking_history_passing",
            ),
            models.Index(fields=["created_at"], name="idx_booking_history_created_at"),
            models.Index(fields=["org_id", "created_at", "id"], name="idx_booking_history_org_id"),
        ]

    def __str__(self):
        return self.get_action_display()
