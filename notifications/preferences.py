"""Who wants which messages by mail, and who in the inbox alone.

Mail about one's own seats cannot be turned off: what confirms, changes, moves or cancels a booking always
goes by mail. Reminders can: on a page, or from the mail itself by the address in its `List-Unsubscribe`
(RFC 8058), whose token is signed and names person and type, so that it works without signing in, for ever,
and for nothing else. The sender learns of it as it takes a message in hand (`taking`).
"""

from uuid import UUID

from django.conf import settings
from django.core import signing
from django.urls import reverse

from notifications.models import Preference

LONGEST_TOKEN = 300  # characters; a real one has about 140
_SALT = "notifications.unsubscribe"


class TokenUnreadable(Exception):
    """This is no address to unsubscribe at: it was cut, changed, or made for something else."""


def choose(*, user_id: UUID, by_mail: dict[str, bool]) -> None:
    """Keep what a person chose: for each type named, whether it is to come by mail too. Once more changes
    nothing."""
    Preference.objects.bulk_create(
        [Preference(user_id=user_id, type=kind, by_mail=wanted) for kind, wanted in by_mail.items()],
        update_conflicts=True,
        unique_fields=["user", "type"],
        update_fields=["by_mail"],
    )


def keep_to_inbox(*, user_id: UUID) -> None:
    """Send this person no mail at all: for people whom nobody can write to, like the demo's guests."""
    choose(user_id=user_id, by_mail={Preference.EVERYTHING: False})


def chosen(*, user_id: UUID) -> dict[str, bool]:
    """For each type that a person may turn off, whether it comes by mail."""
    rows = Preference.objects.filter(user_id=user_id, type__in=Preference.OPTIONAL)
    return dict.fromkeys(Preference.OPTIONAL, True) | dict(rows.values_list("type", "by_mail"))


def unsubscribe_url(user_id: UUID, kind: str) -> str:
    """The address for `List-Unsubscribe` of a mail of this type to this person: POST there turns it off."""
    token = signing.dumps([str(user_id), kind], salt=_SALT)
    return settings.SITE_URL.rstrip("/") + reverse("unsubscribe", args=[token])


def read_token(token: str) -> tuple[UUID, str]:
    """The person and the type that an address to unsubscribe at names.

    Raises:
        TokenUnreadable
    """
    if len(token) > LONGEST_TOKEN:
        raise TokenUnreadable
    try:
        user_id, kind = signing.loads(token, salt=_SALT)
    except signing.BadSignature as error:
        raise TokenUnreadable from error
    if kind not in Preference.OPTIONAL:
        raise TokenUnreadable
    return UUID(user_id), kind
