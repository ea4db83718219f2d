from django.urls import path

from bookings.views import book, change, event_page, live, own

urlpatterns = [
    path("events/<uuid:event_id>/book/", book.book, name="book"),  # first: a crowd asks for it
    path("events/<uuid:event_id>/", event_page.event_detail, name="event_detail"),
    path("events/<uuid:event_id>/state/", live.event_state, name="event_state"),
    path("live/events/<uuid:event_id>/", live.event_stream, name="live_event"),
    path("bookings/", own.booking_list, name="booking_list"),
    path("bookings/<uuid:booking_id>/", own.booking_detail, name="booking_detail"),
    path("bookings/<uuid:booking_id>/modify/", change.booking_modify, name="booking_modify"),
    path("bookings/<uuid:booking_id>/cancel/", change.booking_cancel, name="booking_cancel"),
]
