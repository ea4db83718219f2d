"""Taking up an invite: the link in the mail, then a page that says who invites whom to what, and a button.

The link itself only notes in the session that this browser has it (its hash, as the table does) and leads
on to an address without the token, so that the token stands in no history entry, no Referer, no `next`, and
somebody who has to sign up first finds back. (With `no-referrer` on a page that has a form, browsers
would send `Origin: null`, which the form's own protection refuses.)
"""

from django.contrib import messages
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from orgs import invites
from orgs.errors import InviteForSomebodyElse, InviteGone, Refused
from orgs.models import Invite

SESSION_KEY = "invite"


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def invite(request, token):
    """The link in the mail. A POST takes the invite up at once, for programs that hold the link."""
    token_hash = invites.hash_of(token)
    if request.method == "POST":
        response = _accept(request, token_hash)
    else:
        request.session[SESSION_KEY] = token_hash
        response = redirect("invite_page")
    response["Referrer-Policy"] = "no-referrer"
    return response


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def invite_page(request):
    """The invite whose link this browser opened last."""
    token_hash = request.session.get(SESSION_KEY, "")
    if request.method == "POST":
        return _accept(request, token_hash)
    try:
        return _page(request, invites.pending(token_hash, now=timezone.now()))
    except InviteGone as refusal:
        return _gone(request, refusal)


def _accept(request, token_hash: str):
    if not request.user.is_authenticated:
        request.session[SESSION_KEY] = token_hash
        return redirect("invite_page")
    try:
        membership = invites.accept(token_hash=token_hash, user_id=request.user.pk, now=timezone.now())
    except InviteForSomebodyElse:
        return _page(request, Invite.objects.select_related("organization").get(token=token_hash))
    except Refused as refusal:
        return _gone(request, refusal)
    request.session.pop(SESSION_KEY, None)
    messages.success(
        request,
        _("Welcome to %(organization)s. Your role: %(role)s.")
        % {"organization": membership.organization, "role": membership.get_role_display()},
    )
    response = redirect("account")
    response.status_code = 303
    return response


def _page(request, invite: Invite):
    """For whoever may accept; for somebody else, whom they are signed in as and what they can do."""
    facts = {"invite": invite, "is_theirs": True}
    status = 200
    if request.user.is_authenticated:
        try:
            invites.ensure_for(invite, request.user)
        except InviteForSomebodyElse:
            facts["is_theirs"], status = False, 403
    return render(request, "orgs/invite.html", facts, status=status)


def _gone(request, refusal: Refused):
    return render(request, "orgs/invite_gone.html", {"refusal": refusal}, status=404)
