from django.db import models
from django.db.models import F, Q, Value
from django.db.models.functions import Least

from events.models import Event


class FreeRun(models.Model):
    """Free seats side by side: numbers `first_seat` to `last_seat`, none booked, all in one block.

    Derived from `booking_seats` and the layout, kept under the event's lock, rebuilt whenever it is found
    wrong (`bookings.free_runs`). Keyed by the last seat, so that taking the lowest seats of a run changes
    no key; indexed by length up to a party's largest, so that a party of N asks at most 50 - N + 1 probes.
    """

    pk = models.CompositePrimaryKey("event_id", "last_seat")
    event = models.ForeignKey(Event, models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False)
    first_seat = models.IntegerField()
    last_seat = models.IntegerField()
    length = models.GeneratedField(
        expression=Least(F("last_seat") - F("first_seat") + 1, Value(50)),
        output_field=models.SmallIntegerField(),
        db_persist=True,
    )

    class Meta:
        db_table = "event_free_runs"
        db_table_comment = "Derived: the runs of free seats of each event, one row a run."
        constraints = [
            models.CheckConstraint(
                condition=Q(first_seat__gte=1, last_seat__gte=F("first_seat")),
                name="free_runs_begin_before_they_end",
            ),
        ]
        indexes = [models.Index(fields=["event", "length", "last_seat"], name="idx_event_free_runs_length")]

    def __str__(self):
        return f"{self.first_seat}–{self.last_seat}"
