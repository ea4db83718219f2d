"""Lists of tables that grow without end: what one looks at is a window of the newest rows, unless something
in the question leads to the rows by an index of its own.

Reading a filter's matches in a table of millions can mean reading all of it. Within the window every filter
and order is quick, whatever it asks; an event, or the people whom a search finds, lead to all of their rows.
The page says so below the list, so that nobody takes the window for everything.
"""

from typing import ClassVar

from django.contrib.admin.views.main import ORDER_VAR, ChangeList
from django.db.models import F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils.text import smart_split, unescape_string_literal

from orgs.admin_site.paging import CappedPaginator
from orgs.models import User

WINDOW = CappedPaginator.most  # rows
MOST_PEOPLE = 200  # whom a search may lead to; beyond that it is searched within the window


class LongList:
    """For a model admin whose list shows the newest rows first.

    newest_by: the column that rises with time, by which an index of the rows' tenant goes.
    person_path: the lookup that leads from a row to its person, whom a search names.
    led_by: filters that lead to their rows by an index.
    """

    newest_by: ClassVar[str] = "pk"
    person_path: ClassVar[str] = "user"
    led_by: ClassVar[tuple[str, ...]] = ("event",)

    def get_changelist(self, request, **kwargs):
        return WindowedList

    def seen_through(self, request, rows: QuerySet) -> QuerySet:
        """The same rows, asked for in a way that tells PostgreSQL how many they are."""
        return rows

    def get_search_results(self, request, queryset, search_term):
        """All of them: `WindowedList` searches, which knows how far."""
        return queryset, False


class WindowedList(ChangeList):
    """`is_windowed`: older rows were not looked at."""

    is_windowed = is_led = False

    def get_queryset(self, request, exclude_parameters=None):
        is_search = bool(self.query and self.search_fields)
        people = people_named(self.query) if is_search else None
        self.is_led = people is not None or any(self.params.get(name) for name in self.model_admin.led_by)
        if not self.is_led:
            key = self.model_admin.newest_by
            newest = (
                self.model_admin.seen_through(request, self.root_queryset)
                .order_by(f"-{key}")
                .values_list(key, flat=True)
            )
            if edge := list(newest[WINDOW - 1 : WINDOW]):
                self.is_windowed = True
                self.root_queryset = self.root_queryset.filter(**{f"{key}__gte": edge[0]})
        rows = super().get_queryset(request, exclude_parameters)
        if people is not None:
            return rows.filter(**{f"{self.model_admin.person_path}__in": people})
        return self._among_the_newest(rows) if is_search else rows

    def _among_the_newest(self, rows: QuerySet) -> QuerySet:
        """Those of them whose people the words fit. In three steps: PostgreSQL guesses that a word stands in
        few names, and in one it would begin with everybody who has it, and go through all that is theirs."""
        newest = rows.order_by(f"-{self.model_admin.newest_by}")[:WINDOW]
        people = dict(newest.values_list("pk", self._person()))
        fitting = set(named(self.query).filter(pk__in=set(people.values())).values_list("pk", flat=True))
        are_all = len(people) < WINDOW or (self.is_windowed and self.model_admin.newest_by == "pk")
        self.is_windowed = self.is_windowed or len(people) == WINDOW
        fit = {pk for pk, person in people.items() if person in fitting}
        if are_all and 2 * len(fit) > len(people):  # naming the fewer keeps PostgreSQL at the index
            return rows.exclude(pk__in=people.keys() - fit)
        return rows.filter(pk__in=fit)

    def _person(self) -> F | Subquery:
        """Whose a row is: what it is about is looked up for each of the few, never joined as a whole."""
        way, _, field = self.model_admin.person_path.rpartition("__")
        if not way:
            return F(field)
        about = self.opts.get_field(way).related_model.objects.filter(pk=OuterRef(f"{way}_id"))
        return Subquery(about.values(field))

    def get_ordering(self, request, queryset):
        """Of a tenant's few rows PostgreSQL must not hope to meet a page full soon by walking everybody's
        from the newest on: a key that no index knows makes it fetch those few and sort them."""
        ordering = super().get_ordering(request, queryset)
        if self.is_led or self.is_windowed or ORDER_VAR in self.params:
            return ordering
        key = self.model_admin.newest_by
        return [Coalesce(key, key).desc(), *ordering]


def people_named(words: str) -> list | None:
    """The ids of the people whom `words` name; None if that is nobody in particular."""
    ids = list(named(words).values_list("pk", flat=True)[: MOST_PEOPLE + 1])
    return ids if len(ids) <= MOST_PEOPLE else None


def named(words: str) -> QuerySet[User]:
    """The people in whose name or address each of the words stands."""
    people = User.objects.all()
    for word in smart_split(words):
        if word.startswith(('"', "'")) and word[0] == word[-1]:
            word = unescape_string_literal(word)
        people = people.filter(Q(name__icontains=word) | Q(email__icontains=word))
    return people
