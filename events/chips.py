"""The filters that hold, as labels that can each be taken off again."""

from dataclasses import dataclass

from django.http import QueryDict
from django.utils import formats
from django.utils.translation import gettext as _

from events.forms import ListFilters
from events.models import Event


@dataclass(frozen=True)
class Chip:
    label: str
    query_without: str


def chips(filters: ListFilters, query: QueryDict) -> list[Chip]:
    return [Chip(_label(name, value), _without(query, name)) for name, value in filters.chosen.items()]


def _label(name: str, value) -> str:
    match name:
        case "q":
            return f"“{value}”"
        case "category":
            return str(Event.Category(value).label)
        case "from":
            return _("From %(day)s") % {"day": formats.date_format(value, "j F Y")}
        case "to":
            return _("Until %(day)s") % {"day": formats.date_format(value, "j F Y")}
        case "available":
            return _("With seats left")
        case _:
            return str(value)


def _without(query: QueryDict, name: str) -> str:
    rest = query.copy()
    rest.pop(name, None)
    return rest.urlencode()
