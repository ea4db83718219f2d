import pytest
from django.conf import settings
from django.core.checks import run_checks
from django.core.exceptions import ImproperlyConfigured

from happening.checks import each_thread_has_a_connection, ensure_connections


@pytest.fixture
def with_pool(monkeypatch):
    def setting(pool):
        monkeypatch.setitem(settings.DATABASES["default"]["OPTIONS"], "pool", pool)

    return setting


class TestEachThreadHasAConnection:
    def test_holds_without_a_pool_since_a_thread_keeps_its_own(self):
        assert each_thread_has_a_connection(None) == []
        ensure_connections()

    def test_holds_with_a_pool_as_large_as_the_threads(self, with_pool):
        with_pool({"max_size": settings.WEB_THREADS})
        assert each_thread_has_a_connection(None) == []

    @pytest.mark.parametrize("pool", [True, {"max_size": 31}, {"min_size": 8}])
    def test_is_refused_by_check_and_at_start_with_a_smaller_one(self, with_pool, pool):
        with_pool(pool)
        assert "happening.E001" in [error.id for error in run_checks()]
        with pytest.raises(ImproperlyConfigured, match="would starve"):
            ensure_connections()
