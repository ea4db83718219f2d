"""The whole admin, as the resolver and the registry have it, against everybody who might come to it.

What stands there and not in the tables below fails: a page, an action, a model, an inline or a field with
choices cannot be added without saying who may use it.
"""

import pytest
from django.contrib.admin import site
from django.core.exceptions import ImproperlyConfigured
from django.db import models
from django.forms import ModelChoiceField
from django.test import Client, RequestFactory
from django.urls import reverse

from bookings.models import Booking
from events.models import Event
from orgs.admin_site import TenantAdminSite, TenantModelAdmin
from orgs.admin_site.walls import Walls
from orgs.models import Membership, Organization, User
from tests.admin_map import (
    ACTIONS,
    ALSO,
    BACKEND,
    EVERYBODY,
    INLINES,
    LOOKED_AT,
    MISSING,
    ORGANIZERS,
    OUTSIDE,
    READ_ONLY,
    RELATED_CHOICES,
    UUID_IN_TEXT,
    Visitor,
    address,
    admin_patterns,
    asks,
    expected_pages,
    furnish,
    names,
    row_of,
    state_of,
    takes_a_row,
)
from tests.racing import at_once
from tests.tenants import Tenants


@pytest.fixture
def tenants(tenants) -> Tenants:
    """The two, with what only the admin shows."""
    for tenant in tenants:
        furnish(tenant)
    return tenants


class TestWhatIsThere:
    def test_is_listed_with_who_may_use_it(self):
        assert set(names()) == set(expected_pages())

    def test_has_no_page_without_a_name_but_djangos_own_redirects(self):
        nameless = [str(pattern.pattern) for pattern in admin_patterns() if not pattern.name]
        assert set(nameless) <= {"<path:object_id>/", "(?P<url>.*)$"}

    def test_has_the_listed_actions_and_no_others(self, tenants):
        request = RequestFactory().get("/")
        request.user = User(is_platform_staff=True)
        request.session = {}
        found = {
            (f"{model._meta.app_label}_{model._meta.model_name}", action)
            for model, admin in site._registry.items()
            for action in admin.get_actions(request)
        }
        assert found == set(ACTIONS)

    def test_has_the_listed_inlines_and_no_others(self):
        found = {(model, inline.model) for model, admin in site._registry.items() for inline in admin.inlines}
        assert found == INLINES

    def test_names_no_row_that_is_not_its_own_in_a_readonly_field_or_a_column(self):
        """A relation prints the remote row's name unasked: only rows of the same tenant may stand there."""
        within = {Event, Organization, Booking}
        for admin in site._registry.values():
            for name in {*admin.list_display, *admin.readonly_fields}:
                field = {field.name: field for field in admin.opts.get_fields()}.get(name)
                if isinstance(field, models.ForeignKey) and not hasattr(admin, name):
                    assert field.remote_field.model in within, f"{admin}: {name}"


@pytest.mark.parametrize("role", EVERYBODY)
@pytest.mark.usefixtures("as_the_application")
class TestEveryPage:
    def test_opens_for_whom_it_should_and_tells_of_nobody_else(self, tenants, role):
        visitor = Visitor(role, tenants)
        before = state_of(visitor.foreign)
        for method in ("get", "post"):
            for name, who in expected_pages().items():
                allowed = role in who and (method == "get" or name not in READ_ONLY)
                self.visit(visitor, method, name, allowed=allowed)
        if role != "platform":
            assert state_of(visitor.foreign) == before

    def visit(self, visitor, method, name, *, allowed):
        if not takes_a_row(name):
            if (method, name) == ("post", "logout"):
                return
            answer = visitor.ask(method, address(name))
            self.judge(visitor, name, answer, allowed=allowed)
            return
        foreign = visitor.ask(method, address(name, visitor.row(name, visitor.foreign).pk))
        missing = visitor.ask(method, address(name, MISSING))
        own = visitor.ask(method, address(name, visitor.row(name, visitor.own).pk))
        self.judge(visitor, name, own, allowed=allowed)
        if visitor.role == "platform":
            self.judge(visitor, name, foreign, allowed=allowed)
            return
        assert self.outline(foreign) == self.outline(missing), f"{visitor.role}: {method} {name}"
        if allowed:
            assert foreign.status_code == 302
            assert foreign.url == reverse("admin:index")

    @staticmethod
    def outline(answer) -> tuple[int, str]:
        """What an answer says apart from the key that was asked for."""
        return answer.status_code, UUID_IN_TEXT.sub("…", answer.get("Location", "") + answer.seen_page)

    def judge(self, visitor, name, answer, *, allowed):
        where = f"{visitor.role}: {name} answered {answer.status_code}"
        if name == "login":
            assert answer.status_code in (302, 403), where
        elif visitor.role in OUTSIDE:
            assert answer.status_code == 302, where
            assert answer.url.startswith((reverse("admin:login"), reverse("admin:index"))), where
        elif allowed:
            assert answer.status_code in {200, 302, 405, 422} | ALSO.get(name, set()), where
        else:
            assert answer.status_code == 403, where

    def test_control_without_the_walls_the_marker_of_the_others_shows(self, tenants, role, monkeypatch):
        monkeypatch.setattr(Walls, "within", lambda self, request, rows: rows)
        visitor = Visitor(role, tenants)
        for page in ("events_event_changelist", "bookings_booking_changelist"):
            shown = visitor.client.get(address(page)).content.decode()
            assert visitor.foreign.names(shown) is (role in ORGANIZERS)


@pytest.mark.parametrize("role", [role for role in EVERYBODY if role not in OUTSIDE])
@pytest.mark.usefixtures("as_the_application")
class TestInside:
    def test_actions_reach_own_rows_alone(self, tenants, role):
        visitor = Visitor(role, tenants)
        before = state_of(visitor.foreign)
        for (model, action), who in ACTIONS.items():
            url = reverse(f"admin:{model}_changelist")
            for pk in (visitor.row(f"{model}_", visitor.foreign).pk, MISSING, "nonsense", "\x00"):
                chosen = {"action": action, "_selected_action": [str(pk)], "confirmed": "yes"}
                if role == "platform" and pk != MISSING:
                    continue
                answer = visitor.ask("post", url, chosen)
                assert answer.status_code in ((302, 200, 400) if role in who else (403, 302)), model
        if role != "platform":
            assert state_of(visitor.foreign) == before

    def test_lists_answer_only_the_questions_they_offer(self, tenants, role):
        """Any other lookup would tell, by what the list shows, what stands in columns that are not shown."""
        visitor = Visitor(role, tenants)
        for model, admin in site._registry.items():
            name = f"{model._meta.app_label}_{model._meta.model_name}"
            if not asks(role, LOOKED_AT[name]):
                continue
            url = reverse(f"admin:{name}_changelist")
            for field in model._meta.get_fields():
                for lookup in (field.name, f"{field.name}__startswith"):
                    if lookup not in admin.lookups(None):
                        assert visitor.ask("get", url, {lookup: "z"}).status_code == 400, f"{name}: {lookup}"
            for lookup in admin.lookups(None):
                for value in (str(visitor.foreign.event.pk), "z", "99999999999999999999"):
                    assert visitor.ask("get", url, {lookup: value}).status_code in (200, 302, 400)

    def test_search_finds_nothing_of_others(self, tenants, role):
        visitor = Visitor(role, tenants)
        for model in site._registry:
            name = f"{model._meta.app_label}_{model._meta.model_name}"
            if role in LOOKED_AT[name]:
                # The word itself is shown again in the search box, so only half of it is asked for.
                answer = visitor.ask(
                    "get", reverse(f"admin:{name}_changelist"), {"q": visitor.foreign.marker[:6]}
                )
                assert answer.status_code in (200, 302)

    def test_forms_offer_and_accept_own_rows_alone(self, tenants, role):
        visitor = Visitor(role, tenants)
        request = RequestFactory().get("/")
        request.user, request.session = visitor.who, {}
        found = set()
        for model, admin in site._registry.items():
            if role not in LOOKED_AT[f"{model._meta.app_label}_{model._meta.model_name}"]:
                continue
            for row in (None, row_of(visitor.own, model)):
                for name, field in admin.get_form(request, row)().fields.items():
                    if not isinstance(field, ModelChoiceField):
                        continue
                    found.add((model, name))
                    foreign = row_of(visitor.foreign, field.queryset.model).pk
                    assert field.queryset.filter(pk=foreign).exists() is (role == "platform")
        assert found == (RELATED_CHOICES if role == "platform" else set())

    def test_autocomplete_offers_own_rows_alone(self, tenants, role):
        visitor = Visitor(role, tenants)
        for model in site._registry:
            for field in model._meta.get_fields():
                asked = {
                    "app_label": model._meta.app_label,
                    "model_name": model._meta.model_name,
                    "field_name": field.name,
                }
                for term in ("", visitor.foreign.marker[:6], "\x00"):
                    answer = visitor.ask("get", reverse("admin:autocomplete"), {**asked, "term": term})
                    assert answer.status_code in (200, 400, 403, 404)


@pytest.mark.usefixtures("as_the_application")
class TestTheLog:
    def test_names_no_platform_staff_to_tenants(self, tenants):
        own = tenants.acme
        platform, organizer = Visitor("platform", tenants), Visitor("organizer", tenants)
        platform.ask("post", address("events_event_cancel", own.event.pk), {"reason": "Storm"})
        seen = organizer.ask("get", address("events_event_history", own.event.pk)).seen
        assert "Cancel the event, for good: Storm" in seen
        assert "Root" not in seen
        assert tenants.platform.email not in seen
        assert "Root" in platform.ask("get", address("events_event_history", own.event.pk)).seen

    def test_keeps_what_was_done_elsewhere_from_who_is_there_no_more(self, tenants):
        own, other = tenants
        person = own.organizer
        away = Membership.objects.create(organization=other.organization, user=person, role="organizer")
        client = Client()
        client.force_login(person, backend=BACKEND)
        client.post(reverse("admin:switch"), {"organization": str(other.organization.pk)})
        client.post(address("bookings_booking_resend", other.booking.pk))
        assert other.names(client.get(reverse("admin:index")).content)
        away.delete()
        assert not other.names(client.get(reverse("admin:index")).content)


@pytest.mark.usefixtures("as_the_application")
class TestSwitching:
    def test_shows_one_organization_at_a_time_to_who_has_two(self, tenants):
        first, second = tenants
        person = first.organizer
        Membership.objects.create(organization=second.organization, user=person, role="organizer")
        client = Client()
        client.force_login(person, backend=BACKEND)
        for here, there in ((first, second), (second, first), (first, second)):
            client.post(reverse("admin:switch"), {"organization": str(here.organization.pk)})
            shown = client.get(reverse("admin:events_event_changelist")).content.decode()
            assert f"{here.marker} event" in shown
            assert f"{there.marker} event" not in shown

    def test_to_a_foreign_organization_is_as_to_a_missing_one(self, tenants):
        visitor = Visitor("admin", tenants)
        answers = []
        for choice in (str(visitor.foreign.organization.pk), str(MISSING), "all", "nonsense", ""):
            visitor.ask("post", reverse("admin:switch"), {"organization": choice})
            answers.append("no such organization" in visitor.ask("get", reverse("admin:index")).seen)
            assert visitor.own.names(visitor.ask("get", reverse("admin:events_event_changelist")).seen)
        assert answers == [True] * 5

    def test_is_over_when_the_membership_is(self, tenants):
        first, second = tenants
        person = first.organizer
        there = Membership.objects.create(organization=second.organization, user=person, role="organizer")
        client = Client()
        client.force_login(person, backend=BACKEND)
        client.post(reverse("admin:switch"), {"organization": str(second.organization.pk)})
        there.status = "suspended"
        there.save()
        assert not second.names(client.get(reverse("admin:events_event_changelist")).content)

    def test_lets_platform_staff_look_at_one_or_all(self, tenants):
        visitor = Visitor("platform", tenants)
        listed = reverse("admin:events_event_changelist")
        own, foreign = f"{visitor.own.marker} event", f"{visitor.foreign.marker} event"
        everything = visitor.ask("get", listed).seen
        assert own in everything
        assert foreign in everything
        visitor.ask("post", reverse("admin:switch"), {"organization": str(visitor.own.organization.pk)})
        assert foreign not in visitor.ask("get", listed).seen
        visitor.ask("post", reverse("admin:switch"), {"organization": "all"})
        assert foreign in visitor.ask("get", listed).seen


@pytest.mark.usefixtures("as_the_application")
class TestAnOrganizationsOwnHost:
    def test_shows_that_one_alone_whatever_was_chosen(self, tenants):
        first, second = tenants
        Membership.objects.create(organization=second.organization, user=first.organizer, role="organizer")
        for person in (first.organizer, tenants.platform):
            client = Client(headers={"host": first.host})
            client.force_login(person, backend=BACKEND)
            client.post(reverse("admin:switch"), {"organization": str(second.organization.pk)})
            shown = client.get(reverse("admin:events_event_changelist")).content
            assert first.names(shown)
            assert not second.names(shown)

    def test_keeps_the_administrators_of_others_out(self, tenants):
        first, second = tenants
        client = Client(headers={"host": second.host})
        client.force_login(first.admin, backend=BACKEND)
        answer = client.get(reverse("admin:index"), follow=True)
        assert answer.status_code == 403


class TestRegistering:
    def test_refuses_a_model_admin_without_walls(self):
        with pytest.raises(ImproperlyConfigured):
            TenantAdminSite().register(Event)

    def test_refuses_one_that_does_not_say_how_its_rows_reach_their_organization(self):
        class Silent(TenantModelAdmin):
            pass

        with pytest.raises(ImproperlyConfigured):
            TenantAdminSite().register(Event, Silent)

    def test_refuses_the_same_of_an_inline(self):
        from django.contrib.admin import TabularInline

        class Plain(TabularInline):
            model = Booking

        class WithPlain(TenantModelAdmin):
            organization_path = "org"
            inlines = [Plain]

        with pytest.raises(ImproperlyConfigured):
            TenantAdminSite().register(Event, WithPlain)


@pytest.mark.django_db(transaction=True)
class TestAtOnce:
    def test_two_tenants_never_see_each_others_rows(self, tenants):
        """The model admins are shared by all threads: nothing of a request may stay on them."""
        own, other = tenants
        pages = [f"{name}_changelist" for name, who in LOOKED_AT.items() if "organizer" in who]

        def look(here, there):
            client = Client()
            client.force_login(here.organizer, backend=BACKEND)
            for _ in range(6):
                for page in pages:
                    shown = client.get(address(page)).content.decode()
                    assert here.names(shown)  # in the header, if nowhere else
                    assert not there.names(shown)
            return True

        assert at_once(lambda: look(own, other), lambda: look(other, own)) == [True, True]
