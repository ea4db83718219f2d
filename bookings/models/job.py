from django.db import models
from django.db.models import Q

from events.models import Event
from orgs.models.fields import Dated, Identified


class EventJobQuerySet(models.QuerySet):
    def due(self, *, at):
        return self.filter(finished_at=None, due_at__lte=at).order_by("due_at")


class EventJob(Identified, Dated):
    """Work that an event still owes and that is done in pages, each its own transaction.

    `cursor` is the last booking dealt with: killed anywhere, the work goes on behind it. At most one open
    job of a kind and event.
    """

    class Kind(models.TextChoices):
        CANCEL_BOOKINGS = "cancel_bookings"
        CLOSE_WAITLIST = "close_waitlist"
        SETTLE_QUEUE = "settle_queue"
        TELL_OF_CHANGE = "tell_of_change"

    event = models.ForeignKey(
        Event, models.DO_NOTHING, related_name="jobs", db_constraint=False, db_index=False
    )
    kind = models.CharField(max_length=20, choices=Kind)
    details = models.JSONField(default=dict, db_default=models.Value({}, models.JSONField()))
    due_at = models.DateTimeField()
    cursor = models.UUIDField(null=True)
    finished_at = models.DateTimeField(null=True)

    objects = EventJobQuerySet.as_manager()

    class Meta:
        db_table = "event_jobs"
        db_table_comment = "Work owed by an event, done in pages: cancelling, telling, settling, closing."
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=["cancel_bookings", "close_waitlist", "settle_queue", "tell_of_change"]),
                name="event_job_kind_is_known",
            ),
            models.UniqueConstraint(
                fields=["event", "kind"], condition=Q(finished_at=None), name="an_event_owes_each_kind_once"
            ),
        ]
        indexes = [models.Index(fields=["due_at"], condition=Q(finished_at=None), name="idx_event_jobs_open")]

    def __str__(self):
        return f"{self.kind} {self.event_id}"
