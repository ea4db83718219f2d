"""Joining by a proven mail domain, and leaving."""

import pytest

from orgs import offers
from orgs.models import Membership, Organization
from orgs.roles import Role
from tests.factories import EmailAddressFactory, MembershipFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def proven(acme):
    acme.settings = {"mail_domains": ["acme.example"]}
    acme.save()
    return acme


class TestMembershipThatIsOffered:
    def test_is_taken_up_by_a_button_and_is_never_more_than_a_members(self, client, proven):
        ada = UserFactory(email="ada@acme.example", verified=True)
        client.force_login(ada)
        assert "Join Acme" in client.get("/account/").content.decode()
        assert client.post(f"/orgs/{proven.pk}/join/").status_code == 303
        assert Membership.objects.get().role == "user"
        assert "Join Acme" not in client.get("/account/").content.decode()

    @pytest.mark.parametrize(
        "address", ["ada@acme.example.evil.example", "ada@sub.acme.example", "acme.example@evil.example"]
    )
    def test_is_for_no_address_that_only_looks_like_it(self, proven, address):
        assert not offers.offered_to(UserFactory(email=address, verified=True))

    def test_is_for_no_address_that_was_never_verified(self, client, proven):
        claimant = UserFactory(email="ada@acme.example")
        EmailAddressFactory(user=claimant, verified=False)
        client.force_login(claimant)
        assert client.post(f"/orgs/{proven.pk}/join/").status_code == 404

    def test_is_not_for_who_is_suspended(self, client, proven):
        ada = UserFactory(email="ada@acme.example", verified=True)
        MembershipFactory(organization=proven, user=ada, status="suspended")
        client.force_login(ada)
        assert client.post(f"/orgs/{proven.pk}/join/").status_code == 404

    def test_ends_with_the_organizations_being_active(self, proven):
        Organization.objects.update(status="suspended")
        assert not offers.offered_to(UserFactory(email="ada@acme.example", verified=True))


class TestTheOfferAfterSigningIn:
    @pytest.fixture
    def ada(self, client):
        person = UserFactory(email="ada@acme.example", verified=True)
        person.set_password("correct-horse-battery")
        person.save()
        return person

    @staticmethod
    def shown(client) -> str:
        facts = {"login": "ada@acme.example", "password": "correct-horse-battery"}
        return client.post("/accounts/login/", facts, follow=True).content.decode()

    def test_stands_on_the_page_that_one_comes_to(self, client, proven, ada):
        assert "Join Acme" in self.shown(client)
        assert client.post(f"/orgs/{proven.pk}/join/").status_code == 303
        assert "Join Acme" not in client.get("/").content.decode()

    def test_is_asked_for_when_signing_in_and_by_no_page(self, client, proven, ada):
        before = Organization.objects.filter(pk=proven.pk)
        before.update(settings={})
        self.shown(client)
        before.update(settings=proven.settings)
        assert "Join Acme" not in client.get("/").content.decode()

    def test_can_be_put_off_for_good(self, client, proven, ada):
        self.shown(client)
        page = client.post(f"/orgs/{proven.pk}/not-now/", follow=True).content.decode()
        assert "Join Acme" not in page
        client.logout()
        assert "Join Acme" not in self.shown(client)
        assert "Join Acme" in client.get("/account/").content.decode()

    def test_cannot_be_put_off_where_there_is_none(self, client, acme, ada):
        self.shown(client)
        assert client.post(f"/orgs/{acme.pk}/not-now/").status_code == 404
        ada.refresh_from_db()
        assert ada.profile == {}


class TestLeaving:
    def test_asks_first(self, client, acme, member):
        person = member()
        client.force_login(person)
        assert "Leave Acme?" in client.get(f"/orgs/{acme.pk}/leave/").content.decode()
        assert person.memberships.exists()
        assert client.post(f"/orgs/{acme.pk}/leave/").status_code == 303
        assert not person.memberships.exists()

    def test_says_why_the_last_administrator_cannot(self, client, acme, member):
        client.force_login(member(Role.ORG_ADMIN))
        answer = client.post(f"/orgs/{acme.pk}/leave/")
        assert answer.status_code == 409
        assert "Make somebody else an administrator first" in answer.content.decode()
