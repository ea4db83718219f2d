from django.urls import path

from notifications import views

urlpatterns = [
    path("", views.inbox, name="inbox"),
    path("read/", views.read_all, name="inbox_read_all"),
    path("<uuid:notification_id>/read/", views.read, name="notification_read"),
]
