"""Who wants which mail: what is kept, what a sender is told, the page, and the address in a mail."""

from uuid import UUID

import pytest
from django.core import signing
from django.test import Client
from django.utils import timezone

from notifications import preferences
from notifications.models import Notification, Preference
from notifications.taking import take
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db
REMINDER = "event_reminder"


def refused(person, kind=REMINDER) -> bool:
    """As a sender learns it with a message in hand."""
    now = timezone.now()
    row = Notification.objects.create(user=person, type=kind, status="sent", sent_at=now)
    [taken] = take([row.pk], now=now)
    return not taken.wants_mail


@pytest.fixture
def person():
    return UserFactory()


class TestWhoWantsMail:
    def test_is_nothing_where_nobody_chose(self, person):
        assert not any(refused(person, kind) for kind in Notification.Type.values)

    def test_is_what_a_person_turned_off(self, person):
        preferences.choose(user_id=person.pk, by_mail={REMINDER: False})
        assert refused(person)
        assert not refused(person, "booking_confirmed")
        assert not refused(UserFactory())

    def test_is_nothing_again_once_it_is_turned_on(self, person):
        preferences.choose(user_id=person.pk, by_mail={REMINDER: False})
        preferences.choose(user_id=person.pk, by_mail={REMINDER: True})
        assert not refused(person)

    def test_is_everything_for_whom_nobody_can_write_to(self, person):
        preferences.keep_to_inbox(user_id=person.pk)
        assert all(refused(person, kind) for kind in Notification.Type.values)


class TestThePage:
    URL = "/notifications/preferences/"

    def test_is_for_who_is_signed_in(self, client):
        assert client.get(self.URL)["Location"] == f"/accounts/login/?next={self.URL}"

    def test_keeps_what_is_chosen_and_shows_it(self, client, person):
        client.force_login(person)
        assert client.get(self.URL).context["form"]["event_reminder"].value()
        assert client.post(self.URL, {})["Location"] == self.URL
        assert refused(person)
        assert not client.get(self.URL).context["form"]["event_reminder"].value()
        client.post(self.URL, {"event_reminder": "on"})
        assert not refused(person)

    def test_turns_nothing_else_off_whatever_is_posted(self, client, person):
        client.force_login(person)
        client.post(self.URL, {"booking_confirmed": "", "everything": "", "type": "everything"})
        assert list(Preference.objects.values_list("type", flat=True)) == [REMINDER]

    def test_is_linked_from_inbox_and_account(self, client, person):
        client.force_login(person)
        for page in ("/notifications/", "/account/"):
            assert self.URL in client.get(page).content.decode()


class TestUnsubscribing:
    @pytest.fixture
    def url(self, person, settings):
        settings.SITE_URL = "https://happening.example/"
        return preferences.unsubscribe_url(person.pk, REMINDER)

    def at(self, url: str) -> str:
        return url.removeprefix("https://happening.example")

    def test_has_an_address_that_works_from_anywhere(self, url):
        assert url.startswith("https://happening.example/notifications/unsubscribe/")

    def test_by_one_click_acts_at_once_without_signing_in(self, person, url):
        answer = Client(enforce_csrf_checks=True).post(self.at(url), {"List-Unsubscribe": "One-Click"})
        assert answer.status_code == 200
        assert "No more reminders" in answer.content.decode()
        assert refused(person)

    def test_by_looking_does_nothing(self, client, person, url):
        answer = client.get(self.at(url))
        assert answer.status_code == 200
        assert "Stop reminders" in answer.content.decode()
        assert not refused(person)

    def test_twice_is_as_good_as_once(self, client, person, url):
        assert [client.post(self.at(url)).status_code for _ in range(2)] == [200, 200]
        assert Preference.objects.count() == 1

    def test_of_somebody_who_is_gone_is_answered_as_well(self, client, settings):
        settings.SITE_URL = "https://happening.example"
        url = preferences.unsubscribe_url(UUID(int=7), REMINDER)
        assert client.post(self.at(url)).status_code == 200
        assert not Preference.objects.exists()

    def forged(self, person):
        real = self.at(preferences.unsubscribe_url(person.pk, REMINDER)).split("/")[-2]
        salt = "notifications.unsubscribe"
        return [
            real[:-1],
            real[1:],
            real.replace(":", ".", 1),
            "x",
            "x" * 5_000,
            "a:b:c",
            "%00",
            signing.dumps([str(person.pk), REMINDER], salt="another kind"),
            signing.dumps([str(person.pk), "booking_confirmed"], salt=salt),
            signing.dumps([str(person.pk), "everything"], salt=salt),
        ]

    def test_at_a_forged_address_says_so_and_does_nothing(self, client, person):
        for token in self.forged(person):
            shown = client.get(f"/notifications/unsubscribe/{token}/")
            assert shown.status_code == 404, token
            assert "does not work" in shown.content.decode()
            assert client.post(f"/notifications/unsubscribe/{token}/").status_code == 200
        assert not Preference.objects.exists()

    def test_is_never_kept_by_a_cache(self, client, url):
        assert "no-store" in client.get(self.at(url))["Cache-Control"]
