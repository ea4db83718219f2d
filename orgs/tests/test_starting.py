import pytest
from django.urls import reverse

from orgs import roles, starting
from orgs.models import Membership, MembershipHistory, Organization
from orgs.names import validate_visible
from orgs.roles import ALL
from orgs.starting import NameTaken, NotVerified, TooMany
from tests.factories import MembershipFactory, OrganizationFactory, UserFactory
from tests.racing import at_once

pytestmark = pytest.mark.django_db
FORM = {"name": "Acme Kulturhaus", "slug": "acme", "time_zone": "Europe/Berlin"}
PAGE = "/orgs/new/"


@pytest.fixture
def ada(client):
    person = UserFactory(verified=True)
    client.force_login(person)
    return person


class TestThePage:
    def test_makes_an_organization_and_leads_to_its_first_event(self, client, ada):
        answer = client.post(PAGE, FORM)
        assert (answer.status_code, answer.url) == (303, reverse("admin:events_event_add"))
        acme = Organization.objects.get()
        assert (acme.name, acme.slug, acme.settings) == (
            "Acme Kulturhaus",
            "acme",
            {"time_zone": "Europe/Berlin"},
        )
        assert roles.rights_in(ada, acme.pk) == ALL
        assert MembershipHistory.objects.get().actor_id == ada.pk

    def test_makes_the_short_name_of_the_name(self, client, ada):
        client.post(PAGE, {**FORM, "name": "Zoë & Müller’s Café", "slug": ""})
        assert Organization.objects.get().slug == "zoe-mullers-cafe"

    @pytest.mark.parametrize(
        ("change", "says"),
        [
            ({"slug": "www"}, "platform uses itself"),
            ({"slug": "-"}, "small letters"),
            ({"slug": "ac me"}, "small letters"),
            ({"name": "会", "slug": ""}, "small letters"),
            ({"name": "\u200b\u200b"}, "see and read"),
            ({"time_zone": "Mars/Olympus"}, "not one of the available choices"),
        ],
    )
    def test_says_what_to_do_about_names_that_cannot_be(self, client, ada, change, says):
        answer = client.post(PAGE, {**FORM, **change})
        assert answer.status_code == 422
        assert says in answer.content.decode()
        assert not Organization.objects.exists()

    def test_says_that_a_name_is_taken(self, client, ada):
        OrganizationFactory(slug="acme")
        answer = client.post(PAGE, FORM)
        assert answer.status_code == 422
        assert "somebody else’s" in answer.content.decode() or "else&#x27;s" in answer.content.decode()

    def test_can_be_switched_off(self, client, ada, settings):
        settings.ORGANIZATIONS_BY_ANYBODY = False
        assert client.get(PAGE).status_code == client.post(PAGE, FORM).status_code == 404
        assert PAGE not in client.get("/account/").content.decode()

    def test_is_found_from_the_account(self, client, ada):
        assert PAGE in client.get("/account/").content.decode()


class TestStartOrganization:
    @pytest.fixture
    def start(self, now):
        def starting_one(person, **facts):
            return starting.start_organization(**{**FORM, **facts}, user_id=person.pk, now=now)

        return starting_one

    def test_needs_a_verified_address(self, start):
        with pytest.raises(NotVerified):
            start(UserFactory())

    def test_ends_at_a_handful(self, start, ada):
        for _ in range(starting.MOST):
            MembershipFactory(user=ada, admin=True)
        with pytest.raises(TooMany):
            start(ada)

    @pytest.mark.django_db(transaction=True)
    def test_gives_a_short_name_to_one_of_two_who_want_it_at_once(self, start):
        people = [UserFactory(verified=True) for _ in range(2)]
        outcomes = at_once(*(lambda person=person: start(person) for person in people))
        assert sorted(type(outcome) for outcome in outcomes if isinstance(outcome, Exception)) == [NameTaken]
        assert Organization.objects.count() == Membership.objects.count() == 1


class TestNames:
    @pytest.mark.parametrize("name", ["Ada", "李", "Zoë 🎉", "O'Connor", "نور", "अनन्\u200dया"])
    def test_that_people_have_are_taken(self, name):
        validate_visible(name)

    @pytest.mark.parametrize("name", ["\u200b", "\u3164", "\u2800", " \u00a0", "\u202ea", "a\u0000", "a\nb"])
    def test_of_which_nothing_is_seen_or_that_upset_others_are_refused(self, client, name):
        facts = {"name": name, "email": "ada@example.org", "password1": "correct-horse-battery"}
        answer = client.post(reverse("account_signup"), facts)
        assert answer.status_code == 422
        assert answer.context["form"].errors["name"]
