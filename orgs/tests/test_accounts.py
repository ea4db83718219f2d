import re
from uuid import uuid4

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse

from orgs.models import AccountMail, User
from orgs.tasks import send_account_mail
from tests.factories import UserFactory
from tests.racing import at_once

pytestmark = pytest.mark.django_db

SIGN_UP = {"name": "Ada", "email": "ada@example.org", "password1": "correct-horse-battery"}


class TestSigningUp:
    def test_ends_signed_in_by_the_link_in_the_mail(self, client):
        answer = client.post(reverse("account_signup"), SIGN_UP)
        assert answer.url == reverse("account_email_verification_sent")
        assert not mail.outbox  # a request speaks to no mail server
        send_account_mail()
        link = re.search(r"http://testserver(/\S+)", mail.outbox[0].body)[1]
        client.post(link)
        assert client.get(reverse("account")).status_code == 200
        person = User.objects.get()
        assert (person.name, person.email) == ("Ada", "ada@example.org")

    @pytest.mark.parametrize(
        "address",
        [
            f"{'a' * 250}@example.org",
            "ada@localhost",
            '"a b"@example.org',
            "ada@[127.0.0.1]",
            "ada@müller.example",
        ],
    )
    def test_refuses_an_address_that_the_database_would_refuse(self, client, address):
        answer = client.post(reverse("account_signup"), {**SIGN_UP, "email": address})
        assert answer.status_code == 422
        assert not User.objects.exists()

    def test_does_not_tell_whether_an_address_is_known(self, client):
        UserFactory(email="ada@example.org", verified=True)
        known = client.post(reverse("account_signup"), SIGN_UP)
        fresh = client.post(reverse("account_signup"), {**SIGN_UP, "email": "new@example.org"})
        assert (known.status_code, known.url) == (fresh.status_code, fresh.url)

    def test_knows_an_address_however_it_is_written(self, client):
        UserFactory(email="ada@example.org", verified=True)
        client.post(reverse("account_signup"), {**SIGN_UP, "email": "ADA@Example.org"})
        assert User.objects.count() == 1


class TestMailAboutAnAccount:
    def test_says_what_it_is_for_and_whose(self, client):
        address = f"{uuid4()}@example.org"  # a new one: how often one is written to is limited
        client.post(reverse("account_signup"), {**SIGN_UP, "email": address})
        owed = AccountMail.objects.get()
        assert (owed.kind, owed.recipient, owed.user) == ("verification", address, User.objects.get())

    def test_for_a_new_password_leads_to_the_page_for_it(self, client):
        person = UserFactory(email="ada@example.org", verified=True)
        client.post(reverse("account_reset_password"), {"email": "ada@example.org"})
        owed = AccountMail.objects.get()
        assert (owed.kind, owed.user) == ("password_reset", person)
        send_account_mail()
        link = re.search(r"http://testserver(/\S+)", mail.outbox[0].body)[1]
        assert client.get(link, follow=True).status_code == 200

    def test_that_has_no_kind_of_its_own_is_a_notice(self, client):
        client.post(reverse("account_reset_password"), {"email": "nobody@example.org"})
        assert AccountMail.objects.get().kind == "notice"


@pytest.mark.django_db(transaction=True)
class TestSigningUpTwiceAtOnce:
    def test_makes_one_account_and_answers_both_alike(self):
        answers = at_once(*[lambda: Client().post(reverse("account_signup"), SIGN_UP)] * 4)
        assert {(answer.status_code, answer.url) for answer in answers} == {
            (302, reverse("account_email_verification_sent"))
        }
        assert User.objects.count() == 1


class TestSigningIn:
    @pytest.fixture
    def ada(self):
        person = UserFactory(email="ada@example.org", verified=True)
        person.set_password("correct-horse-battery")
        person.save()
        return person

    def sign_in(self, client, password="correct-horse-battery"):
        facts = {"login": "ada@example.org", "password": password}
        return client.post(reverse("account_login"), facts)

    def test_leads_back_to_where_one_came_from(self, client, ada):
        url = reverse("account_login") + "?next=/bookings/"
        facts = {"login": "ada@example.org", "password": "correct-horse-battery", "next": "/bookings/"}
        assert client.post(url, facts).url == "/bookings/"

    def test_never_leads_to_another_site(self, client, ada):
        facts = {"login": "ada@example.org", "password": "correct-horse-battery", "next": "//evil.example/"}
        assert client.post(reverse("account_login"), facts).url == reverse("event_list")

    def test_is_refused_with_a_wrong_password(self, client, ada):
        assert self.sign_in(client, "wrong").status_code == 422
        assert client.get(reverse("account")).status_code == 302

    def test_is_refused_to_who_is_suspended(self, client, ada):
        User.objects.update(status="suspended")
        self.sign_in(client)
        assert client.get(reverse("account")).status_code == 302

    def test_ends_by_a_form_only(self, client, ada):
        self.sign_in(client)
        client.get(reverse("account_logout"))
        assert client.get(reverse("account")).status_code == 200
        client.post(reverse("account_logout"))
        assert client.get(reverse("account")).status_code == 302
