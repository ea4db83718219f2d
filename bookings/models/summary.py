"""Numbers for dashboards: kept by triggers per event, read through the two views of the schema."""

from django.db import models

from events.models import Event
from orgs.models import User


class EventTotals(models.Model):
    """Kept by a trigger on `bookings` under the event's lock, so that no page ever counts bookings."""

    event = models.OneToOneField(
        Event, models.DO_NOTHING, primary_key=True, related_name="totals", db_constraint=False
    )
    confirmed_bookings = models.IntegerField(default=0, db_default=0)
    waiting_bookings = models.IntegerField(default=0, db_default=0)
    cancelled_bookings = models.IntegerField(default=0, db_default=0)
    waiting_seats = models.IntegerField(default=0, db_default=0)

    class Meta:
        db_table = "event_totals"
        db_table_comment = "Derived: how many bookings of each kind an event has."


class EventBookingSummary(models.Model):
    event = models.OneToOneField(Event, models.DO_NOTHING, primary_key=True, related_name="summary")
    org_id = models.UUIDField(null=True)
    total_slots = models.IntegerField()
    available_slots = models.IntegerField()
    booked_seats = models.IntegerField()
    confirmed_bookings = models.IntegerField()
    waiting_bookings = models.IntegerField()
    cancelled_bookings = models.IntegerField()
    waiting_seats = models.IntegerField()

    class Meta:
        managed = False
        db_table = "event_booking_summary"


class UserBookingSummary(models.Model):
    user = models.OneToOneField(User, models.DO_NOTHING, primary_key=True, related_name="booking_summary")
    confirmed_bookings = models.IntegerField()
    waiting_bookings = models.IntegerField()
    cancelled_bookings = models.IntegerField()
    booked_seats = models.IntegerField()
    waiting_seats = models.IntegerField()

    class Meta:
        managed = False
        db_table = "user_booking_summary"
