import json
from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from allauth.usersessions.models import UserSession
from django.apps import apps
from django.conf import settings as django_settings
from django.contrib.admin.models import LogEntry
from django.core.management import CommandError, call_command
from django.urls import reverse
from django.utils import timezone

from bookings import services
from bookings.models import Booking, BookingHistory
from happening import erasing
from notifications.models import Notification, Preference
from orgs.models import AccountMail, Invite, KeycloakGroup, Membership, MembershipHistory, SpentToken, User
from tests.factories import (
    EmailAddressFactory,
    EventFactory,
    MembershipFactory,
    OrganizationFactory,
    UserFactory,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("as_the_application")]

PASSWORD = "correct-horse-battery"


@pytest.fixture
def ada():
    person = UserFactory(
        email="ada@secret.example",
        name="Ada Secretname",
        phone="+4930901820",
        keycloak_id="the-secret-subject",
        profile={"time_zone": "Europe/Berlin"},
        verified=True,
    )
    EmailAddressFactory(user=person, email="ada.second@secret.example", primary=False)
    person.set_password(PASSWORD)
    person.save()
    return person


@pytest.fixture
def booking(ada):
    return book(ada, EventFactory(title="An evening"))


@pytest.fixture
def signed_in(client, ada):
    client.post(reverse("account_login"), {"login": ada.email, "password": PASSWORD})
    return client


def book(person, event, **how) -> Booking:
    facts = {"seats": 2, "or_wait": True, **how}
    return services.book(event_id=event.pk, user_id=person.pk, now=timezone.now(), **facts)


def erase(person) -> int:
    return erasing.erase(person.pk, now=timezone.now())


def everything() -> str:
    """All that stands in any table of ours or of the libraries that keep people, but secrets."""
    rows = []
    for model in apps.get_models():
        if model._meta.managed:
            rows += [str(row) for row in model.objects.values()]
    return "\n".join(rows)


class TestErasing:
    def test_leaves_nothing_that_tells_who_it_was(self, ada, booking, signed_in):
        Invite.objects.create(
            organization=OrganizationFactory(),
            email=ada.email,
            token="0" * 64,
            expires_at=timezone.now() + timedelta(days=1),
        )
        named = [ada, MembershipFactory(user=ada), Invite.objects.get()]
        LogEntry.objects.log_actions(UserFactory().pk, named, 2, change_message="Changed Ada Secretname")
        erase(ada)
        left = everything()
        for secret in ("secret.example", "Secretname", "4930901820", "the-secret-subject", "Europe/Berlin"):
            assert secret not in left.replace("time_zone': 'Europe/Berlin'", "")

    def test_leaves_no_choice_and_no_mail_behind(self, ada, client):
        Preference.objects.create(user=ada, type="event_reminder", by_mail=False)
        client.post(reverse("account_reset_password"), {"email": ada.email})
        assert AccountMail.objects.filter(recipient=ada.email).exists()
        erase(ada)
        assert not AccountMail.objects.exists()
        assert not Preference.objects.exists()

    def test_leaves_what_was_still_owed_in_the_inbox_and_nothing_to_fail(self, ada, booking):
        other = book(UserFactory(), EventFactory())
        in_hand = Notification.objects.get(user=ada)
        now = timezone.now()
        Notification.objects.filter(pk=in_hand.pk).update(
            status="sent", sent_at=now, lease_until=now + timedelta(minutes=1)
        )
        erase(ada)
        told = Notification.objects.filter(user=ada).order_by("id")
        assert [(row.type, row.status, row.lease_until, row.superseded_by) for row in told] == [
            ("booking_confirmed", "delivered", None, None),
            ("booking_cancelled", "delivered", None, None),
        ]
        assert not told.filter(read_at=None).exists()
        assert Notification.objects.get(user=other.user).status == "pending"

    def test_keeps_the_row_the_bookings_and_their_history(self, ada, booking):
        erase(ada)
        ada.refresh_from_db()
        assert (ada.status, ada.name, ada.email, ada.phone) == ("erased", None, None, None)
        assert Booking.objects.get().user_id == ada.pk
        actions = BookingHistory.objects.order_by("id").values_list("action", flat=True)
        assert list(actions) == ["created", "cancelled"]

    def test_gives_coming_bookings_back_to_who_waits(self, ada):
        event = EventFactory(total_slots=2)
        book(ada, event)
        waiting = book(UserFactory(verified=True), event)
        assert waiting.is_waiting
        assert erase(ada) == 1
        waiting.refresh_from_db()
        assert waiting.is_confirmed

    def test_leaves_past_bookings_as_they_were(self, ada):
        booking = book(ada, EventFactory())
        later = timezone.now() + timedelta(days=60)
        assert erasing.erase(ada.pk, now=later) == 0
        booking.refresh_from_db()
        assert booking.is_confirmed

    def test_leaves_what_booking_has_closed_for(self, ada):
        event = EventFactory(booking_closes_at=timezone.now() + timedelta(hours=1))
        booking = book(ada, event)
        assert erasing.erase(ada.pk, now=timezone.now() + timedelta(hours=2)) == 0
        booking.refresh_from_db()
        assert booking.is_confirmed

    def test_ends_every_session(self, ada, signed_in):
        erase(ada)
        assert signed_in.get(reverse("account")).status_code == 302
        assert not UserSession.objects.exists()

    def test_leaves_no_way_in(self, client, ada):
        erase(ada)
        client.post(reverse("account_login"), {"login": "ada@secret.example", "password": PASSWORD})
        assert client.get(reverse("account")).status_code == 302

    def test_frees_the_address_for_a_new_account(self, ada):
        erase(ada)
        assert User.objects.create_user("ada@secret.example", None, name="Ada again")

    def test_twice_changes_nothing(self, ada, booking):
        assert erase(ada) == 1
        history = BookingHistory.objects.count()
        assert erase(ada) == 0
        assert BookingHistory.objects.count() == history

    def test_goes_on_where_it_was_cut_off(self, ada, booking, monkeypatch):
        with monkeypatch.context() as cut_off:
            cut_off.setattr(erasing, "_remove", _killed)
            with pytest.raises(RuntimeError):
                erase(ada)
        ada.refresh_from_db()
        assert ada.status == "suspended"
        erase(ada)
        ada.refresh_from_db()
        assert ada.status == "erased"

    def test_is_refused_to_the_last_administrator(self, ada):
        own = MembershipFactory(user=ada, admin=True)
        MembershipFactory(organization=own.organization)
        MembershipFactory(organization=own.organization, admin=True, status="suspended")
        MembershipFactory(organization=own.organization, admin=True, user=UserFactory(status="suspended"))
        with pytest.raises(erasing.LastAdministrator, match=own.organization.name):
            erase(ada)
        ada.refresh_from_db()
        assert ada.status == "active"

    def test_is_open_to_an_administrator_among_others(self, ada):
        own = MembershipFactory(user=ada, admin=True)
        MembershipFactory(organization=own.organization, admin=True)
        erase(ada)
        assert not Membership.objects.filter(user=ada).exists()

    def test_is_open_to_the_administrator_of_what_is_closed(self, ada):
        MembershipFactory(user=ada, admin=True, organization=OrganizationFactory(status="closed"))
        erase(ada)


def _killed(person, *, now):
    raise RuntimeError


class TestTheCommand:
    @pytest.mark.parametrize("written", ["ada@secret.example", "ADA.second@secret.example", "id"])
    def test_erases(self, ada, booking, written, capsys):
        call_command("erase_person", str(ada.pk) if written == "id" else written)
        assert capsys.readouterr().out == f"Person {ada.pk} is erased, and 1 bookings are given back.\n"
        assert not User.objects.filter(name="Ada Secretname").exists()

    def test_only_says_so_on_a_dry_run(self, ada, booking, capsys):
        call_command("erase_person", ada.email, "--dry-run")
        assert "1 bookings given back" in capsys.readouterr().out
        ada.refresh_from_db()
        assert (ada.status, ada.session_epoch) == ("active", 0)

    @pytest.mark.parametrize(
        "who", ["nobody@example.org", "nonsense", "00000000-0000-0000-0000-000000000000"]
    )
    def test_knows_nobody_else(self, who):
        with pytest.raises(CommandError, match="nobody known as"):
            call_command("erase_person", who)

    def test_refuses_the_last_administrator(self, ada):
        MembershipFactory(user=ada, admin=True)
        with pytest.raises(CommandError, match="only administrator"):
            call_command("erase_person", ada.email)


class TestThePage:
    def test_says_what_will_happen(self, signed_in, booking):
        page = signed_in.get(reverse("erase_account")).content.decode()
        assert "An evening" in page
        assert User.objects.get(pk=booking.user_id).is_active

    def test_deletes_and_says_goodbye(self, signed_in, ada, booking):
        answer = signed_in.post(reverse("erase_account"), {"sure": "yes"}, follow=True)
        assert b"Your account is deleted" in answer.content
        ada.refresh_from_db()
        assert ada.status == "erased"

    def test_wants_a_tick(self, signed_in, ada):
        assert signed_in.post(reverse("erase_account")).status_code == 422
        ada.refresh_from_db()
        assert ada.is_active

    def test_asks_who_is_there_after_a_while(self, signed_in, ada, settings):
        settings.ACCOUNT_REAUTHENTICATION_TIMEOUT = -1
        for send in (signed_in.get, signed_in.post):
            assert send(reverse("erase_account"), {"sure": "yes"}).url.startswith("/accounts/reauthenticate/")
        ada.refresh_from_db()
        assert ada.is_active

    def test_comes_back_after_asking(self, signed_in, ada, settings):
        settings.ACCOUNT_REAUTHENTICATION_TIMEOUT = -1
        asked = signed_in.get(reverse("erase_account")).url
        settings.ACCOUNT_REAUTHENTICATION_TIMEOUT = 300
        answer = signed_in.post(asked, {"password": PASSWORD, "next": reverse("erase_account")})
        assert answer.url == reverse("erase_account")

    def test_refuses_the_last_administrator_in_a_sentence(self, signed_in, ada):
        own = MembershipFactory(user=ada, admin=True)
        answer = signed_in.post(reverse("erase_account"), {"sure": "yes"})
        assert answer.status_code == 409
        assert "only administrator" in answer.content.decode()
        assert own.organization.name in answer.content.decode()
        ada.refresh_from_db()
        assert ada.is_active

    def test_tells_the_last_administrator_beforehand_what_to_do(self, signed_in, ada):
        own, shared = MembershipFactory(user=ada, admin=True), MembershipFactory(user=ada, admin=True)
        MembershipFactory(organization=shared.organization, admin=True)
        page = signed_in.get(reverse("erase_account")).content.decode()
        assert f"Manage {own.organization.name}" in page
        assert shared.organization.name not in page
        assert 'name="sure"' not in page
        MembershipFactory(organization=own.organization, admin=True)
        assert 'name="sure"' in signed_in.get(reverse("erase_account")).content.decode()

    def test_is_for_signed_in_people(self, client):
        for name in ("erase_account", "own_data", "own_data_file"):
            assert client.get(reverse(name)).status_code == 302


class TestOwnData:
    def test_is_all_that_is_held(self, signed_in, ada, booking):
        MembershipFactory(user=ada)
        held = json.loads(signed_in.get(reverse("own_data_file")).content)
        assert held["account"]["phone"] == "+4930901820"
        assert [row["email"] for row in held["addresses"]] == [
            "ada@secret.example",
            "ada.second@secret.example",
        ]
        assert held["bookings"][0]["seat_numbers"] == [1, 2]
        assert [row["action"] for row in held["booking_history"]] == ["created"]
        assert [row["type"] for row in held["messages"]] == ["booking_confirmed"]
        assert len(held["memberships"]) == len(held["sessions"]) == 1

    def test_is_a_file_to_take_along(self, signed_in):
        answer = signed_in.get(reverse("own_data_file"))
        assert "attachment" in answer["Content-Disposition"]
        assert "no-store" in answer["Cache-Control"]

    def test_is_a_page_to_read(self, signed_in, booking):
        page = signed_in.get(reverse("own_data")).content.decode()
        assert "An evening" in page
        assert "+4930901820" in page

    def test_shows_nobody_elses(self, signed_in, booking):
        other = UserFactory(name="Somebody Else", email="else@other.example", verified=True)
        book(other, EventFactory(title="Another evening"))
        file = signed_in.get(reverse("own_data_file")).content.decode()
        for word in ("Somebody Else", "other.example", "Another evening", str(other.pk)):
            assert word not in file

    def test_holds_no_secret_that_lets_others_in(self, signed_in, ada):
        ada.refresh_from_db()
        file = signed_in.get(reverse("own_data_file")).content.decode()
        assert ada.password not in file
        assert signed_in.session.session_key not in file

    def test_knows_every_table_that_leads_to_people(self):
        told = {
            *(User, EmailAddress, UserSession, Membership, MembershipHistory, Invite, AccountMail),
            *(Booking, BookingHistory, Notification, Preference, LogEntry),
            apps.get_model("mfa", "Authenticator"),
        }
        # What is made of those, or of nobody: codes that confirm addresses, seats, totals, views.
        nobodys = {KeycloakGroup, SpentToken, apps.get_model("account", "EmailConfirmation")}
        leading = {
            model
            for model in apps.get_models()
            for field in model._meta.get_fields()
            if getattr(field, "related_model", None) is User or field.name in ("user_id", "email", "phone")
            if model._meta.managed and not field.auto_created
        }
        assert leading - nobodys <= told
        assert django_settings.AUTH_USER_MODEL == "orgs.User"


class TestTheProfile:
    def test_keeps_what_a_person_tells(self, signed_in, ada):
        facts = {"name": "Ada L.", "phone": "0049 (30) 90-1820", "time_zone": "Africa/Nairobi"}
        assert signed_in.post(reverse("account"), facts).status_code == 302
        ada.refresh_from_db()
        assert (ada.name, ada.phone, ada.profile) == (
            "Ada L.",
            "+4930901820",
            {"time_zone": "Africa/Nairobi"},
        )

    def test_takes_a_phone_and_a_zone_back(self, signed_in, ada):
        signed_in.post(reverse("account"), {"name": "Ada", "phone": "", "time_zone": ""})
        ada.refresh_from_db()
        assert (ada.phone, ada.profile) == (None, {})

    @pytest.mark.parametrize("phone", ["030 901820", "call me", "+0123", "+" + "1" * 16, "+49x"])
    def test_refuses_a_phone_that_cannot_be_called(self, signed_in, ada, phone):
        assert signed_in.post(reverse("account"), {"name": "Ada", "phone": phone}).status_code == 422

    @pytest.mark.parametrize("zone", ["Berlin", "Etc/GMT+3", "../../etc/passwd"])
    def test_refuses_a_zone_that_is_none(self, signed_in, zone):
        assert signed_in.post(reverse("account"), {"name": "Ada", "time_zone": zone}).status_code == 422


class TestSigningOutEverywhere:
    def test_ends_all_sessions(self, signed_in, client, ada):
        other = type(client)()
        other.force_login(User.objects.get(pk=ada.pk))
        signed_in.post(reverse("sign_out_everywhere"))
        for browser in (signed_in, other):
            assert browser.get(reverse("account")).status_code == 302

    def test_happens_by_a_form_only(self, signed_in):
        assert signed_in.get(reverse("sign_out_everywhere")).status_code == 405

    def test_can_spare_this_one(self, signed_in, client, ada):
        other = type(client)()
        other.post(reverse("account_login"), {"login": ada.email, "password": PASSWORD})
        signed_in.post(reverse("usersessions_list"))
        assert signed_in.get(reverse("account")).status_code == 200
        assert other.get(reverse("account")).status_code == 302
