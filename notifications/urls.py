from django.urls import path

from notifications import live_views, preference_pages, views

urlpatterns = [
    path("", views.inbox, name="inbox"),
    path("state/", live_views.inbox_state, name="inbox_state"),
    path("read/", views.read_all, name="inbox_read_all"),
    path("<uuid:notification_id>/read/", views.read, name="notification_read"),
    path("preferences/", preference_pages.preferences_page, name="notification_preferences"),
    path("unsubscribe/<str:token>/", preference_pages.unsubscribe, name="unsubscribe"),
]
