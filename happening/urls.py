from django.contrib import admin
from django.urls import include, path

from happening import account, health
from happening.metrics import page as metrics
from notifications.live_views import inbox_stream
from orgs.sso.views import SignOut

urlpatterns = [
    path("", include("bookings.urls")),
    path("", include("events.urls")),
    path("notifications/", include("notifications.urls")),
    path("live/notifications/", inbox_stream, name="live_inbox"),
    path("", include("orgs.site_urls")),
    path("account/", include("orgs.urls")),
    path("account/data/", account.own_data_page, name="own_data"),
    path("account/data.json", account.own_data_file, name="own_data_file"),
    path("account/delete/", account.erase_account, name="erase_account"),
    path("accounts/logout/", SignOut.as_view(), name="account_logout"),
    path("accounts/", include("allauth.urls")),
    path("oidc/", include("orgs.sso.urls")),
    path("admin/", admin.site.urls),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", metrics.metrics, name="metrics"),
]

handler400 = "happening.views.bad_request"
handler403 = "happening.views.forbidden"
handler404 = "happening.views.not_found"
handler429 = "happening.views.too_many_requests"  # asked for by django-allauth
handler500 = "happening.views.server_error"
