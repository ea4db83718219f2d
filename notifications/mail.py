"""A notification as a mail: text written by hand, the same words as HTML, and the entry for the calendar.

Subject and first words are the inbox's (`wording`); what a mail says beyond them stands in a template per
type, and both parts are made of it. Links are absolute, from SITE_URL: the sender knows no request. The
Message-ID is made of the row's id, so that a mail that goes twice can be known for the same.
"""

from functools import lru_cache
from html import escape
from urllib.parse import urlsplit

from django.conf import settings
from django.utils import translation
from django.utils.text import wrap
from django.utils.translation import gettext as _

from notifications import invite, preferences, wording
from notifications.blanks import Fact, render
from notifications.letter import Letter
from notifications.models import Notification, Preference
from notifications.taking import Taken
from notifications.wording import one_line

LONGEST_SUBJECT = 200
LINE = 78  # signs in a line of the text


def compose(taken: Taken) -> Letter:
    """The mail to the notification's person.

    Raises:
        Exception: whatever a payload that is not as it should be can cause.
    """
    with translation.override(settings.LANGUAGE_CODE):
        row = taken.notification
        told = wording.Message.of(row)
        facts = _facts(taken, told)
        wrapped = [_wrapped(paragraph) for paragraph in facts["paragraphs"]]
        letter = Letter(
            mark=row.pk.hex,
            subject=one_line(told.title)[:LONGEST_SUBJECT],
            body=render("notifications/mail/frame.txt", facts | {"paragraphs": wrapped}).strip() + "\n",
            to=[taken.email],
            headers=_headers(row, unsubscribe_url=facts["unsubscribe_url"]),
        )
        letter.attach_alternative(render("notifications/mail/frame.html", facts, write=escape), "text/html")
        for number, calendar in enumerate(invite.of(taken, told), start=1):
            kind = f"text/calendar; method={calendar.method}"
            if number == 1:
                letter.attach_alternative(calendar.text, kind)
            letter.attach("invite.ics" if number == 1 else f"invite-{number}.ics", calendar.text, kind)
        return letter


def site(path: str = "/") -> str:
    return settings.SITE_URL.rstrip("/") + path


def host() -> str:
    return urlsplit(settings.SITE_URL).hostname or "localhost"


def _facts(taken: Taken, told: wording.Message) -> dict[str, Fact]:
    row, payload = taken.notification, taken.notification.payload
    rows = [(_("Event"), one_line(payload.get("title", "")))]
    if payload.get("starts_at"):
        rows.append((_("When"), wording.when(payload)))
        if for_reader := wording.when_for(payload, zone_name=taken.profile.get("time_zone")):
            rows.append((_("For you"), for_reader))
    if payload.get("place"):
        rows.append((_("Where"), one_line(payload["place"])))
    if payload.get("seats"):
        rows.append((_("Seats"), wording.seats(payload)))
    name, organization = one_line(taken.name or ""), one_line(taken.organization or "")
    return {
        "title": told.title,
        "greeting": _("Hello %(name)s,") % {"name": name} if name else _("Hello,"),
        "paragraphs": _paragraphs(row, told),
        "rows": rows,
        "join_url": payload.get("online_url") or "",
        "url": site(told.url or "/"),
        "is_about_a_booking": bool(payload.get("booking_version") or invite.method_of(row)),
        "writer": _("%(organization)s, by way of Happening") % {"organization": organization}
        if organization
        else "Happening",
        "site": site(),
        "unsubscribe_url": _unsubscribe_url(row),
    }


def _paragraphs(row: Notification, told: wording.Message) -> list[str]:
    to_the_calendar = invite.method_of(row)
    words = render(
        f"notifications/mail/{row.type}.txt",
        {
            "text": told.text,
            "is_change": bool(row.payload.get("change")),
            "has_invite": to_the_calendar == invite.REQUEST,
            "withdraws_invite": to_the_calendar == invite.CANCEL,
        },
    )
    return [" ".join(part.split()) for part in words.split("\n\n") if part.strip()]


@lru_cache(maxsize=1_000)
def _wrapped(paragraph: str) -> str:
    return wrap(paragraph, LINE)


def _headers(row: Notification, *, unsubscribe_url: str) -> dict[str, str]:
    headers = {"Message-ID": f"<notification-{row.pk}@{host()}>", "Auto-Submitted": "auto-generated"}
    if unsubscribe_url:
        headers["List-Unsubscribe"] = f"<{unsubscribe_url}>"
        headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    return headers


def _unsubscribe_url(row: Notification) -> str:
    """Where this type may be turned off; nothing where it may not."""
    return preferences.unsubscribe_url(row.user_id, row.type) if row.type in Preference.OPTIONAL else ""
