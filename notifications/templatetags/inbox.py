from django import template

from notifications import unread

register = template.Library()


@register.filter
def unread_count(person) -> int:
    """How many messages `person` has not read: one query, on every page of somebody who is signed in."""
    return unread.count(person.pk)
