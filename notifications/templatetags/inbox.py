from django import template

from notifications import unread

register = template.Library()


@register.filter
def unread_count(person) -> int:
    """How many messages `person` has not read: one query on every page of somebody who is signed in, unless
    a query of the page has counted them already (`unread.counted`) and noted it as `person.unread`."""
    return unread.count(person.pk) if (counted := getattr(person, "unread", None)) is None else counted
