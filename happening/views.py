"""Pages that belong to no app: what is shown when something went wrong."""

from django.shortcuts import render


def page_expired(request, reason=""):
    """The form's proof of origin did not hold: the page was open too long, or cookies are off."""
    return render(request, "page_expired.html", status=403)
