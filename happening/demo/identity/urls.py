"""Keycloak's paths, in front of django-oauth-toolkit's views."""

from django.conf import settings
from django.contrib.auth.views import LoginView
from django.http import JsonResponse
from django.urls import include, path
from oauth2_provider import views

from happening.demo.identity import PROTOCOL, REALM


def configuration(request):
    base = settings.ISSUER.removesuffix(REALM) + PROTOCOL
    return JsonResponse(
        {
            "issuer": settings.ISSUER,
            "authorization_endpoint": f"{base}/auth",
            "token_endpoint": f"{base}/token",
            "userinfo_endpoint": f"{base}/userinfo",
            "jwks_uri": f"{base}/certs",
            "end_session_endpoint": f"{base}/logout",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "code_challenge_methods_supported": ["S256"],
        }
    )


protocol = [
    path("auth", views.AuthorizationView.as_view(), name="authorize"),
    path("token", views.TokenView.as_view(), name="token"),
    path("userinfo", views.UserInfoView.as_view(), name="user-info"),
    path("certs", views.JwksInfoView.as_view(), name="jwks-info"),
    path("logout", views.RPInitiatedLogoutView.as_view(), name="rp-initiated-logout"),
]
urlpatterns = [
    path(f"{PROTOCOL[1:]}/", include((protocol, "oauth2_provider"))),
    path(f"{REALM[1:]}/.well-known/openid-configuration", configuration),
    path(f"{REALM[1:]}/login/", LoginView.as_view(template_name="identity/login.html"), name="login"),
]
