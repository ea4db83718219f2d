"""What people were told, and what became of it."""

from typing import ClassVar

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from notifications.admin_figures import DeliveryDesk
from notifications.models import Notification
from orgs.admin_site import PLATFORM_ALONE, LongList, ReadOnlyAdmin
from orgs.models.permissions import Right


@admin.register(Notification)
class NotificationAdmin(DeliveryDesk, LongList, ReadOnlyAdmin):
    led_by = ()
    organization_path = "org_id"
    rights: ClassVar = {
        "view": Right.SEE_DELIVERIES,
        "retry": Right.RETRY_DELIVERIES,
        "figures": PLATFORM_ALONE,
    }
    list_display = ["type", "person", "about", "status", "due_at", "attempts"]
    list_display_links = ["type"]
    list_filter = ["status", "type"]
    list_select_related = ["user"]
    search_fields = ["user__email", "user__name"]
    search_help_text = _("By name or address.")
    ordering = ["-pk"]
    fields = [
        *["type", "person", "address", "about", "status", "attempts", "last_error"],
        *["created_at", "due_at", "sent_at", "delivered_at", "failed_at"],
    ]
    readonly_fields = fields

    @admin.display(description=_("to"))
    def person(self, notification):
        return str(notification.user)

    @admin.display(description=_("address"))
    def address(self, notification):
        return notification.user.email or ""

    @admin.display(description=_("about"))
    def about(self, notification):
        return notification.payload.get("title", "")
