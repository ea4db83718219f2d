"""Choosing what comes by mail: a page for who is signed in, and the address that a mail's own button asks."""

from django import forms
from django.contrib import messages
from django.contrib.auth import get_user_model
from django.contrib.auth.decorators import login_required
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from notifications import preferences


class PreferencesForm(forms.Form):
    event_reminder = forms.BooleanField(
        label=gettext_lazy("Remind me by mail before an event begins"),
        help_text=gettext_lazy("Without it, reminders still wait in your inbox here."),
        required=False,
    )


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def preferences_page(request):
    if request.method == "POST":
        form = PreferencesForm(request.POST)
        form.full_clean()  # boxes, ticked or not: nothing that could be wrong
        preferences.choose(user_id=request.user.pk, by_mail=form.cleaned_data)
        messages.success(request, _("Your choice is saved."))
        return redirect("notification_preferences")
    form = PreferencesForm(initial=preferences.chosen(user_id=request.user.pk))
    return render(request, "notifications/preferences.html", {"form": form})


@csrf_exempt  # the token is the authority, and mail programs post without a page of ours (RFC 8058)
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe(request, token):
    """GET shows a button and changes nothing, because programs follow links; POST acts at once.

    A post is answered with 200 whatever it says: a mail program can do nothing with a refusal.
    """
    try:
        user_id, kind = preferences.read_token(token)
    except preferences.TokenUnreadable:
        status = 200 if request.method == "POST" else 404
        return render(request, "notifications/unsubscribe_unknown.html", status=status)
    if request.method == "POST" and get_user_model().objects.filter(pk=user_id).exists():
        preferences.choose(user_id=user_id, by_mail={kind: False})
    return render(request, "notifications/unsubscribe.html", {"is_done": request.method == "POST"})
