import pytest
from django.core.exceptions import ValidationError

from orgs import members, roles
from orgs.errors import FollowsKeycloak, LastAdministrator, MemberSuspended, NotAllowed
from orgs.models import Membership, MembershipHistory, Organization, User
from orgs.roles import Role
from tests.factories import MembershipFactory, OrganizationFactory, UserFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("as_the_application")]


@pytest.fixture
def of(acme):
    """The membership of somebody in Acme, as it is now."""
    return lambda person: Membership.objects.get(organization=acme, user=person)


@pytest.fixture
def grant(of, now):
    def granting(person, role, *, by, **facts):
        actor_id = by and by.pk
        return members.grant_role(membership_id=of(person).pk, role=role, actor_id=actor_id, now=now, **facts)

    return granting


@pytest.fixture
def suspend(of, now):
    return lambda person, *, by: members.suspend(membership_id=of(person).pk, actor_id=by.pk, now=now)


@pytest.fixture
def remove(of, now):
    return lambda person, *, by: members.remove(membership_id=of(person).pk, actor_id=by.pk, now=now)


class TestGrantRole:
    def test_acts_at_once(self, acme, admin, member, grant):
        person = member()
        grant(person, Role.ORGANIZER, by=admin)
        assert roles.may(person, roles.Right.EDIT_EVENTS, acme.pk)

    def test_is_logged_and_the_person_is_told(self, admin, member, grant, mail_to):
        person = member()
        grant(person, Role.ORGANIZER, by=admin, permissions={"grant": ["invite"]})
        line = MembershipHistory.objects.get(user_id=person.pk, action="changed")
        assert (line.actor_id, line.details["role"], line.details["was"]["role"]) == (
            admin.pk,
            "organizer",
            "user",
        )
        [mail] = mail_to(person.email)
        assert "organizer" in mail
        assert "Acme" in mail

    def test_says_nothing_when_nothing_changes(self, admin, member, grant, mail_to):
        person = member()
        grant(person, Role.USER, by=admin)
        assert not mail_to(person.email)

    def test_is_refused_above_the_granters_own_rights(self, member, grant):
        deputy = member(Role.ORGANIZER, permissions={"grant": ["manage_members"]})
        person = member()
        grant(person, Role.ORGANIZER, by=deputy)
        with pytest.raises(NotAllowed):
            grant(person, Role.ORG_ADMIN, by=deputy)

    def test_takes_nothing_from_who_has_more(self, admin, member, grant):
        deputy = member(Role.ORGANIZER, permissions={"grant": ["manage_members"]})
        with pytest.raises(NotAllowed):
            grant(admin, Role.USER, by=deputy)

    @pytest.mark.parametrize("role", [Role.USER, Role.ORGANIZER])
    def test_is_refused_without_the_right(self, member, grant, role):
        with pytest.raises(NotAllowed):
            grant(member(), Role.USER, by=member(role), permissions={"deny": ["attend"]})

    def test_is_refused_to_another_organizations_administrator(self, member, grant):
        stranger = MembershipFactory(admin=True).user
        with pytest.raises(NotAllowed):
            grant(member(), Role.ORGANIZER, by=stranger)

    def test_is_refused_in_a_suspended_organization(self, admin, member, grant):
        person = member()
        Organization.objects.update(status="suspended")
        with pytest.raises(NotAllowed):
            grant(person, Role.ORGANIZER, by=admin)

    def test_refuses_flags_that_there_are_not(self, admin, member, grant):
        with pytest.raises(ValidationError):
            grant(member(), Role.USER, by=admin, permissions={"grant": ["fly"]})

    def test_keeps_the_last_administrator(self, admin, grant):
        with pytest.raises(LastAdministrator):
            grant(admin, Role.ORGANIZER, by=admin)

    def test_does_not_count_an_administrator_who_cannot_act(self, admin, member, grant):
        User.objects.filter(pk=member(Role.ORG_ADMIN).pk).update(status="suspended")
        with pytest.raises(LastAdministrator):
            grant(admin, Role.ORGANIZER, by=admin)

    def test_lets_one_of_two_administrators_step_down(self, admin, member, grant, of):
        member(Role.ORG_ADMIN)
        grant(admin, Role.ORGANIZER, by=admin)
        assert of(admin).role == "organizer"

    def test_leaves_what_follows_keycloak_to_keycloak(self, admin, member, grant):
        with pytest.raises(FollowsKeycloak):
            grant(member(source="keycloak"), Role.ORGANIZER, by=admin)

    def test_is_allowed_to_the_platform(self, admin, member, grant, of):
        person = member()
        grant(person, Role.ORG_ADMIN, by=None)
        assert of(person).is_administrator
        assert MembershipHistory.objects.get(user_id=person.pk, action="changed").actor_id is None


class TestSuspend:
    def test_takes_all_rights_at_once_and_tells(self, acme, admin, member, suspend, mail_to):
        person = member(Role.ORGANIZER)
        suspend(person, by=admin)
        assert not roles.rights_in(person, acme.pk)
        assert "suspended" in mail_to(person.email)[0]

    def test_keeps_the_last_administrator(self, admin, suspend):
        with pytest.raises(LastAdministrator):
            suspend(admin, by=admin)

    def test_is_undone_by_reinstating(self, acme, admin, member, suspend, of, now):
        person = member(Role.ORGANIZER)
        suspend(person, by=admin)
        members.reinstate(membership_id=of(person).pk, actor_id=admin.pk, now=now)
        assert roles.may(person, roles.Right.EDIT_EVENTS, acme.pk)


class TestRemove:
    def test_ends_the_membership_and_tells(self, acme, admin, member, remove, mail_to):
        person = member()
        remove(person, by=admin)
        assert not person.memberships.exists()
        assert "no longer" in mail_to(person.email)[0]

    def test_keeps_the_last_administrator(self, admin, remove):
        with pytest.raises(LastAdministrator):
            remove(admin, by=admin)


class TestLeave:
    def test_is_everybodys_right(self, acme, member):
        person = member()
        members.leave(organization_id=acme.pk, user_id=person.pk)
        assert not person.memberships.exists()
        assert MembershipHistory.objects.get(action="left").actor_id == person.pk

    def test_keeps_the_last_administrator(self, acme, admin):
        with pytest.raises(LastAdministrator, match="Make somebody else"):
            members.leave(organization_id=acme.pk, user_id=admin.pk)

    def test_changes_nothing_where_one_is_no_member(self, acme):
        members.leave(organization_id=acme.pk, user_id=UserFactory().pk)


class TestJoin:
    @pytest.fixture
    def join(self, acme, now):
        def joining(person, role=Role.USER, *, by=None):
            actor_id = by and by.pk
            return members.join(
                organization_id=acme.pk, user_id=person.pk, role=role, actor_id=actor_id, now=now
            )

        return joining

    def test_never_lowers_a_role(self, admin, join, of):
        join(admin, Role.USER)
        assert of(admin).is_administrator

    def test_does_not_bring_back_who_is_suspended(self, member, join):
        with pytest.raises(MemberSuspended):
            join(member(status="suspended"))

    def test_is_refused_above_the_actors_own_rights(self, member, join):
        with pytest.raises(NotAllowed):
            join(UserFactory(), Role.ORG_ADMIN, by=member(Role.ORGANIZER))


class TestOnlyAdministeredBy:
    def test_names_what_would_be_left_without_an_administrator(self, acme, admin, member):
        MembershipFactory(user=admin)
        assert list(members.only_administered_by(admin.pk)) == [acme]
        member(Role.ORG_ADMIN)
        assert not members.only_administered_by(admin.pk)

    def test_leaves_out_what_is_closed(self, acme, admin):
        OrganizationFactory()
        Organization.objects.filter(pk=acme.pk).update(status="closed")
        assert not members.only_administered_by(admin.pk)
