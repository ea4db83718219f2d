"""The project's addresses and the empty view, which passes the same middleware and looks at nothing."""

from django.http import HttpResponse
from django.urls import path

from happening.urls import handler400, handler403, handler404, handler500, urlpatterns

__all__ = ["handler400", "handler403", "handler404", "handler500", "urlpatterns"]


def empty(request):
    return HttpResponse("empty\n", content_type="text/plain")


urlpatterns = [path("empty", empty), *urlpatterns]
