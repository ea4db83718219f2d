from bookings.models.booking import Booking
from bookings.models.free_run import FreeRun
from bookings.models.history import BookingHistory
from bookings.models.job import EventJob
from bookings.models.seat import BookingSeat
from bookings.models.summary import EventBookingSummary, EventTotals, UserBookingSummary

__all__ = [
    "Booking",
    "BookingHistory",
    "BookingSeat",
    "EventBookingSummary",
    "EventJob",
    "EventTotals",
    "FreeRun",
    "UserBookingSummary",
]
