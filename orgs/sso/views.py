"""The pages of single sign-on. Whatever goes wrong ends in one friendly page and one line in the log."""

import logging
import re
from functools import partial, wraps

from allauth.account.views import LogoutView
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_POST

from orgs.fresh import fresh_sign_in_required
from orgs.safe_next import safe_path
from orgs.sso import flows, identity, leaving, provider, returning, session, tokens
from orgs.sso.backend import KeycloakBackend
from orgs.sso.errors import CodeRefused, FlowUnknown, IdentityTaken, ProviderAway, SignInRefused, TurnedBack

logger = logging.getLogger(__name__)


def single_sign_on(view):
    """A step of it: not there where it is not configured; refusals become a page."""

    @wraps(view)
    @never_cache
    def step(request):
        if not provider.is_configured():
            raise Http404
        try:
            return view(request)
        except SignInRefused as refusal:
            logger.warning("Single sign-on, %s: %s", view.__name__, refusal.for_the_log)
            return render(request, "sso/refused.html", {"says": refusal.says}, status=refusal.status)

    return step


@require_GET
@single_sign_on
def begin(request):
    """To the provider. `again=1` asks the person to show there once more that it is they."""
    again = request.GET.get("again") == "1"
    if not returning.is_platform(request):
        return returning.to_platform(request, again=again)
    back = returning.read_note(request.GET.get("back"))
    aim = flows.CONFIRM if again else flows.SIGN_IN
    next_url = safe_path(request.GET.get("next"))
    return HttpResponseRedirect(flows.begin(request, aim=aim, next_url=next_url, back=back))


@require_GET
@single_sign_on
def callback(request):
    """From the provider. Without a sign-in that this browser began nothing changes."""
    flow = flows.take(request)
    if "error" in request.GET:
        raise TurnedBack(re.sub(r"[^a-z_]", "", request.GET["error"])[:40])
    return _link(request, flow) if flow.aim == flows.LINK else _sign_in(request, flow)


def _sign_in(request, flow: flows.Flow) -> HttpResponseRedirect:
    now, fresh = timezone.now(), flow.aim == flows.CONFIRM
    backend = KeycloakBackend()
    try:
        person = _proven(request, flow, backend, whose=partial(identity.account_of, now=now))
        if fresh:
            tokens.ensure_fresh(backend.claims, now=now)
    except SignInRefused:
        if session.KEY in request.session:
            logout(request)  # what the provider does not stand by any more ends
        raise
    sid = str(backend.claims.get("sid", ""))
    session.open_session(request, person, sid=sid, now=now, id_token=backend.id_token, fresh=fresh)
    if flow.back:
        return returning.to_tenant(flow.back, person, sid=sid, fresh=fresh)
    return redirect(flow.next or "event_list")


def _link(request, flow: flows.Flow) -> HttpResponseRedirect:
    if not request.user.is_authenticated or str(request.user.pk) != flow.person:
        raise FlowUnknown
    _proven(request, flow, KeycloakBackend(), whose=partial(identity.link, request.user, now=timezone.now()))
    messages.success(request, _("Single sign-on is connected. You can sign in either way from now on."))
    return redirect("account")


def _proven(request, flow: flows.Flow, backend: KeycloakBackend, *, whose):
    person = backend.authenticate(request, nonce=flow.nonce, code_verifier=flow.code_verifier, whose=whose)
    if person is None:
        raise CodeRefused
    return person


@require_GET
@single_sign_on
def arrive(request):
    """At a tenant's host, with a code from the platform's."""
    now = timezone.now()
    person, code = returning.take_code(request, now=now)
    session.open_session(request, person, sid=code["sid"], now=now, fresh=code["fresh"])
    answer = redirect(code["next"] or "event_list")
    returning.forget(answer)
    return answer


@require_POST
@login_required
@fresh_sign_in_required
@single_sign_on
def connect(request):
    """Let a person who signs in by email use single sign-on as well."""
    if request.user.keycloak_id:
        raise IdentityTaken
    return HttpResponseRedirect(flows.begin(request, aim=flows.LINK))


@require_POST
@login_required
@fresh_sign_in_required
def disconnect(request):
    """Back to the password alone; who has none keeps single sign-on."""
    if request.user.keycloak_id and request.user.has_usable_password():
        identity.unlink(request.user, now=timezone.now())
        messages.success(request, _("Single sign-on is no longer connected."))
    return redirect("account")


class SignOut(LogoutView):
    """Signing out, at both ends for those who came by the provider."""

    def get_redirect_url(self):
        return leaving.next_stop(self.request) or super().get_redirect_url()


@require_GET
@single_sign_on
def leave(request):
    """On the platform's host, on the way from a tenant's to the provider's sign-out."""
    if not leaving.may_leave(request):
        raise FlowUnknown
    way = leaving.next_stop(request)
    logout(request)
    return HttpResponseRedirect(way) if way else redirect("event_list")


@csrf_exempt
@require_POST
@never_cache
def backchannel_logout(request):
    """The provider says that somebody signed out there (OpenID Connect Back-Channel Logout 1.0)."""
    if not provider.is_configured():
        raise Http404
    try:
        leaving.end_by_provider(request.POST.get("logout_token", ""), now=timezone.now())
    except SignInRefused as refusal:
        logger.warning("Single sign-on, backchannel_logout: %s", refusal.for_the_log)
        status = 503 if isinstance(refusal, ProviderAway) else 400
        return JsonResponse({"error": "invalid_request"}, status=status)
    return HttpResponse(status=200)
