"""The inbox: what a person was told, newest first. Reading is marked by POST, never by looking."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from notifications import live
from notifications.models import Notification
from notifications.wording import Message
from orgs.keyset import Keyset

NEWEST_FIRST = Keyset("created_at", newest_first=True, size=20)


@login_required
@require_safe
def inbox(request):
    """All of it, or with `?show=unread` what is unread."""
    rows = Notification.objects.filter(user_id=request.user.pk)
    only_unread = request.GET.get("show") == "unread"
    page = NEWEST_FIRST.page(rows.unread() if only_unread else rows, place=request.GET)
    return render(
        request,
        "notifications/inbox.html",
        {
            "page": page,
            "told": [Message.of_any(row) for row in page],
            "only_unread": only_unread,
            "has_unread": any(row.read_at is None for row in page),
            "query": "show=unread" if only_unread else "",
        },
    )


@login_required
@require_POST
def read(request, notification_id):
    """Marks one of the person's own; once more changes nothing."""
    notification = get_object_or_404(Notification, pk=notification_id, user_id=request.user.pk)
    Notification.objects.filter(pk=notification.pk).unread().update(read_at=timezone.now())
    live.nudge_people([request.user.pk])
    return _back(request)


@login_required
@require_POST
def read_all(request):
    Notification.objects.filter(user_id=request.user.pk).unread().update(read_at=timezone.now())
    live.nudge_people([request.user.pk])
    messages.success(request, _("Everything is marked as read."))
    return _back(request)


def _back(request):
    """To the inbox, as it was looked at."""
    response = redirect("inbox")
    if request.POST.get("show") == "unread":
        response["Location"] += "?show=unread"
    return response
