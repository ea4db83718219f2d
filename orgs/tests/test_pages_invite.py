import re

import pytest
from django.urls import reverse
from django.utils import timezone

from orgs import invites
from orgs.models import Membership, User
from orgs.roles import Role
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db
ADA = "ada@example.test"
PAGE = "/invites/"


@pytest.fixture
def link(acme, admin, token_for):
    invites.invite(
        organization_id=acme.pk, email=ADA, role=Role.ORGANIZER, actor_id=admin.pk, now=timezone.now()
    )
    return f"/invites/{token_for(ADA)}/"


@pytest.fixture
def ada():
    return UserFactory(email=ADA, verified=True)


class TestTheLinkInTheMail:
    def test_leads_on_to_an_address_that_does_not_hold_the_token(self, client, link):
        answer = client.get(link)
        assert answer.url == PAGE
        assert answer["Referrer-Policy"] == "no-referrer"
        assert link not in client.get(PAGE).content.decode()

    def test_changes_nothing_by_being_opened(self, client, link, ada):
        client.force_login(ada)
        client.get(link, follow=True)
        assert not ada.memberships.exists()

    def test_is_no_use_once_it_is_nobodys(self, client):
        answer = client.get("/invites/never-given-out/", follow=True)
        assert answer.status_code == 404
        assert "does not work any more" in answer.content.decode()


class TestTheInvite:
    def test_is_accepted_by_the_button(self, client, link, ada):
        client.force_login(ada)
        client.get(link)
        assert "Accept the invitation" in client.get(PAGE).content.decode()
        answer = client.post(PAGE, follow=True)
        assert "Welcome to Acme" in answer.content.decode()
        assert ada.memberships.get().role == "organizer"

    def test_is_accepted_by_a_program_that_holds_the_link(self, client, link, ada):
        client.force_login(ada)
        assert client.post(link).status_code == 303
        assert ada.memberships.exists()

    def test_tells_somebody_else_whom_they_are_signed_in_as(self, client, link):
        eve = UserFactory(email="eve@example.test", verified=True)
        client.force_login(eve)
        answer = client.get(link, follow=True)
        assert answer.status_code == 403
        page = answer.content.decode()
        assert "You are signed in as eve@example.test" in page
        assert "Accept the invitation" not in page
        assert client.post(PAGE).status_code == 403
        assert not eve.memberships.exists()

    def test_leads_who_has_no_account_through_signing_up_and_back(self, client, link, mail_to):
        page = client.get(link, follow=True).content.decode()
        signing_up = re.search(r'href="(/accounts/signup/[^"]*)"', page)[1]
        facts = {"name": "Ada", "email": ADA, "password1": "correct-horse-battery", "next": PAGE}
        client.post(signing_up, facts)
        confirming = re.search(r"http://testserver(/\S+)", mail_to(ADA)[0])[1]
        answer = client.post(confirming, follow=True)
        assert answer.redirect_chain[-1][0] == PAGE
        client.post(PAGE)
        assert User.objects.get(email=ADA).memberships.get().role == "organizer"

    def test_leads_who_has_an_account_through_signing_in_and_back(self, client, link, ada):
        ada.set_password("correct-horse-battery")
        ada.save()
        client.get(link)
        facts = {"login": ADA, "password": "correct-horse-battery", "next": PAGE}
        assert client.post(reverse("account_login"), facts).url == PAGE
        client.post(PAGE)
        assert ada.memberships.exists()

    def test_asks_nobody_who_is_not_signed_in(self, client, link):
        client.get(link)
        assert client.post(PAGE).url == PAGE
        assert Membership.objects.count() == 1
