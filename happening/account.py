"""What a person may do with all that is held about them, over all apps."""

from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_required
from django.http import JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from happening import erasing, own_data
from orgs import members
from orgs.fresh import fresh_sign_in_required


@login_required
@require_safe
@never_cache
def own_data_page(request):
    held = own_data.held_about(request.user, now=timezone.now())
    return render(request, "account/own_data.html", {"held": held})


@login_required
@require_safe
@fresh_sign_in_required
@never_cache
def own_data_file(request):
    held = own_data.held_about(request.user, now=timezone.now())
    answer = JsonResponse(held, json_dumps_params={"indent": 2, "ensure_ascii": False})
    answer["Content-Disposition"] = 'attachment; filename="happening-my-data.json"'
    return answer


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@fresh_sign_in_required
@never_cache
def erase_account(request):
    now = timezone.now()
    person_id = request.user.pk
    is_sure = request.POST.get("sure") == "yes"
    if request.method == "POST" and is_sure:
        try:
            erasing.erase(person_id, now=now)
        except erasing.LastAdministrator:
            status = 409
        else:
            return _gone(request)
    else:
        status = 422 if request.method == "POST" else 200
    context = {
        "only_administers": members.only_administered_by(person_id).order_by("name"),
        "to_give_back": erasing.bookings_to_give_back(request.user, now=now).select_related("event"),
        "is_unsure": status == 422,
    }
    return render(request, "account/erase.html", context, status=status)


def _gone(request):
    logout(request)
    messages.success(request, _("Your account is deleted. Take care!"))
    return redirect("event_list")
