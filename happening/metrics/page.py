"""The page that Prometheus reads. For strangers there is nothing here."""

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder

from happening.metrics import answers
from happening.metrics.access import may_read


@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    if not may_read(request):
        raise Http404
    return _written(request)


@require_safe
def _written(request: HttpRequest) -> HttpResponse:
    registry = CollectorRegistry()
    registry.register(answers)
    encode, content_type = choose_encoder(request.headers.get("Accept", ""))
    return HttpResponse(encode(registry), content_type=content_type)
