"""The operator's side of telling people: the figures on a page, with a chart drawn here, and trying again."""

from dataclasses import dataclass
from datetime import timedelta

from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from notifications import figures, states
from notifications.models import Notification

DAYS = 7
CHART_HEIGHT, BAR_WIDTH, GAP = 120, 20, 6


class DeliveryDesk:
    """For the model admin of notifications: whoever may, tries again to tell people; platform staff see how
    it goes over all organizations."""

    change_list_template = "admin/notification_change_list.html"
    actions = ["try_again"]

    def has_retry_permission(self, request: HttpRequest) -> bool:
        return self.may(request, "retry")

    @admin.action(description=_("Try again to deliver"), permissions=["retry"])
    def try_again(self, request: HttpRequest, queryset) -> None:
        if (failed := self.few(request, queryset.filter(status=Notification.Status.FAILED))) is None:
            return
        with transaction.atomic():
            count = states.again([message.pk for message in failed], now=timezone.now())
            if count:
                LogEntry.objects.log_actions(request.user.pk, failed, CHANGE, change_message=_("Try again"))
        if not count:
            messages.warning(request, _("None of these has failed, so there is nothing to try again."))
            return
        words = ngettext("%(n)s message will be sent again.", "%(n)s messages will be sent again.", count)
        messages.success(request, words % {"n": count})

    def get_urls(self):
        page = self.admin_site.admin_view(self.figures_page)
        return [path("figures/", page, name="notifications_figures"), *super().get_urls()]

    def figures_page(self, request: HttpRequest) -> TemplateResponse:
        if not self.may(request, "figures"):
            raise PermissionDenied
        now = timezone.now()
        hours = figures.by_hour(now=now)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("How telling people goes"),
            "backlog": figures.backlog(now=now),
            "lines": [
                (Notification.Type(line.type).label, line)
                for line in figures.by_type_and_organization(since=now - timedelta(days=DAYS))
            ],
            "days": DAYS,
            "hours": hours,
            "chart": Chart.of(hours),
        }
        return TemplateResponse(request, "admin/notification_figures.html", context)


@dataclass(frozen=True)
class Bar:
    """One hour's messages, stacked: what failed stands on top, where it is seen."""

    x: int
    label: str
    words: str
    delivered: tuple[float, float]  # y, height
    under_way: tuple[float, float]
    failed: tuple[float, float]


@dataclass(frozen=True)
class Chart:
    bars: list[Bar]
    width: int
    most: int
    height: int = CHART_HEIGHT
    bar_width: int = BAR_WIDTH

    @classmethod
    def of(cls, hours: list[figures.Hour]) -> "Chart":
        most = max(1, *(hour.total for hour in hours))
        bars = [_bar(number, hour, most) for number, hour in enumerate(hours)]
        return cls(bars, width=len(bars) * (BAR_WIDTH + GAP), most=most)


def _bar(number: int, hour: figures.Hour, most: int) -> Bar:
    heights = [CHART_HEIGHT * count / most for count in (hour.delivered, hour.under_way, hour.failed)]
    tops = [CHART_HEIGHT - sum(heights[: place + 1]) for place in range(3)]
    parts = [(round(top, 1), round(height, 1)) for top, height in zip(tops, heights, strict=True)]
    words = _("%(hour)s UTC: %(delivered)s delivered, %(under_way)s under way, %(failed)s failed") % {
        "hour": f"{hour.begins:%H:%M}",
        "delivered": hour.delivered,
        "under_way": hour.under_way,
        "failed": hour.failed,
    }
    return Bar(number * (BAR_WIDTH + GAP), f"{hour.begins:%H}", words, *parts)
