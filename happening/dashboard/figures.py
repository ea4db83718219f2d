"""The numbers of the dashboard, each one query over an index. Nothing here counts bookings one by one:
events come from `event_booking_summary`, days from the history's own index of time."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import connection
from django.db.models import Count, Q
from django.db.models.functions import TruncDate

from bookings.models import BookingHistory, EventBookingSummary
from events.models import Event
from events.zones import zone_named
from notifications.models import Notification
from orgs.models import Organization

DAYS = 30
EVENTS_SHOWN = 8
DELIVERY_DAYS = 7


@dataclass(frozen=True)
class Totals:
    events: int
    seats: int
    booked: int
    waiting: int  # parties
    waiting_seats: int


@dataclass(frozen=True)
class Day:
    date: date
    booked: int
    cancelled: int


def zone_of(organization: Organization | None) -> ZoneInfo:
    """On whose clock days are counted: that of the organization's settings, else of its latest event; UTC
    where all organizations are looked at."""
    if organization is None:
        return zone_named("UTC")
    chosen = organization.settings.get("time_zone")
    events = Event.objects.filter(org=organization).order_by("-pk").values_list("time_zone", flat=True)
    return zone_named(chosen or events.first() or "UTC")


def totals(organization_id: UUID | None) -> Totals:
    """Over everything that is still to come or under way; of all organizations where none is named."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT count(*), coalesce(sum(summary.total_slots), 0), coalesce(sum(booked_seats), 0),
                   coalesce(sum(waiting_bookings), 0), coalesce(sum(waiting_seats), 0)
            FROM event_booking_summary AS summary JOIN events ON events.id = summary.event_id
            WHERE events.status IN ('upcoming', 'ongoing') AND events.published_at IS NOT NULL
              AND (%(org)s::uuid IS NULL OR events.org_id = %(org)s::uuid)
            """,
            {"org": organization_id},
        )
        return Totals(*cursor.fetchone())


def next_events(organization_id: UUID | None, *, now: datetime) -> list[EventBookingSummary]:
    """The next few events with what is booked and who waits."""
    summaries = EventBookingSummary.objects.select_related("event").filter(
        event__published_at__isnull=False,
        event__status__in=[Event.Status.UPCOMING, Event.Status.ONGOING],
        event__event_date__gte=now - timedelta(days=1),
    )
    if organization_id:
        summaries = summaries.filter(event__org=organization_id)
    return list(summaries.order_by("event__event_date", "event_id")[:EVENTS_SHOWN])


def by_day(organization_id: UUID | None, *, zone: ZoneInfo, now: datetime) -> list[Day]:
    """Bookings made and cancelled on each of the last days of `zone`, days without any included."""
    first = now.astimezone(zone).date() - timedelta(days=DAYS - 1)
    lines = BookingHistory.objects.filter(
        created_at__gte=datetime.combine(first, datetime.min.time(), tzinfo=zone),
        action__in=["created", "cancelled"],
    )
    if organization_id:
        lines = lines.filter(org_id=organization_id)
    counts = {
        (day, action): count
        for day, action, count in lines.annotate(day=TruncDate("created_at", tzinfo=zone))
        .values_list("day", "action")
        .annotate(count=Count("id"))
        .order_by()
    }
    days = [first + timedelta(days=number) for number in range(DAYS)]
    return [Day(day, counts.get((day, "created"), 0), counts.get((day, "cancelled"), 0)) for day in days]


def deliveries(organization_id: UUID | None, *, now: datetime) -> dict[str, int]:
    """How many messages of the last days are in each state, by the words of the outbox."""
    messages = Notification.objects.filter(created_at__gte=now - timedelta(days=DELIVERY_DAYS))
    if organization_id:
        messages = messages.filter(
            Q(event_id__in=Event.objects.filter(org=organization_id).values("pk")), org_id=organization_id
        )
    counts = dict(messages.values_list("status").annotate(Count("id")).order_by())
    return {status: counts.get(status, 0) for status in Notification.Status.values}
