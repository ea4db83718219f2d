"""Pages, and parts of pages, that depend on an event's own words or on nothing: made once, then kept by this
process, with gaps for what is not the same each time.

What is kept is found by everything that it may depend on: the language, the values named, and of an event
the facts that people change, not the numbers that bookings change. So nothing kept can be out of date, and
nothing has to be told when something changes. In a gap (`{% fresh %}`) stands what differs from person to
person or from moment to moment: it is made anew each time, and knows what is known where the page, or the
part, begins.

A page kept by mistake for somebody else would be the worst of faults, so with PROVEN, as in the tests, each
page and part is made anew as well, and has to come out the same.
"""

import itertools
import re
from collections import OrderedDict
from collections.abc import Callable, Hashable

from django.http import HttpRequest, HttpResponse
from django.template import Context, Node, TemplateSyntaxError
from django.template.context import make_context
from django.template.loader import get_template
from django.template.loader_tags import BlockNode
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language

from events.models import Event
from orgs.look import look

MOST = 1_000
PROVEN = False
_kept: OrderedDict[tuple, list["str | Fresh"]] = OrderedDict()
_GAP = re.compile("\0([0-9]+)\0")  # no text of a page holds a NUL: PostgreSQL takes none
_TOKEN = re.compile('(?<=name="csrfmiddlewaretoken" value=")[^"]*')  # another each time, and as good


class NotTheSame(AssertionError):
    """What was kept is not what would be made now."""


class Fresh(Node):
    """A gap in what is kept; anywhere else, what stands inside."""

    # Not weak: of two threads that read a template at once, one has a copy that goes once it was rendered.
    _all: "dict[int, Fresh]" = {}
    _numbers = itertools.count(1)

    def __init__(self, nodelist):
        if nodelist.get_nodes_by_type(BlockNode):
            raise TemplateSyntaxError(
                "A gap has no blocks: when it is filled, nobody knows what extends them."
            )
        self.nodelist = nodelist
        number = next(Fresh._numbers)
        self.gap = f"\0{number}\0"
        Fresh._all[number] = self

    def render(self, context) -> str:
        return self.gap if leaves_gaps(context) else self.nodelist.render(context)

    @staticmethod
    def pieces(text: str) -> list["str | Fresh"]:
        """The text between the gaps, and the gaps."""
        pieces = _GAP.split(text)
        pieces[1::2] = [Fresh._all[int(number)] for number in pieces[1::2]]
        return pieces


def page(request: HttpRequest, name: str, facts: dict, *, depends_on: tuple, status=200) -> HttpResponse:
    """The page, as `render` would make it.

    Args:
        name: of the template.
        depends_on: all that it depends on outside of its gaps, an `Event` for its words; the language, the
            host and its look are known.
    """
    template, context = get_template(name).template, make_context(facts, request)
    of = (template, request.scheme, request.get_host(), *look(request).values())
    with context.render_context.push_state(template), context.bind_template(template):
        context.template_name = name
        text = keep(of, depends_on, context, lambda: template.render(context))
    return HttpResponse(text, status=status)


def keep(
    of: Hashable, depends_on: tuple | list, context: Context, make: Callable[[], SafeString]
) -> SafeString:
    """What `make` renders in this context, from what is kept where it can be; `of` says what that is."""
    key = (of, get_language(), *(_words(each) if isinstance(each, Event) else each for each in depends_on))
    pieces = _kept.get(key)
    if pieces is None:
        pieces = _kept[key] = Fresh.pieces(_with_gaps(context, make))
        while len(_kept) > MOST:
            _kept.popitem(last=False)
    if leaves_gaps(context):  # it is part of a page that is made with gaps itself
        return mark_safe("".join([each if isinstance(each, str) else each.gap for each in pieces]))  # noqa: S308
    text = "".join([each if isinstance(each, str) else each.nodelist.render(context) for each in pieces])
    if PROVEN:
        _prove(of, text, make())
    return mark_safe(text)  # noqa: S308 - rendered by this engine, all of it


def leaves_gaps(context: Context) -> bool:
    return getattr(context, "leaves_gaps", False)


def _with_gaps(context: Context, make: Callable[[], SafeString]) -> SafeString:
    before, context.leaves_gaps = leaves_gaps(context), True
    try:
        return make()
    finally:
        context.leaves_gaps = before


def _prove(of: Hashable, kept: str, made: str) -> None:
    if _TOKEN.sub("", kept) != _TOKEN.sub("", made):
        raise NotTheSame(f"{of}:\n--- kept\n{kept}\n--- made\n{made}")


def _words(event: Event) -> tuple:
    """What people say of an event."""
    by = (event.org.name, event.org.slug) if event.org else ()
    return (
        *(event.pk, event.org_id, *by, event.title, event.description, event.category, event.place),
        *(event.event_date, event.ends_at, event.time_zone, event.status, event.visibility),
        event.is_published,
        *(event.booking_opens_at, event.booking_closes_at, event.waitlist, event.queue_rule),
    )
