"""The form that came with a request which could not be dealt with, to be sent again as it was."""

from django.http import HttpRequest


def kept_form(request: HttpRequest) -> list[tuple[str, str]]:
    """Its fields, the key against booking twice among them; nothing of a form that holds a password."""
    if any("password" in name for name in request.POST):
        return []
    return [
        (name, value)
        for name, values in request.POST.lists()
        if name != "csrfmiddlewaretoken"
        for value in values
    ]
