"""Pages about organizations that stand at the root of the site."""

from django.urls import path, re_path

from orgs import invite_pages, look

urlpatterns = [
    path("invites/", invite_pages.invite_page, name="invite_page"),
    path("invites/<str:token>/", invite_pages.invite, name="invite"),
    path("look.css", look.stylesheet, name="look"),
    re_path(r"^logo/(?P<name>[0-9a-f]{64}\.webp)$", look.logo, name="logo"),
]
