from django.urls import path

from events import feeds, views

urlpatterns = [
    path("", views.event_list, name="home"),
    path("events/", views.event_list, name="event_list"),
    path("events.ics", feeds.events_ics, name="events_ics"),
    path("events/<uuid:event_id>/event.ics", feeds.event_ics, name="event_ics"),
]
