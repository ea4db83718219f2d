from django.contrib import admin
from django.urls import include, path

from happening import health

urlpatterns = [
    path("", include("bookings.urls")),
    path("", include("events.urls")),
    path("notifications/", include("notifications.urls")),
    path("", include("orgs.site_urls")),
    path("account/", include("orgs.urls")),
    path("accounts/", include("allauth.urls")),
    path("admin/", admin.site.urls),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
]

handler400 = "happening.views.bad_request"
handler403 = "happening.views.forbidden"
handler404 = "happening.views.not_found"
handler500 = "happening.views.server_error"
