"""Booking for somebody: a member of the organization, or a person who has booked with it before.

Nobody else can be named, and an address that belongs to nobody is answered like one that belongs to somebody
the organization has never met: an organizer must not learn who else uses the platform.
"""

from uuid import UUID, uuid4

from django import forms
from django.db.models import Exists, OuterRef
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from bookings import services
from bookings.admin.event_words import for_organizer, waiting
from bookings.errors import BookingRefused
from bookings.forms import LARGEST_BOOKING
from bookings.models import Booking
from orgs.admin_site import Done, answer_step
from orgs.models import Membership, User


class BookForForm(forms.Form):
    email = forms.EmailField(
        label=gettext_lazy("Whose address"),
        max_length=254,
        help_text=gettext_lazy("Of a member, or of somebody who has booked with you before."),
    )
    seats = forms.IntegerField(label=gettext_lazy("Seats"), min_value=1, max_value=LARGEST_BOOKING, initial=1)
    or_wait = forms.BooleanField(
        label=gettext_lazy("Put them on the waitlist if there are not enough seats"), required=False
    )
    key = forms.UUIDField(widget=forms.HiddenInput)

    def __init__(self, *args, organization_id: UUID, **kwargs):
        super().__init__(*args, **kwargs)
        self.organization_id = organization_id

    def clean_email(self) -> User:
        person = known_person(self.cleaned_data["email"], organization_id=self.organization_id)
        if person is None:
            raise forms.ValidationError(
                _("Nobody of that address is a member or has booked with you. Send them the link.")
            )
        return person


def book_step(model_admin, request, event):
    def do(form):
        facts = form.cleaned_data
        booking = services.book(
            event_id=event.pk,
            user_id=facts["email"].pk,
            seats=facts["seats"],
            or_wait=facts["or_wait"],
            key=facts["key"],
            actor_id=request.user.pk,
            now=timezone.now(),
        )
        words = (
            _("%(name)s is on the waitlist, and is told.")
            if booking.is_waiting
            else ngettext(
                "%(seats)s seat is booked for %(name)s, who is told.",
                "%(seats)s seats are booked for %(name)s, who is told.",
                booking.seats,
            )
        )
        return Done(
            words % {"name": facts["email"], "seats": booking.seats},
            at=reverse("admin:bookings_booking_change", args=[booking.pk]),
        )

    return answer_step(
        model_admin,
        request,
        event,
        form=BookForForm(request.POST or None, initial={"key": uuid4()}, organization_id=event.org_id),
        title=_("Book for somebody"),
        warning=waiting(event),
        button=_("Book"),
        do=do,
        refused=(BookingRefused,),
        in_words=for_organizer,
    )


def known_person(email: str, *, organization_id: UUID) -> User | None:
    """Who has this address, if the organization knows them."""
    members = Membership.objects.active().filter(organization=organization_id, user=OuterRef("pk"))
    booked = Booking.objects.filter(event__org=organization_id, user=OuterRef("pk"))
    people = User.objects.filter(Exists(members) | Exists(booked), email__iexact=email)
    return people.filter(status=User.Status.ACTIVE).first()
