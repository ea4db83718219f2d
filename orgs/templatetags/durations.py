from datetime import datetime, timedelta

from django import template

from orgs.durations import briefly as in_brief

register = template.Library()


@register.filter
def briefly(time: timedelta | float) -> str:
    return in_brief(time)


@register.filter
def until(begun: datetime, ended: datetime) -> timedelta:
    return ended - begun
