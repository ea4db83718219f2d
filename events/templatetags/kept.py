"""Parts of pages that depend on an event's own words, or on nothing: made once, then kept by this process.

    {% kept "about" event %} ... {% endkept %}

What is kept is found by everything that it may depend on: the language, the values named, and of an event
the facts that people change, not the numbers that bookings change. So nothing kept can be out of date, and
nothing has to be told when something changes. Inside stands only what depends on what is named.
"""

from collections import OrderedDict

from django import template
from django.utils.translation import get_language

from events.models import Event

register = template.Library()
MOST = 1_000

_parts: OrderedDict[tuple, str] = OrderedDict()


@register.tag
def kept(parser, token):
    _tag, name, *values = token.split_contents()
    inside = parser.parse(("endkept",))
    parser.delete_first_token()
    return Kept(name, [parser.compile_filter(value) for value in values], inside)


class Kept(template.Node):
    def __init__(self, name: str, values: list, nodelist):
        self.name, self.values, self.nodelist = name, values, nodelist

    def render(self, context) -> str:
        named = [value.resolve(context) for value in self.values]
        depends_on = [_words(each) if isinstance(each, Event) else each for each in named]
        key = (self.name, get_language(), *depends_on)
        made = _parts.get(key)
        if made is None:
            made = _parts[key] = self.nodelist.render(context)
            while len(_parts) > MOST:
                _parts.popitem(last=False)
        return made


def _words(event: Event) -> tuple:
    by = (event.org.name, event.org.slug) if event.org else ()
    return (
        *(event.pk, event.org_id, *by, event.title, event.description, event.category, event.place),
        *(event.event_date, event.ends_at, event.time_zone, event.status, event.visibility),
        *(event.booking_opens_at, event.booking_closes_at, event.waitlist, event.queue_rule),
    )
