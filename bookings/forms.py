"""What the forms for booking, changing and cancelling say, before any rule of an event is asked."""

import re

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext, ngettext_lazy

LARGEST_BOOKING = 50
LONGEST_SEAT_NUMBER = 7  # digits


class SeatNumbers(forms.Field):
    """The seats ticked on a map: `seat_no`, once for each."""

    widget = forms.MultipleHiddenInput

    def clean(self, value) -> list[int]:
        for number in value or []:
            if not (number.isascii() and number.isdigit() and len(number) <= LONGEST_SEAT_NUMBER):
                raise ValidationError(
                    _("There is no seat “%(number)s”. Choose from the seats on the map."),
                    params={"number": number[:20]},
                )
        return [int(number) for number in value or []]


class WholeNumber(forms.IntegerField):
    """Digits as people write them. What Python reads beyond that, 1_0 for ten, is a slip and no number."""

    def to_python(self, value):
        if value not in self.empty_values and not re.fullmatch(r"-?[0-9]+", str(value).strip()):
            raise ValidationError(self.error_messages["invalid"], code="invalid")
        return super().to_python(value)


class SeatsForm(forms.Form):
    """How many seats, or which: one of the two."""

    seats = WholeNumber(
        min_value=1,
        max_value=LARGEST_BOOKING,
        required=False,
        error_messages={
            "invalid": _("Write the number of seats in digits, for example 2."),
            "min_value": _("Book at least one seat."),
            "max_value": ngettext_lazy(
                "One booking can hold at most %(limit_value)s seat.",
                "One booking can hold at most %(limit_value)s seats.",
                "limit_value",
            ),
        },
    )
    seat_no = SeatNumbers(required=False)

    def clean(self):
        if self.errors:
            return
        seats, seat_nos = self.cleaned_data["seats"], self.cleaned_data["seat_no"]
        if seats is None and not seat_nos:
            raise ValidationError(_("Say how many seats you want, or choose them on the map."))
        if seats is not None and seat_nos and seats != len(seat_nos):
            raise ValidationError(
                ngettext(
                    "You asked for %(seats)s seat and chose %(chosen)s. Do one or the other.",
                    "You asked for %(seats)s seats and chose %(chosen)s. Do one or the other.",
                    seats,
                ),
                params={"seats": seats, "chosen": len(seat_nos)},
            )
        if len(seat_nos) > LARGEST_BOOKING:
            raise ValidationError(
                _("One booking can hold at most %(most)s seats; you chose %(chosen)s."),
                params={"most": LARGEST_BOOKING, "chosen": len(seat_nos)},
            )

    @property
    def party(self) -> dict:
        """The request in the services' words: `seats` or `seat_nos`."""
        if seat_nos := self.cleaned_data["seat_no"]:
            return {"seat_nos": seat_nos}
        return {"seats": self.cleaned_data["seats"]}

    @property
    def chosen(self) -> list[int]:
        """The seats chosen on the map, as far as they can be read."""
        return getattr(self, "cleaned_data", {}).get("seat_no", [])

    @property
    def sentence(self) -> str:
        """What is wrong with it, in one sentence."""
        return next((error for errors in self.errors.values() for error in errors), "")


class SharedFields(dict):
    """Fields that no form of the class ever changes: every form looks at these, and copies none."""

    def __deepcopy__(self, memo) -> "SharedFields":
        return self


class BookForm(SeatsForm):
    or_wait = forms.BooleanField(required=False)
    idempotency_key = forms.UUIDField(
        required=False,
        error_messages={
            "invalid": _("This form was damaged on its way. Here is a fresh one: please book again.")
        },
    )


BookForm.base_fields = SharedFields(BookForm.base_fields)  # a crowd sends it, and most of it is refused


class ModifyForm(SeatsForm):
    version = forms.IntegerField(min_value=1, max_value=2**31 - 1)


class CancelForm(forms.Form):
    version = forms.IntegerField(min_value=1, max_value=2**31 - 1)
