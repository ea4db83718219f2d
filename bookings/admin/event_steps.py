"""What is done to an event beside its form: each a page that says what follows, and then a service."""

from django import forms
from django.http import HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from bookings import services
from bookings.admin.attendees import attendees_response
from bookings.admin.book_step import book_step
from bookings.admin.event_words import for_organizer, told
from bookings.admin.forms import CapacityForm, CopyForm, MoveForm, ReasonForm
from bookings.admin.plan_step import plan_step
from bookings.errors import BookingRefused
from bookings.views.event_page import event_page
from events.models import Event
from events.services import EventRefused, copy_event, publish
from orgs.admin_site import Done, Step, answer_step


def is_draft(event: Event) -> bool:
    return not event.is_published


def goes_ahead(event: Event) -> bool:
    return event.is_published and not event.is_final


def is_not_over(event: Event) -> bool:
    return not event.is_final


STEPS = (
    Step("publish", gettext_lazy("Publish"), offered=is_draft),
    Step("preview", gettext_lazy("Preview"), deed="view", offered=is_draft),
    Step("move", gettext_lazy("Move"), offered=goes_ahead),
    Step("capacity", gettext_lazy("Number of seats"), offered=goes_ahead),
    Step("layout", gettext_lazy("Seating plan"), offered=is_not_over),
    Step("book", gettext_lazy("Book for somebody"), deed="book", offered=goes_ahead),
    Step("attendees", gettext_lazy("Attendees"), deed="export", offered=lambda event: event.is_published),
    Step("copy", gettext_lazy("Copy")),
    Step("cancel", gettext_lazy("Cancel the event"), offered=goes_ahead, is_grave=True),
)


class EventSteps:
    """The answers to `STEPS`, for the model admin of events."""

    layout = plan_step
    book = book_step

    def publish(self, request, event):
        def do(form):
            publish(event_id=event.pk, now=timezone.now())
            return Done(_("The event is published: people can see and book it."))

        return self._step(
            request,
            event,
            forms.Form(request.POST if request.method == "POST" else None),
            title=_("Publish the event"),
            warning=_("From then on its time, place and seats change by buttons, and people are told."),
            button=_("Publish"),
            do=do,
        )

    def preview(self, request, event):
        """The public page as it will look; of what is public already, that page itself."""
        if event.is_published:
            return HttpResponseRedirect(reverse("event_detail", args=[event.pk]))
        return event_page(request, event)

    def move(self, request, event):
        facts = {name: getattr(event, name) for name in MoveForm.base_fields}

        def do(form):
            services.reschedule(
                event_id=event.pk, actor_id=request.user.pk, now=timezone.now(), **form.cleaned_data
            )
            return Done(_("The event is moved; people are told in two minutes."))

        form = MoveForm(request.POST or None, initial=facts, zone=event.zone)
        return self._step(
            request, event, form, title=_("Move the event"), warning=told(event), button=_("Move"), do=do
        )

    def capacity(self, request, event):
        def do(form):
            changed = services.change_capacity(
                event_id=event.pk, actor_id=request.user.pk, now=timezone.now(), **form.cleaned_data
            )
            return Done(_("The event has %(n)s seats now.") % {"n": f"{changed.total_slots:,}"})

        booked = event.total_slots - event.available_slots
        return self._step(
            request,
            event,
            CapacityForm(request.POST or None, initial={"total_slots": event.total_slots}),
            title=_("Change the number of seats"),
            warning=_(
                "%(booked)s of %(total)s seats are booked. With more seats, whoever waits is confirmed in "
                "their turn and told. With fewer, nobody loses a seat: what is booked stays booked."
            )
            % {"booked": f"{booked:,}", "total": f"{event.total_slots:,}"},
            button=_("Change"),
            log_field="total_slots",
            do=do,
        )

    def cancel(self, request, event):
        def do(form):
            services.cancel_event(
                event_id=event.pk, actor_id=request.user.pk, now=timezone.now(), **form.cleaned_data
            )
            return Done(_("The event is cancelled; its people are being told."))

        return self._step(
            request,
            event,
            ReasonForm(request.POST or None),
            title=_("Cancel the event, for good"),
            warning=" ".join([told(event), _("This cannot be undone; you can copy the event later.")]),
            button=_("Cancel the event"),
            log_field="reason",
            do=do,
        )

    def copy(self, request, event):
        def do(form):
            copied = copy_event(event_id=event.pk, **form.cleaned_data)
            return Done(
                _("Copied. The copy is a draft that nobody sees yet."),
                at=reverse("admin:events_event_change", args=[copied.pk]),
                made=copied,
            )

        form = CopyForm(
            request.POST or None,
            initial={"title": event.title, "event_date": event.event_date},
            zone=event.zone,
        )
        return self._step(
            request,
            event,
            form,
            title=_("Copy the event"),
            warning=_("The copy is a draft with the same words, seats and plan, and no bookings."),
            button=_("Copy"),
            do=do,
        )

    def attendees(self, request, event):
        return attendees_response(self, request, event)

    def _step(self, request, event, form, **words):
        refused = (BookingRefused, EventRefused)
        return answer_step(self, request, event, form=form, refused=refused, in_words=for_organizer, **words)
