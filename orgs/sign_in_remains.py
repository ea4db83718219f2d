"""What signing in leaves behind: sessions that have run out, and tokens too old to be used again."""

from datetime import datetime

from django.contrib.sessions.models import Session
from django.db.models import QuerySet

from orgs.models import SpentToken


def clear(*, now: datetime) -> dict[str, int]:
    """Forget them; returns how many of each."""
    return {name: rows.delete()[0] for name, rows in _remains(now=now).items()}


def count(*, now: datetime) -> dict[str, int]:
    """What `clear` would forget."""
    return {name: rows.count() for name, rows in _remains(now=now).items()}


def _remains(*, now: datetime) -> dict[str, QuerySet]:
    return {
        "sessions": Session.objects.filter(expire_date__lt=now),
        "tokens": SpentToken.objects.expired(at=now),
    }
