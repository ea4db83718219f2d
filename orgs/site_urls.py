"""Pages about organizations that stand at the root of the site."""

from django.urls import path

from orgs import invite_pages

urlpatterns = [
    path("invites/", invite_pages.invite_page, name="invite_page"),
    path("invites/<str:token>/", invite_pages.invite, name="invite"),
]
