"""What an organizer does to somebody's booking: each a page that says what follows, and then a service."""

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from bookings import services
from bookings.admin.event_words import for_organizer, waiting
from bookings.admin.forms import ReasonForm, SeatsStepForm
from bookings.errors import BookingRefused
from bookings.models import Booking
from bookings.story import seats_in_words
from bookings.views.seat_map import seat_map
from orgs.admin_site import Done, Step, answer_step


def is_active(booking: Booking) -> bool:
    return not booking.is_cancelled


STEPS = (
    Step(
        "promote",
        gettext_lazy("Promote out of turn"),
        deed="cancel",
        offered=lambda booking: booking.is_waiting,
    ),
    Step("seats", gettext_lazy("Change seats"), deed="cancel", offered=is_active),
    Step("resend", gettext_lazy("Send the message again"), deed="cancel", offered=is_active),
    Step("cancel", gettext_lazy("Cancel the booking"), deed="cancel", offered=is_active, is_grave=True),
)


class BookingSteps:
    """The answers to `STEPS`, for the model admin of bookings."""

    def promote(self, request, booking):
        def do(form):
            services.promote(
                booking_id=booking.pk,
                reason=form.cleaned_data["reason"],
                actor_id=request.user.pk,
                now=timezone.now(),
            )
            return Done(_("The booking is confirmed out of turn, and its person told."))

        return self._step(
            request,
            booking,
            ReasonForm(request.POST or None),
            title=_("Promote out of turn"),
            warning=_("Everybody who is passed sees when it happened and reads this reason, but no name."),
            button=_("Promote"),
            log_field="reason",
            do=do,
        )

    def seats(self, request, booking):
        """So many seats, or the ones that are ticked on the plan."""
        own = sorted(booking.booked_seats.booked().values_list("seat_no", flat=True))
        held = _("%(name)s holds %(seats)s.") if own else _("%(name)s waits for seats.")
        held %= {"name": booking.user, "seats": seats_in_words(own, booking.event.seating)}
        layout = booking.event.seating if booking.is_confirmed else None
        form = SeatsStepForm(
            request.POST or None, initial={"seats": booking.seats, "version": booking.version}
        )

        def do(form):
            changed = services.modify(
                booking_id=booking.pk,
                version=form.cleaned_data["version"],
                actor_id=request.user.pk,
                now=timezone.now(),
                **form.party,
            )
            return Done(_("The booking has %(n)s seats now, and its person is told.") % {"n": changed.seats})

        return self._step(
            request,
            booking,
            form,
            title=_("Change seats"),
            warning=f"{held} {waiting(booking.event)}",
            button=_("Change the number"),
            template="admin/seats_step.html",
            do=do,
            map=seat_map(
                booking.event,
                layout,
                part=request.GET.get("section", ""),
                chosen=form.chosen if form.is_bound and form.chosen else own,
                own=own,
            )
            if layout
            else None,
        )

    def resend(self, request, booking):
        def do(form):
            services.resend(booking_id=booking.pk, actor_id=request.user.pk, now=timezone.now())
            return Done(_("The message is on its way again."))

        return self._step(
            request,
            booking,
            forms.Form(request.POST if request.method == "POST" else None),
            title=_("Send the message again"),
            warning=_("%(name)s is told once more how the booking stands now.") % {"name": booking.user},
            button=_("Send"),
            do=do,
        )

    def cancel(self, request, booking):
        def do(form):
            services.cancel(booking_id=booking.pk, actor_id=request.user.pk, now=timezone.now())
            return Done(_("The booking is cancelled, and its person told."))

        return self._step(
            request,
            booking,
            forms.Form(request.POST if request.method == "POST" else None),
            title=_("Cancel the booking"),
            warning=_("The seats go to whoever waits. %(name)s is told. This cannot be undone.")
            % {"name": booking.user},
            button=_("Cancel the booking"),
            do=do,
        )

    def _step(self, request, booking, form, **words):
        refused = {"refused": (BookingRefused,), "in_words": for_organizer}
        return answer_step(self, request, booking, form=form, **refused, **words)
