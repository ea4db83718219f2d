from bookings.admin.booking import BookingAdmin
from bookings.admin.event import EventAdmin
from bookings.admin.history import HistoryAdmin
from bookings.admin.seat import SeatAdmin

from bookings.admin import organization_steps  # noqa: F401 isort: skip  adds its steps to the site

__all__ = ["BookingAdmin", "EventAdmin", "HistoryAdmin", "SeatAdmin"]
