"""Journeys of an attendee from page to page, as a browser without JavaScript makes them.

`Visitor` knows only what stands in the pages: it follows links and sends the forms that it finds there.
"""

import re
from html.parser import HTMLParser

import pytest
from django.core import mail
from django.test import Client

from bookings.models import Booking
from orgs.models import User
from orgs.tasks import send_account_mail
from tests.factories import EventFactory, MembershipFactory, UserFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("as_the_application")]


SCRIPT = r"<script(?![^>]*\b(?:src=|type=.application/json))[^>]*>"  # JSON is data, and never runs


class Page(HTMLParser):
    """The forms, links, ids and words of a page."""

    def __init__(self, html: str):
        super().__init__()
        self.forms, self.links, self.ids, self.styled, self.labels = [], [], [], [], set()
        self.words = " ".join(re.sub(r"<[^>]+>", " ", html).split())
        self.inline = re.findall(rf"{SCRIPT}|<style|\son\w+=|javascript:", html)
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        if "style" in attrs:
            self.styled.append(tag)
        if "id" in attrs:
            self.ids.append(attrs["id"])
        if tag == "a":
            self.links.append(attrs.get("href"))
        elif tag == "form":
            self.forms.append({"attrs": attrs, "fields": [], "buttons": 0})
        elif tag == "label" and "for" in attrs:
            self.labels.add(attrs["for"])
        elif self.forms and tag == "button":
            self.forms[-1]["buttons"] += 1
        elif self.forms and tag in ("input", "select", "textarea") and "name" in attrs:
            self.forms[-1]["fields"].append(attrs)
        elif self.forms and tag == "option" and ("selected" in attrs or "value" not in self._last_field):
            self._last_field["value"] = attrs.get("value", "")

    @property
    def _last_field(self) -> dict:
        return self.forms[-1]["fields"][-1]

    def form_to(self, action: str) -> dict:
        return next(form for form in self.forms if action in (form["attrs"].get("action") or ""))


class Visitor:
    def __init__(self):
        self.client = Client(enforce_csrf_checks=True)
        self.path, self.page, self.status = "", None, None

    def open(self, path: str) -> Page:
        return self._arrive(self.client.get(path, follow=True), path)

    def send(self, form: dict, **filled) -> Page:
        """Send a form with what stands in it; `filled` as a person would fill it in."""
        fields = {}
        for attrs in form["fields"]:
            is_ticked = attrs.get("type") in ("checkbox", "radio")
            if is_ticked and "checked" not in attrs:
                continue
            fields.setdefault(attrs["name"], []).append(attrs.get("value", "on" if is_ticked else ""))
        for name, value in filled.items():
            fields[name] = value if isinstance(value, list) else [value]
        path = form["attrs"].get("action") or self.path
        return self._arrive(self.client.post(path, fields, follow=True), path)

    def sign_in(self, email: str, password: str) -> Page:
        page = self.open("/accounts/login/")
        return self.send(page.form_to("/accounts/login/"), login=email, password=password)

    def _arrive(self, response, path: str) -> Page:
        self.path = response.redirect_chain[-1][0] if response.redirect_chain else path
        self.status = response.status_code
        self.page = Page(response.content.decode())
        return self.page


@pytest.fixture
def visitor():
    return Visitor()


@pytest.fixture
def uma(visitor):
    person = UserFactory(verified=True, name="Uma")
    visitor.client.force_login(person)
    return person


class TestANewPerson:
    def test_signs_up_confirms_the_address_and_books(self, visitor):
        event = EventFactory(title="Jazz night")
        page = visitor.open("/")
        assert "Jazz night" in page.words
        page = visitor.open(f"/events/{event.pk}/")
        signup = next(link for link in page.links if link.startswith("/accounts/signup/"))
        page = visitor.open(signup)
        page = visitor.send(
            page.form_to("/accounts/signup/"),
            name="Nora",
            email="nora@example.test",
            password1="a-long-passphrase",
        )
        assert "Look into your mail" in page.words
        send_account_mail()
        link = re.search(r"https?://[^/\s]+(/accounts/confirm-email/\S+)", mail.outbox[-1].body).group(1)
        page = visitor.open(link)
        assert "Is this your address?" in page.words
        visitor.send(page.form_to("/accounts/confirm-email/"))
        assert User.objects.get(email="nora@example.test").name == "Nora"
        page = visitor.open(f"/events/{event.pk}/")
        page = visitor.send(page.form_to("/book/"), seats="2")
        assert visitor.path == f"/bookings/{Booking.objects.get().pk}/"
        assert "Confirmed" in page.words
        assert "Seats 1–2" in page.words

    def test_is_led_back_to_the_event_after_signing_in(self, visitor):
        person = UserFactory(verified=True)
        person.set_password("a-long-passphrase")
        person.save()
        event = EventFactory()
        page = visitor.open(f"/events/{event.pk}/")
        login = next(link for link in page.links if link.startswith("/accounts/login/"))
        page = visitor.open(login)
        visitor.send(page.form_to("/accounts/login/"), login=person.email, password="a-long-passphrase")
        assert visitor.path == f"/events/{event.pk}/"

    def test_with_a_wrong_password_is_told_and_stays_out(self, visitor):
        page = visitor.sign_in("nobody@example.test", "wrong-password-here")
        assert "Welcome back" in page.words
        assert "not correct" in page.words

    def test_forgets_the_password_and_chooses_a_new_one(self, visitor):
        person = UserFactory(verified=True)
        person.set_password("the-old-passphrase")
        person.save()
        page = visitor.open("/accounts/password/reset/")
        page = visitor.send(page.form_to("/accounts/password/reset/"), email=person.email)
        assert "Look into your mail" in page.words
        send_account_mail()
        link = re.search(r"https?://[^/\s]+(/accounts/password/reset/key/\S+)", mail.outbox[-1].body).group(1)
        page = visitor.open(link)
        form = next(form for form in page.forms if any(f["name"] == "password1" for f in form["fields"]))
        names = {field["name"] for field in form["fields"]} & {"password1", "password2"}
        visitor.send(form, **dict.fromkeys(names, "a-new-passphrase"))
        person.refresh_from_db()
        assert person.check_password("a-new-passphrase")
        assert "This link no longer works" in Visitor().open(link).words


class TestBookingChangingCancelling:
    def test_on_a_map(self, visitor, uma):
        event = EventFactory(with_layout=True)
        page = visitor.open(f"/events/{event.pk}/")
        on_the_map = next(
            form for form in page.forms if any(field["name"] == "seat_no" for field in form["fields"])
        )
        page = visitor.send(on_the_map, seat_no=["3", "4"])
        assert "Row A, seats 3–4" in page.words
        page = visitor.open(next(link for link in page.links if link.endswith("/modify/")))
        on_the_map = next(
            form for form in page.forms if any(field["name"] == "seat_no" for field in form["fields"])
        )
        page = visitor.send(on_the_map, seat_no=["4", "5"])
        assert "Row A, seats 4–5" in page.words
        page = visitor.open(next(link for link in page.links if link.endswith("/cancel/")))
        page = visitor.send(next(form for form in page.forms if form["attrs"].get("method") == "post"))
        assert "Cancelled by you" in page.words
        assert "You gave back 2 seats." in visitor.open("/notifications/").words

    def test_from_full_house_over_the_line_to_a_seat(self, visitor, uma):
        event = EventFactory(total_slots=2)
        first = Visitor()
        first.client.force_login(UserFactory(verified=True))
        first.send(first.open(f"/events/{event.pk}/").form_to("/book/"), seats="2")
        page = visitor.send(visitor.open(f"/events/{event.pk}/").form_to("/book/"), seats="2")
        waiting = visitor.path
        assert "Your place in line 1 You are next." in page.words
        cancel = next(link for link in first.open(first.path).links if link.endswith("/cancel/"))
        page = first.open(cancel)
        first.send(next(form for form in page.forms if form["attrs"].get("method") == "post"))
        assert "Moved up from the waitlist" in visitor.open(waiting).words
        assert "Your turn" in visitor.open("/notifications/").words


class TestTheAccount:
    def test_changes_the_name_and_signs_out(self, visitor, uma):
        page = visitor.open("/account/")
        form = next(form for form in page.forms if any(field["name"] == "name" for field in form["fields"]))
        page = visitor.send(form, name="Uma the Second")
        assert "Your details are saved." in page.words
        page = visitor.send(page.form_to("/accounts/logout/"))
        assert "Sign in" in page.words

    def test_refuses_a_name_of_nothing(self, visitor, uma):
        page = visitor.open("/account/")
        form = next(form for form in page.forms if any(field["name"] == "name" for field in form["fields"]))
        visitor.send(form, name="   ")
        assert visitor.status == 422
        uma.refresh_from_db()
        assert uma.name == "Uma"

    def test_names_ones_organizations(self, visitor, uma):
        membership = MembershipFactory(user=uma)
        assert membership.organization.name in visitor.open("/account/").words


class TestEveryPage:
    PATHS = (
        "/",
        "/events/?q=x&category=bad&from=x",
        "/events/{event}/",
        "/bookings/",
        "/bookings/?when=past",
        "/bookings/{booking}/",
        "/bookings/{booking}/modify/",
        "/bookings/{booking}/cancel/",
        "/notifications/",
        "/account/",
        "/accounts/email/",
        "/accounts/password/change/",
        "/accounts/logout/",
        "/nothing/",
    )
    STRANGERS_PATHS = (
        "/accounts/login/",
        "/accounts/signup/",
        "/accounts/password/reset/",
        "/accounts/password/reset/done/",
        "/accounts/confirm-email/",
        "/accounts/confirm-email/nonsense/",
        "/accounts/password/reset/key/1-nonsense/",
        "/accounts/password/reset/key/done/",
        "/accounts/inactive/",
    )

    @pytest.fixture
    def places(self, visitor, uma):
        event = EventFactory(with_layout=True)
        visitor.send(visitor.open(f"/events/{event.pk}/").form_to("/book/"), seats="1")
        return {"event": event.pk, "booking": Booking.objects.get().pk}

    @pytest.mark.parametrize("path", PATHS)
    def test_stands_in_the_sites_own_design_within_its_walls(self, visitor, places, path):
        _is_a_whole_page(visitor.open(path.format(**places)))

    @pytest.mark.parametrize("path", STRANGERS_PATHS)
    def test_for_strangers_does_so_too(self, visitor, path):
        _is_a_whole_page(visitor.open(path))

    @pytest.mark.parametrize("path", PATHS)
    def test_costs_at_most_eight_questions(self, visitor, places, path, django_assert_max_num_queries):
        visitor.open(path.format(**places))
        with django_assert_max_num_queries(8):
            visitor.open(path.format(**places))

    def test_comes_with_a_policy_that_allows_nothing_inline(self, visitor):
        policy = visitor.client.get("/")["Content-Security-Policy"]
        assert "script-src 'self'" in policy
        assert "style-src 'self'" in policy
        assert "unsafe" not in policy


def _is_a_whole_page(page: Page) -> None:
    assert "Happening" in page.words
    assert "main" in page.ids
    assert "#main" in page.links
    assert page.inline == []
    assert page.styled == []
    assert len(page.ids) == len(set(page.ids)), "an id stands twice"
    for form in page.forms:
        assert form["buttons"], "a form without a button cannot be sent without JavaScript"
        if form["attrs"].get("method") == "post":
            assert any(field["name"] == "csrfmiddlewaretoken" for field in form["fields"])
        for field in form["fields"]:
            named = field.get("type") in ("hidden", "checkbox", "radio") or "aria-label" in field
            assert named or field["id"] in page.labels, f"{field['name']} has no label"
