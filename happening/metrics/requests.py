"""Requests, counted under the names that django-prometheus gives them, so that its dashboards fit.

Its own middleware counts fifteen things a request, some by labels that a stranger may choose. This counts
three: by view, method and status, all of which there are a bounded number.
"""

from django.http import HttpRequest, HttpResponse
from django_prometheus.middleware import Metrics, PrometheusAfterMiddleware

from orgs.counting import Counter, Histogram

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class OurMetrics(Metrics):
    def register(self) -> None:
        self.seconds = Histogram(
            "django_http_requests_latency_seconds_by_view_method",
            "Histogram of request processing time labelled by view.",
            ["view", "method"],
            buckets=BUCKETS,
            registry=None,
        )
        self.responses = Counter(
            "django_http_responses_total_by_status_view_method",
            "Count of responses by status, view, method.",
            ["status", "view", "method"],
            registry=None,
        )
        self.exceptions = Counter(
            "django_http_exceptions_total_by_type",
            "Count of exceptions by object type.",
            ["type"],
            registry=None,
        )


class Counting(PrometheusAfterMiddleware):
    """For its ways of naming views and methods; it is no middleware here."""

    metrics_cls = OurMetrics

    def request(self, request: HttpRequest, response: HttpResponse, *, seconds: float) -> None:
        view, method = self._get_view_name(request), self._method(request)
        self.metrics.seconds.labels(view, method).observe(seconds)
        self.metrics.responses.labels(str(response.status_code), view, method).inc()

    def exception(self, error: Exception) -> None:
        self.metrics.exceptions.labels(type(error).__name__).inc()


counting = Counting(lambda request: None)
