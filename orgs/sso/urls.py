from django.urls import path

from orgs.sso import views

urlpatterns = [
    path("authenticate/", views.begin, name="oidc_begin"),
    path("callback/", views.callback, name="oidc_callback"),
    path("arrive/", views.arrive, name="oidc_arrive"),
    path("connect/", views.connect, name="oidc_connect"),
    path("disconnect/", views.disconnect, name="oidc_disconnect"),
    path("leave/", views.leave, name="oidc_leave"),
    path("backchannel-logout/", views.backchannel_logout, name="oidc_backchannel_logout"),
]
