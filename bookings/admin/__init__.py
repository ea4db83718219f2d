from bookings.admin.booking import BookingAdmin, HistoryAdmin
from bookings.admin.event import EventAdmin

__all__ = ["BookingAdmin", "EventAdmin", "HistoryAdmin"]
