"""Parts of pages that depend on an event's own words, or on nothing: made once, then kept by this process.

    {% kept "about" event %} ... {% fresh %} {{ counted }} {% endfresh %} ... {% endkept %}

What is kept is found by everything that it may depend on: the language, the values named, and of an event
the facts that people change, not the numbers that bookings change. So nothing kept can be out of date, and
nothing has to be told when something changes. Inside stands only what depends on what is named, but for
what stands in `fresh`: that is made anew each time, and knows what is known where `kept` begins.
"""

import re
from collections import OrderedDict

from django import template
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language

from events.models import Event

register = template.Library()
MOST = 1_000

_parts: OrderedDict[tuple, list[str]] = OrderedDict()
_GAP = re.compile("\0([0-9]+)\0")  # no text of a page holds a NUL: PostgreSQL takes none


@register.tag
def kept(parser, token):
    _tag, name, *values = token.split_contents()
    inside = parser.parse(("endkept",))
    parser.delete_first_token()
    return Kept(name, [parser.compile_filter(value) for value in values], inside)


@register.tag
def fresh(parser, token):
    inside = parser.parse(("endfresh",))
    parser.delete_first_token()
    return Fresh(inside)


class Kept(template.Node):
    child_nodelists = ()  # no page extends what stands inside, so looking for its blocks can stop here

    def __init__(self, name: str, values: list, nodelist):
        self.name, self.values, self.nodelist = name, values, nodelist
        self.fresh = nodelist.get_nodes_by_type(Fresh)
        for number, node in enumerate(self.fresh):
            node.gap = f"\0{number}\0"
        if nodelist.get_nodes_by_type(Kept):
            raise template.TemplateSyntaxError("What is kept is kept as a whole: no kept inside of kept.")

    def render(self, context) -> SafeString:
        named = [value.resolve(context) for value in self.values]
        depends_on = [_words(each) if isinstance(each, Event) else each for each in named]
        key = (self.name, get_language(), *depends_on)
        pieces = _parts.get(key)
        if pieces is None:
            pieces = _parts[key] = _GAP.split(self.nodelist.render(context))
            while len(_parts) > MOST:
                _parts.popitem(last=False)
        if len(pieces) == 1:
            return mark_safe(pieces[0])  # noqa: S308 - rendered by this engine, as is what follows
        pieces = pieces.copy()
        for place in range(1, len(pieces), 2):
            pieces[place] = self.fresh[int(pieces[place])].nodelist.render(context)
        return mark_safe("".join(pieces))  # noqa: S308


class Fresh(template.Node):
    """A gap in what is kept, filled by `Kept`."""

    gap = ""

    def __init__(self, nodelist):
        self.nodelist = nodelist

    def render(self, context) -> str:
        return self.gap


def _words(event: Event) -> tuple:
    by = (event.org.name, event.org.slug) if event.org else ()
    return (
        *(event.pk, event.org_id, *by, event.title, event.description, event.category, event.place),
        *(event.event_date, event.ends_at, event.time_zone, event.status, event.visibility),
        event.is_published,
        *(event.booking_opens_at, event.booking_closes_at, event.waitlist, event.queue_rule),
    )
