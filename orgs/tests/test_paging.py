import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from orgs.admin_site.paging import CappedPaginator
from orgs.models import Organization
from tests.factories import OrganizationFactory

pytestmark = pytest.mark.django_db


class TestCappedPaginator:
    def test_counts_no_further_than_anybody_turns_pages(self, monkeypatch):
        monkeypatch.setattr(CappedPaginator, "most", 3)
        for _ in range(5):
            OrganizationFactory()
        pages = CappedPaginator(Organization.objects.order_by("pk"), 2)
        with CaptureQueriesContext(connection) as queries:
            assert (pages.count, pages.num_pages, pages.is_capped) == (3, 2, True)
        assert "LIMIT 3" in queries[0]["sql"]

    def test_counts_a_short_list_to_its_end(self):
        OrganizationFactory()
        pages = CappedPaginator(Organization.objects.order_by("pk"), 2)
        assert (pages.count, pages.is_capped) == (1, False)
