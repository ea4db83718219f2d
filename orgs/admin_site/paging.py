"""Pages of a long list without counting it to its end."""

from functools import cached_property

from django.core.paginator import Paginator


class CappedPaginator(Paginator):
    """Counts as far as anybody turns pages. What lies behind is found by searching and filtering."""

    most = 5_000

    @cached_property
    def count(self):
        rows = self.object_list
        if not hasattr(rows, "order_by"):
            return len(rows)
        return rows.order_by()[: self.most].count()

    @property
    def is_capped(self) -> bool:
        return self.count >= self.most
