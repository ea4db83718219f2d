"""A step of the admin that calls a service: a form on a page of its own, and what came of it as a message.

Stays outside the change form, whose POST Django wraps in a transaction, in which a durable service refuses
to run. Each step that was taken stands in the admin's log, by the same transaction that made it true.
"""

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass

from django import forms
from django.contrib import messages
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse

from orgs.admin_site.logbook import logged


@dataclass(frozen=True)
class Step:
    """name: of the page and of the method that answers it; deed: what one must be allowed to do; offered:
    whether a row's page shows the button."""

    name: str
    label: str
    deed: str = "change"
    offered: Callable[[object], bool] = lambda row: True
    is_grave: bool = False


@dataclass(frozen=True)
class Done:
    """What to tell the person; where they go on (back to the row's page if that is not said); and the row
    that came of it, if one was made."""

    told: str
    at: str = ""
    made: Model | None = None


def answer_step(
    model_admin,
    request: HttpRequest,
    row,
    *,
    form: forms.Form,
    title: str,
    button: str,
    do: Callable[[forms.Form], Done],
    refused: tuple[type[Exception], ...],
    in_words: Callable[[Exception], str] = str,
    log_field: str = "",
    warning: str = "",
    template: str = "admin/step.html",
    **more,
) -> HttpResponse:
    """Show `form`; when it is sent and valid call `do(form)`. `row` is what it is about, if anything.

    One of the errors in `refused` stands on the form, `in_words`, and nothing has changed. The log gets the
    title, and what was written in `log_field`.
    """
    page = f"admin:{model_admin.opts.app_label}_{model_admin.opts.model_name}"
    back = reverse(f"{page}_change", args=[row.pk]) if row else reverse(f"{page}_changelist")
    if request.method == "POST" and form.is_valid():
        note = f"{title}: {form.cleaned_data[log_field]}" if log_field else title
        try:
            with logged(model_admin, request, row, note) if row else nullcontext():
                done = do(form)
        except refused as refusal:
            form.add_error(None, in_words(refusal))
        else:
            if done.made:
                model_admin.log_addition(request, done.made, done.told)
            messages.success(request, done.told)
            return HttpResponseRedirect(done.at or back)
    context = {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.opts,
        "original": row,
        "form": form,
        "title": title,
        "warning": warning,
        "button": button,
        "back": back,
        "media": model_admin.media + form.media,
        **more,
    }
    return TemplateResponse(request, template, context, status=422 if form.errors else 200)
