from django.contrib import admin

from notifications.admin_figures import DeliveryDesk
from notifications.models import Notification
from orgs.admin_site import ReadOnlyAdmin


@admin.register(Notification)
class NotificationAdmin(DeliveryDesk, ReadOnlyAdmin):
    list_display = ["created_at", "type", "user", "status", "due_at", "attempts"]
    list_filter = ["status", "type"]
    list_select_related = ["user"]
    search_fields = ["user__email", "=event_id", "=booking_id"]
    ordering = ["-created_at"]
