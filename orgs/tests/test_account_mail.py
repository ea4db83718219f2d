"""The queue of account mail: from a real table to a real mail server."""

import json
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from orgs import account_mail, sealing
from orgs.account_mail import NoAddress, TextGone
from orgs.models import AccountMail
from orgs.postman import LEASE, Postman, send_due
from tests.factories import OrganizationFactory, UserFactory
from tests.post_office import PostOffice

pytestmark = pytest.mark.django_db
SECRET = "https://happening.example/accounts/password/reset/key/abc-123/"
TEXT = f"Hello,\n\nopen this: {SECRET}\n"


@pytest.fixture
def now():
    return timezone.now()


@pytest.fixture
def office(settings):
    with PostOffice() as office:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", office.port
        settings.EMAIL_TIMEOUT = 2
        yield office


@pytest.fixture
def post(now):
    def posting(to="ada@example.org", **facts) -> AccountMail:
        facts = {
            "kind": "password_reset",
            "subject": "Choose a new password",
            "text": TEXT,
            "now": now,
        } | facts
        return account_mail.post(to=to, **facts)

    return posting


def go_round(*, now) -> int:
    """Send until there is nothing to do; returns in how many steps."""
    steps = 0
    with Postman() as postman:
        while postman.send_next(clock=lambda: now):
            steps += 1
    return steps


class TestPost:
    def test_owes_a_mail_with_whose_it_is(self, post, now):
        person, org = UserFactory(), OrganizationFactory()
        mail = post(kind="invite", user_id=person.pk, organization_id=org.pk)
        mail.refresh_from_db()
        assert (mail.status, mail.due_at, mail.user, mail.organization) == ("pending", now, person, org)

    def test_stands_or_falls_with_its_transaction(self, post):
        with transaction.atomic():
            post()
            transaction.set_rollback(True)
        assert not AccountMail.objects.exists()

    def test_keeps_nothing_secret_in_sight(self, post):
        mail = post(html=f'<a href="{SECRET}">x</a>')
        with connection.cursor() as cursor:
            cursor.execute("SELECT to_jsonb(account_mails)::text FROM account_mails WHERE id = %s", [mail.pk])
            assert "abc-123" not in cursor.fetchone()[0]

    @pytest.mark.parametrize(
        "address",
        [
            "ada@example.org\r\nBcc: all@example.org",
            "ada@example.org\n",
            "ada@example.org, eve@example.org",
            "Ada <ada@example.org>",
            f"{'a' * 250}@example.org",
            "ada",
            "",
        ],
    )
    def test_refuses_what_is_not_one_address(self, post, address):
        with pytest.raises(NoAddress):
            post(to=address)

    def test_makes_one_line_of_a_subject(self, post):
        assert post(subject="Join\r\nBcc: all@example.org").subject == "Join Bcc: all@example.org"
        assert len(post(subject="x" * 1_000).subject) == 250


class TestSending:
    def test_reaches_the_server_and_leaves_no_text_behind(self, office, post, now):
        mail = post(html="<p>Hello</p>")
        assert go_round(now=now) == 1
        [taken] = office.taken
        assert SECRET in taken
        assert "To: ada@example.org" in taken
        assert f"Message-ID: <account-{mail.pk}@" in taken
        assert "<p>Hello</p>" in taken
        mail.refresh_from_db()
        assert (mail.status, mail.sent_at, mail.sealed, mail.lease_until) == ("sent", now, None, None)

    def test_sends_many_over_one_connection_in_their_order(self, office, post, now):
        for number in (2, 0, 1):
            post(to=f"ada{number}@example.org", now=now - timedelta(minutes=10 - number))
        assert go_round(now=now) == 3
        assert office.connections == 1
        assert [f"To: ada{n}@" in taken for n, taken in enumerate(office.taken)] == [True] * 3

    def test_goes_on_in_another_round_when_its_time_is_up(self, office, post, now):
        for number in range(3):
            post(to=f"ada{number}@example.org")
        assert send_due(clock=lambda: now, seconds=0) == 1
        assert sorted(AccountMail.objects.values_list("attempts", flat=True)) == [0, 0, 1]
        assert send_due(clock=lambda: now) == 2

    def test_says_when_the_server_took_it_and_not_when_it_was_begun(self, office, post, now):
        mail, moments = post(), iter([now, now + timedelta(seconds=7)])
        with Postman() as postman:
            postman.send_next(clock=lambda: next(moments))
        mail.refresh_from_db()
        assert mail.sent_at == now + timedelta(seconds=7)

    def test_does_nothing_when_nothing_is_due(self, office, post, now):
        post(now=now + timedelta(minutes=1))
        assert go_round(now=now) == 0
        assert office.connections == 0

    def test_leaves_alone_what_another_has_in_hand_until_its_lease_ends(self, office, post, now):
        mail = post()
        AccountMail.objects.update(attempts=1, lease_until=now + LEASE)
        assert go_round(now=now) == 0
        assert go_round(now=now + LEASE + timedelta(seconds=1)) == 1
        mail.refresh_from_db()
        assert (mail.status, mail.attempts) == ("sent", 2)


class TestWhatFailsForNow:
    def test_waits_longer_each_time_and_says_why(self, settings, post, now):
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1  # nobody there
        mail, waits = post(), []
        for _ in range(7):
            at = mail.due_at
            assert go_round(now=at) == 0
            mail.refresh_from_db()
            waits.append((mail.due_at - at).total_seconds())
        assert waits == [10, 20, 40, 80, 160, 300, 300]
        assert (mail.status, mail.attempts) == ("pending", 7)
        assert "ConnectionRefusedError" in mail.last_error

    def test_is_sent_once_the_server_is_back(self, office, post, now):
        office.at_text = "451 Try again later"
        mail = post()
        go_round(now=now)
        office.at_text = "250 OK"
        mail.refresh_from_db()
        assert go_round(now=mail.due_at) == 1
        mail.refresh_from_db()
        assert (mail.status, mail.last_error, len(office.taken)) == ("sent", None, 1)

    def test_does_not_hold_up_the_others_where_the_server_answers(self, office, post, now):
        office.at_recipient = "450 Mailbox busy"
        post()
        post(to="eve@example.org")
        assert go_round(now=now) == 2
        assert set(AccountMail.objects.values_list("attempts", flat=True)) == {1}

    def test_ends_the_round_where_no_server_answers(self, settings, post, now):
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
        post()
        post(to="eve@example.org")
        assert go_round(now=now) == 0
        assert sorted(AccountMail.objects.values_list("attempts", flat=True)) == [0, 1]

    def test_fails_after_a_day(self, office, post, now):
        office.at_text = "451 Try again later"
        mail = post()
        tomorrow = now + timedelta(days=1)
        go_round(now=tomorrow)
        mail.refresh_from_db()
        assert (mail.status, mail.failed_at) == ("failed", tomorrow)
        assert "Try again later" in mail.last_error
        assert go_round(now=tomorrow + timedelta(days=1)) == 0


class TestWhatIsRefused:
    @pytest.mark.parametrize("step", ["at_recipient", "at_text"])
    def test_fails_at_once_with_the_server_s_words(self, office, post, now, step):
        setattr(office, step, "550 No such mailbox")
        mail = post()
        go_round(now=now)
        mail.refresh_from_db()
        assert (mail.status, mail.attempts) == ("failed", 1)
        assert "No such mailbox" in mail.last_error
        assert mail.sealed

    def test_fails_when_the_secret_was_replaced_and_not_while_it_is_remembered(
        self, office, post, now, settings
    ):
        remembered, lost = post(), post(to="eve@example.org")
        lost.sealed = lost.sealed[:-8] + "AAAAAAA="
        lost.save(update_fields=["sealed"])
        settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
        settings.SECRET_KEY = "another"
        go_round(now=now)
        for mail in (remembered, lost):
            mail.refresh_from_db()
        assert (remembered.status, lost.status) == ("sent", "failed")
        assert "SECRET_KEY" in lost.last_error


class TestSendAgain:
    @pytest.fixture
    def failed(self, office, post, now):
        office.at_recipient = "550 No such mailbox"
        mail = post()
        go_round(now=now)
        office.at_recipient = "250 OK"
        return mail

    def test_sends_what_failed(self, failed, office, now):
        account_mail.send_again(mail_id=failed.pk, now=now + timedelta(days=2))
        assert go_round(now=now + timedelta(days=2)) == 1
        failed.refresh_from_db()
        assert (failed.status, failed.failed_at) == ("sent", None)

    def test_makes_what_waits_for_its_next_try_due_now(self, office, post, now):
        office.at_text = "451 Try again later"
        mail = post()
        go_round(now=now)
        account_mail.send_again(mail_id=mail.pk, now=now)
        assert AccountMail.objects.due(at=now).exists()

    def test_is_not_possible_for_what_was_sent(self, office, post, now):
        mail = post()
        go_round(now=now)
        with pytest.raises(TextGone):
            account_mail.send_again(mail_id=mail.pk, now=now)

    def test_is_not_possible_once_the_text_is_gone(self, failed, now):
        later = now + timedelta(days=3, seconds=1)
        account_mail.tidy(now=later)
        with pytest.raises(TextGone):
            account_mail.send_again(mail_id=failed.pk, now=later)


class TestTidying:
    def test_forgets_what_was_done_a_month_ago_and_nothing_that_is_owed(self, office, post, now):
        sent = post(now=now - timedelta(days=31))
        go_round(now=now)
        owed = post(now=now - timedelta(days=31))
        assert account_mail.tidy(now=now) == {"emptied": 0, "forgotten": 1}
        assert not AccountMail.objects.filter(pk=sent.pk).exists()
        assert AccountMail.objects.filter(pk=owed.pk).exists()


class TestItsAdmin:
    @pytest.fixture
    def staff(self, client):
        client.force_login(UserFactory(platform_staff=True))
        return client

    def test_shows_who_was_to_get_what_and_never_its_text(self, staff, post):
        mail = post()
        for page in ("/admin/orgs/accountmail/", f"/admin/orgs/accountmail/{mail.pk}/change/"):
            words = staff.get(page).content.decode()
            assert "ada@example.org" in words
            assert mail.sealed not in words

    def test_sends_again(self, staff, office, post, now):
        office.at_recipient = "550 No such mailbox"
        failed, sent = post(), post(to="eve@example.org")
        go_round(now=now)
        office.at_recipient = "250 OK"
        AccountMail.objects.filter(pk=sent.pk).update(status="sent", failed_at=None, sent_at=now, sealed=None)
        answer = staff.post(
            "/admin/orgs/accountmail/",
            {"action": "send_again", "_selected_action": [failed.pk, sent.pk]},
            follow=True,
        )
        told = [str(message) for message in answer.context["messages"]]
        assert told[0] == "They are on their way again."
        assert told[1].startswith("1 cannot be sent again")
        assert AccountMail.objects.get(pk=failed.pk).status == "pending"

    def test_is_for_the_platform_s_staff(self, client, post):
        client.force_login(UserFactory())
        assert client.get("/admin/orgs/accountmail/").status_code != 200


def test_sealing_is_different_each_time_and_opens_to_the_same():
    one, other = sealing.seal(TEXT), sealing.seal(TEXT)
    assert one != other
    assert sealing.unseal(one) == sealing.unseal(other) == TEXT
    with pytest.raises(sealing.SealBroken):
        sealing.unseal(json.dumps("nothing sealed"))
