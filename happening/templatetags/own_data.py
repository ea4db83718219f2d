"""What is held about a person, in words for the page; the file has the plain names."""

import json
from collections.abc import Iterator

from django import template
from django.utils.dateparse import parse_datetime
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

register = template.Library()

TITLES = {
    "account": gettext_lazy("You"),
    "addresses": gettext_lazy("Email addresses"),
    "second_steps": gettext_lazy("Second steps at sign-in"),
    "sessions": gettext_lazy("Where you are signed in"),
    "memberships": gettext_lazy("Organizations"),
    "membership_history": gettext_lazy("What happened to your memberships"),
    "invites": gettext_lazy("Invites"),
    "bookings": gettext_lazy("Bookings"),
    "booking_history": gettext_lazy("What happened to your bookings"),
    "messages": gettext_lazy("Messages"),
    "preferences": gettext_lazy("How you like to be told"),
    "account_mails": gettext_lazy("Mails about your account"),
    "changes_as_staff": gettext_lazy("What you changed as staff"),
}


@register.filter
def in_words(held: dict) -> Iterator[tuple[str, list]]:
    """Title and rows of each part, a row being names and values."""
    for name, title in TITLES.items():
        rows = held[name] if isinstance(held[name], list) else [held[name]]
        yield title, [[(_label(key), _value(key, value)) for key, value in row.items()] for row in rows]


def _label(key: str) -> str:
    return key.removesuffix("_at").replace("_", " ").capitalize()


def _value(key: str, value: object) -> str:
    if value in (None, "", [], {}):
        return "–"
    if value is True or value is False:
        return _("yes") if value else _("no")
    if isinstance(value, str) and (key.endswith("_at") or key in ("at", "since")):
        return date_format(parse_datetime(value), "j F Y, H:i e")
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
