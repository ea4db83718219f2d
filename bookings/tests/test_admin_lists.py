"""The long lists of the admin: what is found however old it is, and what among the newest rows alone.

What they read is counted by `tests/schema/test_admin_lists.py`.
"""

import re

import pytest
from django.urls import reverse

from orgs.admin_site import long_list
from tests.factories import EventFactory, MembershipFactory, UserFactory

pytestmark = pytest.mark.django_db
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"
LISTS = ["bookings_booking", "bookings_bookingseat"]


@pytest.fixture(autouse=True)
def short(monkeypatch):
    """A window of three rows, and a search that names one person or nobody in particular."""
    monkeypatch.setattr(long_list, "WINDOW", 3)
    monkeypatch.setattr(long_list, "MOST_PEOPLE", 1)


@pytest.fixture
def organization(client):
    membership = MembershipFactory(organizer=True)
    client.force_login(membership.user, backend=BACKEND)
    return membership.organization


@pytest.fixture
def two_events(organization, book):
    """The first with the oldest bookings: Anna's; Nora 1 to 4 follow by turns in both."""
    first, second = EventFactory(org=organization), EventFactory(org=organization)
    book(first, 1, user=UserFactory(name="Anna"))
    for number in (1, 2, 3, 4):
        book(
            (first, second)[number % 2],
            1,
            user=UserFactory(name=f"Nora {number}", email=f"n{number}@example.test"),
        )
    return first, second


@pytest.fixture
def look(client):
    def looking(name, **asked) -> tuple[list[str], str]:
        """The people of the list, and what the page says of how many they are."""
        text = client.get(reverse(f"admin:{name}_changelist"), asked).content.decode()
        table = text.partition("<tbody")[2].partition("</tbody>")[0]
        said = text.partition('class="paginator">')[2].partition("</p>")[0]
        return re.findall(r"Anna|Nora \d", table), said

    return looking


@pytest.mark.parametrize("name", LISTS)
class TestALongList:
    def test_shows_the_newest_rows(self, two_events, look, name):
        assert look(name)[0] == ["Nora 4", "Nora 3", "Nora 2"]

    def test_finds_all_of_a_person_however_old(self, two_events, look, name):
        people, words = look(name, q="anna")
        assert people == ["Anna"]
        assert "newest" not in words

    def test_finds_a_word_of_many_names_among_the_newest_and_says_so(self, two_events, look, name):
        people, words = look(name, q="nora")
        assert people == ["Nora 4", "Nora 3", "Nora 2"]
        assert "among the newest" in words

    def test_finds_nobody_whose_name_has_but_one_of_the_words(self, two_events, look, name):
        assert look(name, q="nora anna")[0] == []
        assert look(name, q="nora 3")[0] == ["Nora 3"]

    def test_finds_all_rows_of_an_event(self, two_events, look, name):
        first, _ = two_events
        assert look(name, event=first.pk)[0] == ["Nora 4", "Nora 2", "Anna"]

    def test_looks_for_a_word_of_many_among_the_newest_of_an_event(
        self, two_events, look, book, monkeypatch, name
    ):
        first, _ = two_events
        monkeypatch.setattr(long_list, "WINDOW", 2)
        people, words = look(name, event=first.pk, q="n")
        assert people == ["Nora 4", "Nora 2"]
        assert "among the newest" in words

    def test_finds_nothing_of_another_organization(self, two_events, look, book, name):
        book(EventFactory(), 1, user=UserFactory(name="Nora 9", email="n9@example.test"))
        assert look(name, q="nora 9")[0] == []
        assert "Nora 9" not in look(name, q="nora")[0]
