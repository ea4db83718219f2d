"""The admin's log, read within the walls: of whom and of what a line may speak."""

from collections import defaultdict

from django.contrib.admin.models import LogEntry

from orgs.admin_site.standing import standing_in
from orgs.models import Membership

SHOWN = 10
LOOKED_THROUGH = 60


def own_recent_entries(site, request) -> list[LogEntry]:
    """What the person did lately, as far as they may still see what they did it to."""
    entries = list(
        LogEntry.objects.filter(user_id=request.user.pk)
        .select_related("content_type")
        .order_by("-action_time")[:LOOKED_THROUGH]
    )
    wanted = defaultdict(set)
    for entry in entries:
        wanted[entry.content_type_id, entry.content_type.model_class()].add(entry.object_id)
    visible = {
        (type_id, str(pk))
        for (type_id, model), ids in wanted.items()
        if model and site.is_registered(model)
        for pk in _within(site.get_model_admin(model), request, ids)
    }
    return [entry for entry in entries if (entry.content_type_id, entry.object_id) in visible][:SHOWN]


def who_may_be_named(request) -> set | None:
    """The people whose names a log may show: an organization's own. None where nobody is hidden; the
    platform's staff work in every organization, and are not introduced to each."""
    standing = standing_in(request)
    if standing.is_platform:
        return None
    members = Membership.objects.filter(organization=standing.organization)
    return set(members.values_list("user_id", flat=True))


def _within(model_admin, request, ids):
    return model_admin.get_queryset(request).filter(pk__in=ids).values_list("pk", flat=True)
