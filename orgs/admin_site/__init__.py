"""The admin of all tenants: one site, each person seeing the organizations that are theirs.

The stock Django admin with walls. Whoever registers a model says how its rows reach their organization, or
the site refuses it; everything a model admin reads, offers, searches or accepts then stays within the
organization that the request's person looks at (`standing`). What one may not see is as if it were not
there: Django's own redirect, the same for a foreign row and a missing one.
"""

from orgs.admin_site.exporting import table_response
from orgs.admin_site.logbook import logged
from orgs.admin_site.long_list import LongList
from orgs.admin_site.model_admin import ReadOnlyAdmin, TenantModelAdmin
from orgs.admin_site.site import TenantAdminSite
from orgs.admin_site.standing import Standing, standing_in
from orgs.admin_site.steps import Done, Step, answer_step
from orgs.admin_site.walls import PLATFORM_ALONE, TenantTabularInline

__all__ = [
    "PLATFORM_ALONE",
    "Done",
    "LongList",
    "ReadOnlyAdmin",
    "Standing",
    "Step",
    "TenantAdminSite",
    "TenantModelAdmin",
    "TenantTabularInline",
    "answer_step",
    "logged",
    "standing_in",
    "table_response",
]
