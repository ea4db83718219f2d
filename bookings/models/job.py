import json

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import Q

from events.models import Event
from orgs.models.fields import Dated, Identified


class EventJobQuerySet(models.QuerySet):
    def due(self, *, at):
        return self.filter(finished_at=None, due_at__lte=at).order_by("due_at")

    def lock(self):
        return self.select_for_update(no_key=True, of=("self",))

    def owe(self, event, kind, *, due_at, **details):
        """Note work for an event; where the same kind is open already, that one stands as it is."""
        job = EventJob(event=event, kind=kind, due_at=due_at, details=plain(details))
        self.bulk_create([job], ignore_conflicts=True)

    def owe_news(self, event, *, was, by, now, due_at):
        """Note that people are to be told how `event` differs from what it `was`.

        Changes that follow before they were told become one message with the first: when it is due, and
        what it says the event was, stay as the first change left them. Where some were told already, a new
        job tells everybody, with what the rest had not heard yet.
        """
        kind = EventJob.Kind.TELL_OF_CHANGE
        open_job = self.filter(event=event, kind=kind, finished_at=None)
        details = {"was": was, "by": by, "changed_at": now}
        for job in open_job.lock():
            details["was"] = {**plain(was), **job.details["was"]}
            if job.cursor is None:
                job.details = plain({**job.details, **details})
                job.save(update_fields=["details"])
                return
            details["some_were_told"] = True
        self.finish(event.pk, kind, now=now)
        self.owe(event, kind, due_at=due_at, **details)

    def finish(self, event_id, kind, *, now):
        """End what is open, however far it came."""
        self.filter(event_id=event_id, kind=kind, finished_at=None).update(finished_at=now)


class EventJob(Identified, Dated):
    """Work that an event still owes and that is done in pages, each its own transaction.

    `cursor` is the last booking dealt with: killed anywhere, the work goes on behind it. At most one open
    job of a kind and event.
    """

    TASK = "happening.run_event_jobs"

    class Kind(models.TextChoices):
        CANCEL_BOOKINGS = "cancel_bookings"
        SETTLE_QUEUE = "settle_queue"
        TELL_OF_CHANGE = "tell_of_change"
        REMIND = "remind"

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
        db_table_comment = "Work owed by an event, done in pages: cancelling, telling, settling, reminding."
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=["cancel_bookings", "settle_queue", "tell_of_change", "remind"]),
                name="event_job_kind_is_known",
            ),
            models.UniqueConstraint(
                fields=["event", "kind"], condition=Q(finished_at=None), name="an_event_owes_each_kind_once"
            ),
        ]
        indexes = [
            models.Index(fields=["due_at"], condition=Q(finished_at=None), name="idx_event_jobs_open"),
            models.Index(fields=["event"], name="idx_event_jobs_event_id"),
        ]

    def __str__(self):
        return f"{self.kind} {self.event_id}"

    def turn_page(self, page, *, last, now, told_date=None):
        """Note that the bookings of `page` are dealt with; `last`: that they were the last ones, and that by
        now everybody was told that `told_date` is the event's date."""
        if page:
            self.cursor = page[-1].pk
        if last:
            self.finished_at = now
            if told_date:
                self.details["told_date"] = plain(told_date)
        self.save(update_fields=["cursor", "details", "finished_at"])

    def counts_as_told(self, date):
        """Whether everybody was told by it that `date` is the event's, or is about to be. One that was ended
        before its last page, or found nothing to tell, has told nobody."""
        return not self.finished_at or self.details.get("told_date") == plain(date)


def plain(facts):
    """`facts` as JSON will give them back."""
    return json.loads(json.dumps(facts, cls=DjangoJSONEncoder))
