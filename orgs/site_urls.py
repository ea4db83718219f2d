"""Pages about organizations that stand at the root of the site."""

from django.urls import path, re_path

from orgs import invite_pages, look, start_pages

urlpatterns = [
    path("invites/", invite_pages.invite_page, name="invite_page"),
    path("invites/<str:token>/", invite_pages.invite, name="invite"),
    path("orgs/new/", start_pages.start, name="organization_start"),
    path("orgs/<uuid:organization_id>/join/", start_pages.join, name="organization_join"),
    path("orgs/<uuid:organization_id>/not-now/", start_pages.put_off, name="organization_not_now"),
    path("orgs/<uuid:organization_id>/leave/", start_pages.leave, name="organization_leave"),
    path("look.css", look.stylesheet, name="look"),
    re_path(r"^logo/(?P<name>[0-9a-f]{64}\.webp)$", look.logo, name="logo"),
]
