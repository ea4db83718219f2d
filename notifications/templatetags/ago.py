"""How long ago something was, as one would say it: in one unit, and "just now" while it is fresh."""

from datetime import datetime

from django import template
from django.utils.timesince import timesince
from django.utils.timezone import now
from django.utils.translation import gettext as _

register = template.Library()
FRESH = 60  # seconds


@register.filter
def ago(moment: datetime) -> str:
    """3 hours ago"""
    if (now() - moment).total_seconds() < FRESH:
        return _("just now")
    return _("%(time)s ago") % {"time": timesince(moment, depth=1)}
