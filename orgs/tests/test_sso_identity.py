from functools import partial

import pytest
from allauth.account.models import EmailAddress
from django.utils import timezone

from orgs.models import AccountMail, KeycloakGroup, Membership, MembershipHistory, User
from orgs.sso import identity
from orgs.sso.errors import AccountClosed, AddressTaken, AddressUnproven, IdentityTaken
from tests.factories import EmailAddressFactory, MembershipFactory, OrganizationFactory, UserFactory

pytestmark = pytest.mark.django_db


def account_of(said: dict) -> User:
    return identity.account_of(said, now=timezone.now())


def link(person: User, said: dict) -> User:
    return identity.link(person, said, now=timezone.now())


def claims(**changes) -> dict:
    ordinary = {
        "sub": "subject-1",
        "email": "Ada@Example.org",
        "email_verified": True,
        "name": "Ada  Lindqvist",
    }
    return {**ordinary, **changes}


class TestANewcomer:
    def test_gets_an_account_with_a_verified_address_and_no_password(self):
        person = account_of(claims())
        assert (person.keycloak_id, person.email, person.name) == (
            "subject-1",
            "ada@example.org",
            "Ada Lindqvist",
        )
        assert not person.has_usable_password()
        address = EmailAddress.objects.get(user=person)
        assert (address.email, address.verified, address.primary) == ("ada@example.org", True, True)

    def test_is_named_by_the_address_where_the_provider_knows_no_name(self):
        assert account_of(claims(name=" ")).name == "ada"

    def test_is_refused_with_an_address_that_is_not_verified(self):
        with pytest.raises(AddressUnproven):
            account_of(claims(email_verified=False))
        assert not User.objects.exists()

    @pytest.mark.parametrize("verified", [True, False])
    def test_is_refused_where_the_address_is_somebodys_here(self, verified):
        """Also one that was never confirmed: whoever made that account would have the other's."""
        here = UserFactory(email="ada@example.org")
        EmailAddressFactory(user=here, verified=verified)
        with pytest.raises(AddressTaken):
            account_of(claims())
        assert User.objects.get().keycloak_id is None

    def test_is_refused_where_it_is_somebodys_second_address(self):
        EmailAddressFactory(user=UserFactory(), email="ada@example.org", primary=False)
        with pytest.raises(AddressTaken):
            account_of(claims())

    def test_never_becomes_platform_staff(self):
        rights = {"realm_access": {"roles": ["admin", "superuser"]}, "is_platform_staff": True}
        assert not account_of(claims(**rights)).is_platform_staff


class TestWhoComesBack:
    @pytest.fixture
    def ada(self):
        return account_of(claims())

    def test_is_known_by_the_subject_whatever_the_address(self, ada):
        assert account_of(claims(email="other@example.org")) == ada
        assert account_of(claims(email_verified=False)) == ada
        assert User.objects.count() == 1

    def test_has_the_address_that_the_provider_has_verified(self, ada):
        account_of(claims(email="ada@new.example"))
        ada.refresh_from_db()
        assert ada.email == "ada@new.example"
        assert [address.email for address in EmailAddress.objects.all()] == ["ada@new.example"]

    @pytest.mark.parametrize("change", [{"email_verified": False}, {"email": "uma@example.org"}])
    def test_keeps_the_old_one_rather_than_an_unproven_or_a_taken_one(self, ada, change):
        UserFactory(email="uma@example.org", verified=True)
        account_of(claims(**{"email": "ada@new.example", **change}))
        ada.refresh_from_db()
        assert ada.email == "ada@example.org"

    def test_is_refused_when_suspended(self, ada):
        User.objects.update(status="suspended")
        with pytest.raises(AccountClosed):
            account_of(claims())

    def test_keeps_a_local_address_where_a_password_signs_in_as_well(self):
        person = UserFactory(email="ada@here.example", verified=True)
        person.set_password("correct-horse-battery")
        person.save()
        link(person, claims())
        account_of(claims())
        person.refresh_from_db()
        assert person.email == "ada@here.example"


class TestLinking:
    @pytest.fixture
    def ada(self):
        return UserFactory(email="ada@here.example", verified=True)

    def test_lets_the_identity_sign_in_to_the_account(self, ada):
        link(ada, claims())
        assert account_of(claims()) == ada

    def test_is_refused_for_somebody_elses_identity(self, ada):
        account_of(claims())
        with pytest.raises(IdentityTaken):
            link(ada, claims())

    def test_is_refused_for_a_second_identity(self, ada):
        link(ada, claims())
        with pytest.raises(IdentityTaken):
            link(ada, claims(sub="subject-2"))

    def test_is_undone_with_all_that_came_from_groups(self, ada):
        group = KeycloakGroup.objects.create(
            path="/acme", organization=OrganizationFactory(), role=Membership.Role.USER
        )
        link(ada, claims(groups=[group.path]))
        assert ada.memberships.count() == 1
        identity.unlink(ada, now=timezone.now())
        ada.refresh_from_db()
        assert ada.keycloak_id is None
        assert not ada.memberships.exists()


class TestGroups:
    @pytest.fixture
    def acme(self):
        acme = OrganizationFactory()
        make = partial(KeycloakGroup.objects.create, organization=acme)
        make(path="/acme/members", role=Membership.Role.USER)
        make(path="/acme/organizers", role=Membership.Role.ORGANIZER)
        make(path="/acme/admins", role=Membership.Role.ORG_ADMIN)
        MembershipFactory(organization=acme, admin=True)
        return acme

    def come(self, *groups, **more) -> User:
        return account_of(claims(groups=list(groups), **more))

    def role(self, person) -> str | None:
        return person.memberships.values_list("role", flat=True).first()

    def test_make_a_membership(self, acme):
        membership = self.come("/acme/organizers", "/unknown").memberships.get()
        assert (membership.organization, membership.role, membership.source) == (
            acme,
            "organizer",
            "keycloak",
        )

    def test_give_the_highest_of_their_roles(self, acme):
        assert self.role(self.come("/acme/members", "/acme/admins", "/acme/organizers")) == "orgAdmin"

    def test_raise_and_lower_what_they_gave(self, acme):
        self.come("/acme/members")
        assert self.role(self.come("/acme/admins")) == "orgAdmin"
        assert self.role(self.come("/acme/members")) == "user"

    def test_take_what_they_gave(self, acme):
        self.come("/acme/members")
        assert self.role(self.come()) is None

    @pytest.mark.parametrize("word", [{}, {"groups": None}, {"groups": "/acme/admins"}, {"groups": {"a": 1}}])
    def test_that_are_not_told_change_nothing(self, acme, word):
        person = self.come("/acme/organizers")
        account_of(claims(**word))
        assert self.role(person) == "organizer"

    def test_that_are_nonsense_are_passed_over(self, acme):
        assert self.role(self.come(7, None, "/acme/members", "\x00")) == "user"

    def test_never_change_what_was_given_here(self, acme):
        person = self.come()
        MembershipFactory(organization=acme, user=person, role="user")
        for groups in (["/acme/admins"], []):
            self.come(*groups)
            assert (self.role(person), person.memberships.get().source) == ("user", "local")

    def test_never_lift_a_suspension(self, acme):
        person = self.come("/acme/members")
        person.memberships.update(status="suspended")
        self.come("/acme/organizers")
        assert person.memberships.get().status == "suspended"

    @pytest.mark.parametrize("groups", [[], ["/acme/members"]])
    def test_never_take_the_last_administrator(self, acme, groups):
        person = self.come("/acme/admins")
        acme.memberships.exclude(user=person).delete()  # another stays: the person
        self.come(*groups)
        assert self.role(person) == "orgAdmin"

    def test_do_not_count_an_administrator_who_cannot_sign_in(self, acme):
        person = self.come("/acme/admins")
        User.objects.exclude(pk=person.pk).update(status="suspended")
        self.come()
        assert self.role(person) == "orgAdmin"

    def test_tell_the_person_and_the_history(self, acme):
        person = self.come("/acme/members")
        self.come("/acme/organizers")
        self.come()
        told = AccountMail.objects.filter(user=person).order_by("created_at")
        assert [mail.subject.split()[3] for mail in told] == ["member", "organizer", "longer"]
        lines = MembershipHistory.objects.filter(user_id=person.pk)
        assert sorted(line.action for line in lines) == ["changed", "joined", "left"]

    def test_that_say_the_same_again_tell_nobody(self, acme):
        for _ in range(3):
            person = self.come("/acme/members")
        assert AccountMail.objects.filter(user=person).count() == 1

    def test_give_nothing_in_an_organization_that_is_closed(self, acme):
        acme.status = "closed"
        acme.save()
        assert self.role(self.come("/acme/admins")) is None

    def test_are_compared_with_the_whole_path(self, acme):
        for path in ("/acme", "acme/admins", "/ACME/ADMINS", "/acme/admins/", "/x/acme/admins"):
            assert self.role(self.come(path)) is None
