"""A step of the admin that calls a service: a form on a page of its own, and what came of it as a message.

Stays outside the change form, whose POST Django wraps in a transaction, in which a durable service refuses
to run.
"""

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse

from bookings.errors import BookingRefused


def step(
    model_admin,
    request: HttpRequest,
    *,
    obj,
    form: forms.Form,
    title: str,
    warning: str,
    button: str,
    back: str,
    do,
) -> HttpResponse:
    """Show `form`; when it is sent and valid call `do(form)`, which returns what to tell the person.

    A refusal of the service stands on the form, and nothing has changed.
    """
    if request.method == "POST" and form.is_valid():
        try:
            messages.success(request, do(form))
            return HttpResponseRedirect(back)
        except BookingRefused as refused:
            form.add_error(None, str(refused))
    context = {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.opts,
        "original": obj,
        "form": form,
        "title": title,
        "warning": warning,
        "button": button,
        "back": back,
        "media": model_admin.media + form.media,
    }
    return TemplateResponse(request, "admin/step.html", context, status=422 if form.errors else 200)
