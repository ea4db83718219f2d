from bookings.admin.booking import BookingAdmin
from bookings.admin.event import EventAdmin
from bookings.admin.history import HistoryAdmin
from bookings.admin.seat import SeatAdmin

__all__ = ["BookingAdmin", "EventAdmin", "HistoryAdmin", "SeatAdmin"]
