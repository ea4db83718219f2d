"""Events: what is on, when, where, and how many seats it has.

The row of an event is the lock of everything that is booked on it. Triggers keep `available_slots`,
`is_bookable` and `version`; services keep capacity, times, status and the queue's counter. That is why
`save()` of an existing event writes the organizer's own words only (`Event.WORDS`).
"""

import json
from functools import cache, cached_property, partial
from uuid import UUID

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector
from django.db import connections, models, transaction
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from events import public_pages
from events.seating import Layout
from events.zones import zone_named
from orgs.models import Organization
from orgs.models.fields import Dated, Identified

SEARCHED = SearchVector("title", "description", "place", config="simple")


class EventQuerySet(models.QuerySet):
    def published(self):
        return self.exclude(published_at=None)

    def listed(self):
        """What anybody may find in a list."""
        return self.published().filter(
            visibility=Event.Visibility.PUBLIC, org__status=Organization.Status.ACTIVE
        )

    def shown_by(self, organization: Organization | None):
        """What the host of `organization` shows: its own events; on the platform's (None) everybody's."""
        return self if organization is None else self.filter(org_id=organization.pk)

    def going_ahead(self):
        return self.filter(status__in=[Event.Status.UPCOMING, Event.Status.ONGOING])

    def lock(self, event_id):
        """The event's row, locked until the transaction ends; `org_status` is read along with it.

        NO KEY leaves inserts of bookings by others unhindered by their foreign key (an insert takes
        KEY SHARE), so locking late cannot deadlock with them. The long description is left where it is.
        """
        sql, columns = _lock_statement()
        with connections[self.db].cursor() as cursor:
            cursor.execute(sql, [event_id])
            row = cursor.fetchone()
        if row is None:
            raise Event.DoesNotExist(f"There is no event {event_id}.")
        *values, org_status = row
        event = Event.from_db(self.db, columns, values)
        event.layout = json.loads(event.layout) if event.layout else None
        event.org_status = org_status
        return event


@cache
def _lock_statement() -> tuple[str, list[str]]:
    """The SQL of `lock` and the attributes that it fills. Put together once, because the ORM takes five times
    as long to do so as to read the answer, and every booking waits for it."""
    events = Event.objects.defer("description").annotate(org_status=F("org__status"))
    locked = events.select_for_update(no_key=True, of=("self",)).filter(pk=UUID(int=0))
    sql, _parameters = locked.query.sql_with_params()
    return sql, [field.attname for field in Event._meta.concrete_fields if field.name != "description"]


class Event(Identified, Dated):
    class Category(models.TextChoices):
        WEBINAR = "webinar", _("Webinar")
        CONCERT = "concert", _("Concert")
        HACKATHON = "hackathon", _("Hackathon")
        CONFERENCE = "conference", _("Conference")
        WORKSHOP = "workshop", _("Workshop")
        MEETUP = "meetup", _("Meetup")
        OTHER = "other", _("Other")

    class Status(models.TextChoices):
        UPCOMING = "upcoming", _("upcoming")
        ONGOING = "ongoing", _("ongoing")
        COMPLETED = "completed", _("completed")
        CANCELLED = "cancelled", _("cancelled")

    class Visibility(models.TextChoices):
        PUBLIC = "public", _("everybody")
        UNLISTED = "unlisted", _("whoever has the link")
        MEMBERS = "members", _("members of the organization")

    class QueueRule(models.TextChoices):
        STRICT = "strict", _("first in, first out")
        FILL = "fill", _("the first party that fits")

    org = models.ForeignKey(
        Organization,
        models.DO_NOTHING,
        null=True,
        related_name="events",
        db_constraint=False,
        db_index=False,
        verbose_name=_("organization"),
    )
    title = models.CharField(_("title"), max_length=200)
    description = models.TextField(_("description"), default="", db_default="", blank=True)
    category = models.CharField(_("category"), max_length=20, choices=Category, default=Category.OTHER)
    event_date = models.DateTimeField(_("starts"))
    ends_at = models.DateTimeField(_("ends"), null=True, blank=True)
    time_zone = models.CharField(_("time zone"), max_length=64, default="UTC", db_default="UTC")
    total_slots = models.IntegerField(_("seats"))
    available_slots = models.IntegerField(_("seats left"), default=0, db_default=0, editable=False)
    status = models.CharField(
        _("status"), max_length=20, choices=Status, default=Status.UPCOMING, db_default=Status.UPCOMING
    )

    published_at = models.DateTimeField(_("published"), null=True, blank=True)
    visibility = models.CharField(
        _("who may see it"),
        max_length=20,
        choices=Visibility,
        default=Visibility.PUBLIC,
        db_default=Visibility.PUBLIC,
    )
    booking_opens_at = models.DateTimeField(_("booking opens"), null=True, blank=True)
    booking_closes_at = models.DateTimeField(
        _("booking closes"), null=True, blank=True, help_text=_("Empty: when the event starts.")
    )
    place = models.CharField(_("place"), max_length=300, default="", db_default="", blank=True)
    online_url = models.URLField(
        _("link to join"),
        max_length=500,
        default="",
        db_default="",
        blank=True,
        help_text=_("Shown to people with a confirmed booking only."),
    )
    waitlist = models.BooleanField(_("has a waitlist"), default=True, db_default=True)
    queue_rule = models.CharField(
        _("queue rule"),
        max_length=10,
        choices=QueueRule,
        default=QueueRule.STRICT,
        db_default=QueueRule.STRICT,
    )
    max_seats_per_booking = models.SmallIntegerField(_("seats per booking"), default=50, db_default=50)
    max_seats_per_person = models.SmallIntegerField(_("seats per person"), default=50, db_default=50)
    layout = models.JSONField(_("seating plan"), null=True, blank=True)
    is_bookable = models.BooleanField(_("has seats"), default=True, db_default=True, editable=False)
    last_waiting_number = models.IntegerField(default=0, db_default=0, editable=False)
    sequence = models.IntegerField(
        default=0,
        db_default=0,
        editable=False,
        help_text=_("Counts changes of time and place, for calendars."),
    )
    version = models.BigIntegerField(default=1, db_default=1, editable=False)
    source_uid = models.CharField(max_length=300, null=True, blank=True, editable=False)
    cancellation_reason = models.CharField(max_length=500, default="", db_default="", editable=False)

    WORDS = ("title", "description", "category", "visibility")

    objects = EventQuerySet.as_manager()

    class Meta:
        db_table = "events"
        db_table_comment = (
            "What can be booked: when, where, how many seats, how many are left. Redis mirrors the count "
            "under event:<id>:slots."
        )
        verbose_name = _("event")
        verbose_name_plural = _("events")
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    category__in=[
                        "webinar",
                        "concert",
                        "hackathon",
                        "conference",
                        "workshop",
                        "meetup",
                        "other",
                    ]
                ),
                name="event_category_is_known",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["upcoming", "ongoing", "completed", "cancelled"]),
                name="event_status_is_known",
            ),
            models.CheckConstraint(
                condition=Q(visibility__in=["public", "unlisted", "members"]),
                name="event_visibility_is_known",
            ),
            models.CheckConstraint(
                condition=Q(queue_rule__in=["strict", "fill"]), name="event_queue_rule_is_known"
            ),
            models.CheckConstraint(condition=Q(title__regex=r"\S"), name="event_title_is_not_empty"),
            models.CheckConstraint(condition=Q(time_zone__regex=r"\S"), name="event_time_zone_is_not_empty"),
            models.CheckConstraint(condition=Q(total_slots__gt=0), name="event_has_at_least_one_seat"),
            models.CheckConstraint(
                condition=Q(available_slots__gte=0, available_slots__lte=F("total_slots")),
                name="available_slots_lie_between_none_and_all",
            ),
            models.CheckConstraint(
                condition=Q(ends_at__gt=F("event_date")), name="event_ends_after_it_starts"
            ),
            models.CheckConstraint(
                condition=Q(booking_closes_at__gt=F("booking_opens_at")), name="booking_closes_after_it_opens"
            ),
            models.CheckConstraint(
                condition=Q(max_seats_per_booking__gte=1, max_seats_per_booking__lte=50),
                name="a_booking_may_hold_1_to_50_seats",
            ),
            models.CheckConstraint(
                condition=Q(max_seats_per_person__gte=1), name="a_person_may_hold_at_least_one_seat"
            ),
            models.UniqueConstraint(fields=["org", "source_uid"], name="an_imported_event_stands_once"),
        ]
        indexes = [
            models.Index(fields=["event_date", "status"], name="idx_events_date_status"),
            models.Index(fields=["org", "event_date"], name="idx_events_org_id"),
            models.Index(
                fields=["event_date", "id"],
                condition=Q(published_at__isnull=False, visibility="public"),
                name="idx_events_listed",
            ),
            models.Index(
                fields=["category", "event_date", "id"],
                condition=Q(published_at__isnull=False, visibility="public"),
                name="idx_events_listed_by_category",
            ),
            models.Index(
                fields=["event_date", "id"],
                condition=Q(published_at__isnull=False, visibility="public", is_bookable=True),
                name="idx_events_listed_with_seats",
            ),
            models.Index(fields=["status", "event_date"], name="idx_events_status"),
            GinIndex(SEARCHED, name="idx_events_search"),
        ]

    def __str__(self):
        return self.title

    def save(self, *, update_fields=None, **kwargs):
        if not self._state.adding and update_fields is None:
            update_fields = self.WORDS
        super().save(update_fields=update_fields, **kwargs)
        transaction.on_commit(partial(public_pages.forget, self.pk, public_pages.LIST), robust=True)

    def is_shown_by(self, organization: Organization | None) -> bool:
        """Whether the host of `organization` shows this event to people; the platform's (None) shows all."""
        return organization is None or self.org_id == organization.pk

    @property
    def is_published(self) -> bool:
        return self.published_at is not None

    @property
    def is_cancelled(self) -> bool:
        return self.status == self.Status.CANCELLED

    @property
    def is_final(self) -> bool:
        return self.status in (self.Status.CANCELLED, self.Status.COMPLETED)

    @property
    def is_strict(self) -> bool:
        return self.queue_rule == self.QueueRule.STRICT

    @property
    def closes_at(self):
        """When booking, changing and the queue end: the moment set, else the start."""
        return self.booking_closes_at or self.event_date

    @cached_property
    def seating(self) -> Layout | None:
        return Layout.parse(self.layout) if self.layout else None

    @property
    def zone(self):
        return zone_named(self.time_zone)

    def local(self, moment):
        """`moment` on the clock of the event's place; in UTC where that clock would leave the calendar, so
        that one absurd date cannot take a list of events down."""
        try:
            return timezone.localtime(moment, self.zone)
        except OverflowError:
            return moment
