"""How the sign-in answers what is no page (a fragment, a stream, a form that does not hold), and which of its
pages are not for everybody."""

from urllib.parse import urlsplit

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from orgs.safe_next import safe_path
from orgs.sso.identity import is_managed_elsewhere

SECOND_STEP = "mfa_"  # how the library's pages about second factors begin to be named
ASKED_FOR_IT = {"mfa_authenticate", "mfa_login_webauthn", "mfa_reauthenticate", "mfa_reauthenticate_webauthn"}


class EntranceMiddleware:
    """Fragments and streams that need somebody get a 401, not the sign-in page in their place; a form of
    django-allauth that does not hold is a 422, where the library says 200."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        answer = self.get_response(request)
        if answer.status_code == 302 and _is_part_of_a_page(request):
            entrance = reverse("account_login")
            if urlsplit(answer.url).path == entrance:
                page = safe_path(urlsplit(request.headers.get("HX-Current-URL", "")).path)
                there = f"{entrance}?{urlencode({'next': page})}" if page else entrance
                return HttpResponse(status=401, headers={"HX-Redirect": there})
        return answer

    def process_view(self, request, view, args, kwargs):
        """Who signs in by Keycloak alone has their second factor there. A passkey of theirs here would be
        a way in that Keycloak knows nothing of and cannot close."""
        name = request.resolver_match.url_name or ""
        if not name.startswith(SECOND_STEP) or name in ASKED_FOR_IT:
            return None
        if request.user.is_authenticated and is_managed_elsewhere(request.user):
            messages.info(request, _("Your second step at sign-in is kept where you sign in, not here."))
            return redirect("account")
        return None

    def process_template_response(self, request, response):
        form = (response.context_data or {}).get("form")
        if (
            request.method == "POST"
            and response.status_code == 200
            and request.path.startswith("/accounts/")
            and getattr(form, "errors", None)
        ):
            response.status_code = 422
        return response


def _is_part_of_a_page(request) -> bool:
    headers = request.headers
    return (
        "HX-Request" in headers
        or headers.get("Sec-Fetch-Dest") == "empty"
        or "text/event-stream" in headers.get("Accept", "")
    )
