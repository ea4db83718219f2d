"""How an event's facts are said: times on the clock of its own place, with the place named."""

from datetime import UTC, datetime
from functools import lru_cache

from django import template
from django.contrib.humanize.templatetags.humanize import intcomma
from django.utils import formats
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from events.models import Event
from events.zones import zone_named

register = template.Library()
VARIANTS_OF_A_COVER = 6


@register.filter
def day(event: Event) -> str:
    """Friday, 12 June 2026"""
    return formats.date_format(event.local(event.event_date), "l, j F Y")


@register.filter
def clock(event: Event) -> str:
    """19:00–22:00, or 19:00 where the end is unknown or on another day."""
    starts = event.local(event.event_date)
    ends = event.local(event.ends_at) if event.ends_at else None
    if ends and ends.date() == starts.date():
        return f"{starts:%H:%M}–{ends:%H:%M}"
    return f"{starts:%H:%M}"


@register.filter
def last_day(event: Event) -> str:
    """Sunday, 14 June 2026, 18:00: the end, where it is not on the day of the start."""
    if not event.ends_at or event.local(event.ends_at).date() == event.local(event.event_date).date():
        return ""
    return moment(event.ends_at, event)


@register.filter
def moment(instant: datetime, event: Event) -> str:
    """Friday, 12 June 2026, 19:00: any instant on the clock of the event's place."""
    return formats.date_format(event.local(instant), "l, j F Y, H:i")


@register.filter
def short_moment(instant: datetime, event: Event) -> str:
    """12 Jun 2026, 19:00"""
    return formats.date_format(event.local(instant), "j M Y, H:i")


@register.filter
def zone_words(event: Event) -> str:
    """Berlin time; or UTC."""
    name = zone_named(event.time_zone).key
    if "/" not in name or name.startswith("Etc/"):
        return name.removeprefix("Etc/")
    return _("%(place)s time") % {"place": name.rsplit("/", 1)[1].replace("_", " ")}


@register.filter
def offset(event: Event) -> str:
    """UTC+02:00, on the day of the event."""
    written = event.local(event.event_date).strftime("%z")
    return "UTC" if written == "+0000" else f"UTC{written[:3]}:{written[3:5]}".replace("-", "−")


@register.filter
def iso(instant: datetime) -> str:
    """For `<time datetime>`."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@register.filter
def local_day(event: Event, form: str) -> str:
    """A piece of the date of the start, by a format of Django's `date`."""
    return formats.date_format(event.local(event.event_date), form)


@register.filter
def seats_left(event: Event) -> str:
    """1,234 seats left"""
    left = event.available_slots
    return ngettext("%(seats)s seat left", "%(seats)s seats left", left) % {"seats": _digits(left)}


@register.filter
def seats_left_of_all(event: Event) -> str:
    """1,234 of 2,000 seats left"""
    numbers = {"left": _digits(event.available_slots), "total": _digits(event.total_slots)}
    return _("%(left)s of %(total)s seats left") % numbers


@register.filter
def cover(event: Event) -> str:
    """The CSS classes of its cover: a hue for the category, one of a few patterns by its id."""
    return f"cover-{event.category} cover-{event.pk.int % VARIANTS_OF_A_COVER}"


def _digits(number: int) -> str:
    return _written(number, get_language())


@lru_cache(maxsize=10_000)
def _written(number: int, _language: str | None) -> str:
    return intcomma(number)
