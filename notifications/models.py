"""What is owed to people: the transactional outbox and, read by its person, the inbox; and who does not want
which of it by mail.

State and moment agree by constraint: who says `sent`, `delivered` or `failed` says when. The arrows from
one state to another are in `states`. `lease_until` says that somebody has the row in hand until then: the
relay one that is pending, the sender one that is sent.
"""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from orgs.models.fields import Dated, Identified

_OF_A_BOOKING = ("booking_version", "waits")  # what a payload says of the booking itself


class NotificationQuerySet(models.QuerySet):
    def inbox_of(self, user_id):
        return self.filter(user_id=user_id).order_by("-created_at", "-id")

    def unread(self):
        return self.filter(read_at=None)

    def standing(self, *, at):
        """Still to be told, and in nobody's hand."""
        return self.filter(Q(lease_until=None) | Q(lease_until__lt=at), status=Notification.Status.PENDING)

    def lock(self):
        """Without those that somebody is taking just now: they are not waited for."""
        return self.order_by("pk").select_for_update(no_key=True, of=("self",), skip_locked=True)


class Notification(Identified, Dated):
    class Type(models.TextChoices):
        BOOKING_CONFIRMED = "booking_confirmed", _("Booking confirmed")
        BOOKING_WAITLISTED = "booking_waitlisted", _("On the waitlist")
        BOOKING_CANCELLED = "booking_cancelled", _("Booking cancelled")
        WAITLIST_PROMOTED = "waitlist_promoted", _("Promoted from the waitlist")
        EVENT_UPDATED = "event_updated", _("Event changed")
        EVENT_CANCELLED = "event_cancelled", _("Event cancelled")
        EVENT_REMINDER = "event_reminder", _("Reminder")

    class Status(models.TextChoices):
        PENDING = "pending", _("pending")
        SENT = "sent", _("sent")
        DELIVERED = "delivered", _("delivered")
        FAILED = "failed", _("failed")

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.DO_NOTHING,
        related_name="notifications",
        db_constraint=False,
        db_index=False,
    )
    type = models.CharField(_("type"), max_length=40, choices=Type)
    status = models.CharField(
        _("status"), max_length=20, choices=Status, default=Status.PENDING, db_default=Status.PENDING
    )
    payload = models.JSONField(default=dict, db_default=models.Value({}, models.JSONField()))
    due_at = models.DateTimeField(db_default=Now())
    lease_until = models.DateTimeField(null=True)
    attempts = models.SmallIntegerField(default=0, db_default=0)
    last_error = models.TextField(null=True)
    sent_at = models.DateTimeField(null=True)
    delivered_at = models.DateTimeField(null=True)
    failed_at = models.DateTimeField(null=True)
    read_at = models.DateTimeField(null=True)
    dedupe_key = models.CharField(max_length=200, null=True)
    org_id = models.UUIDField(null=True)
    event_id = models.UUIDField(null=True)
    booking_id = models.UUIDField(null=True)
    superseded_by = models.UUIDField(null=True)
    in_bulk = models.BooleanField(
        default=False,
        db_default=False,
        help_text=_(
            "One of many that a change of the event owes: it lets pass who is told of their own doing."
        ),
    )

    objects = NotificationQuerySet.as_manager()

    class Meta:
        db_table = "notifications"
        db_table_comment = (
            "The outbox: one row for each thing a person is to be told, written with the change it tells of "
            "and kept until it is delivered or has failed; the person's inbox too."
        )
        verbose_name = _("notification")
        verbose_name_plural = _("notifications")
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    type__in=[
                        "booking_confirmed",
                        "booking_waitlisted",
                        "booking_cancelled",
                        "waitlist_promoted",
                        "event_updated",
                        "event_cancelled",
                        "event_reminder",
                    ]
                ),
                name="notification_type_is_known",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["pending", "sent", "failed", "delivered"]),
                name="notification_status_is_known",
            ),
            models.CheckConstraint(
                condition=~Q(status="sent") | Q(sent_at__isnull=False), name="sent_notifications_say_when"
            ),
            models.CheckConstraint(
                condition=Q(status="delivered", delivered_at__isnull=False)
                | (~Q(status="delivered") & Q(delivered_at__isnull=True)),
                name="delivered_notifications_alone_say_when",
            ),
            models.CheckConstraint(
                condition=Q(status="failed", failed_at__isnull=False)
                | (~Q(status="failed") & Q(failed_at__isnull=True)),
                name="failed_notifications_alone_say_when",
            ),
            models.CheckConstraint(
                condition=Q(lease_until__isnull=True) | Q(status__in=["pending", "sent"]),
                name="only_notifications_under_way_are_leased",
            ),
            models.CheckConstraint(
                condition=Q(superseded_by__isnull=True) | Q(status="delivered"),
                name="superseded_notifications_are_done",
            ),
            models.UniqueConstraint(fields=["dedupe_key"], name="nobody_is_told_the_same_thing_twice"),
        ]
        indexes = [
            models.Index(
                fields=["in_bulk", "due_at", "id"],
                condition=Q(status="pending"),
                name="idx_notifications_pending",
            ),
            models.Index(fields=["user", "-created_at", "-id"], name="idx_notifications_inbox"),
            models.Index(fields=["user"], condition=Q(read_at=None), name="idx_notifications_unread"),
            models.Index(fields=["sent_at"], condition=Q(status="sent"), name="idx_notifications_sent"),
            models.Index(fields=["failed_at"], condition=Q(status="failed"), name="idx_notifications_failed"),
            models.Index(
                fields=["delivered_at"],
                condition=Q(status="delivered", read_at__isnull=False),
                name="idx_notifications_done_with",
            ),
            models.Index(fields=["event_id", "user"], name="idx_notifications_event_user"),
            models.Index(fields=["org_id", "id"], name="idx_notifications_org_id"),
            models.Index(
                fields=["booking_id"],
                condition=Q(booking_id__isnull=False),
                name="idx_notifications_booking_id",
            ),
        ]

    def __str__(self):
        return self.get_type_display()

    def bookings(self) -> list[dict]:
        """Each booking that it speaks of, as it was then: `booking_id`, `booking_version`, and `waits`. News
        of an event speaks of all that its person had (`others`)."""
        first = {name: self.payload[name] for name in _OF_A_BOOKING if name in self.payload}
        return [{"booking_id": str(self.booking_id), **first}, *self.payload.get("others", [])]

    def speak_of(self, bookings: list[dict]) -> None:
        first, *others = bookings
        of_it = {name: first[name] for name in _OF_A_BOOKING if name in first}
        left_out = {*_OF_A_BOOKING, "others"}
        if first.get("waits"):  # those with seats come first, and the link to join is theirs alone
            left_out.add("online_url")
        rest = {name: fact for name, fact in self.payload.items() if name not in left_out}
        self.booking_id = first["booking_id"]
        self.payload = rest | of_it | ({"others": others} if others else {})


class Preference(Identified, Dated):
    """What a person chose for messages of one type: by mail and in the inbox, or in the inbox alone.

    Without a row a message goes by mail. People choose for what does not concern a seat of theirs; that
    somebody's mail is kept back altogether (`EVERYTHING`: the invented guests of the demo) is no choice of
    people, and no form offers it.
    """

    EVERYTHING = "everything"
    OPTIONAL = (Notification.Type.EVENT_REMINDER,)

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.DO_NOTHING,
        related_name="notification_preferences",
        db_constraint=False,
        db_index=False,
    )
    type = models.CharField(_("type"), max_length=40)
    by_mail = models.BooleanField(_("by mail"))

    class Meta:
        db_table = "notification_preferences"
        db_table_comment = "What people chose: which messages come by mail, and which stay in the inbox."
        verbose_name = _("notification preference")
        verbose_name_plural = _("notification preferences")
        constraints = [
            models.CheckConstraint(
                condition=Q(type__in=["event_reminder", "everything"]),
                name="booking_mail_cannot_be_turned_off",
            ),
            models.UniqueConstraint(fields=["user", "type"], name="a_person_chooses_once_for_each_type"),
        ]

    def __str__(self):
        return self.type
