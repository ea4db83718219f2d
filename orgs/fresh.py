"""Doing something grave: only for who has shown in the last five minutes that it is they."""

import time
from functools import wraps

from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.login import get_authentication_records
from django.conf import settings
from django.shortcuts import redirect
from django.utils.http import urlencode


def is_fresh(request) -> bool:
    """Whether a password, a second factor or the provider's own prompt has been answered just now.

    That the provider remembered somebody proves nothing about who sits there, so that does not count.
    """
    since = time.time() - settings.ACCOUNT_REAUTHENTICATION_TIMEOUT
    return any(
        record["at"] >= since and (record["method"] != "oidc" or record.get("reauthenticated"))
        for record in get_authentication_records(request, request.user)
    )


def fresh_sign_in_required(view):
    """For signed-in people. Who is not fresh is asked, and comes back to the page they were on."""

    @wraps(view)
    def guarded(request, *args, **kwargs):
        if is_fresh(request):
            return view(request, *args, **kwargs)
        ways = get_adapter().get_reauthentication_methods(request.user)
        here = request.path if request.method == "GET" else settings.LOGIN_REDIRECT_URL
        return redirect(f"{ways[0]['url']}{'&' if '?' in ways[0]['url'] else '?'}{urlencode({'next': here})}")

    return guarded
