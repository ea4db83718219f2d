import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import ValidationError
from django.test import RequestFactory

from orgs import roles
from orgs.models import Membership, Organization
from orgs.models.permissions import validate_permissions
from orgs.roles import ALL, LOOKING, RIGHTS, Right, Role
from tests.factories import MembershipFactory, OrganizationFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def acme():
    return OrganizationFactory()


@pytest.fixture
def member(acme):
    """Somebody in a role of Acme."""

    def joining(role=Role.USER, **facts):
        return MembershipFactory(organization=acme, role=role, **facts).user

    return joining


class TestRightsIn:
    @pytest.mark.parametrize("role", Role)
    def test_are_those_of_the_role(self, acme, member, role):
        assert roles.rights_in(member(role), acme.pk) == RIGHTS[role]

    def test_rise_with_the_role(self):
        assert RIGHTS[Role.USER] < RIGHTS[Role.ORGANIZER] < RIGHTS[Role.ORG_ADMIN] == ALL

    def test_are_none_for_nobody_and_for_a_stranger(self, acme):
        assert not roles.rights_in(AnonymousUser(), acme.pk)
        assert not roles.rights_in(UserFactory(), acme.pk)

    def test_are_none_elsewhere(self, member):
        assert not roles.rights_in(member(Role.ORG_ADMIN), OrganizationFactory().pk)

    def test_are_granted_and_denied_by_single_flags(self, acme, member):
        flags = {"grant": ["invite"], "deny": ["export_attendees", "invite_everybody"]}
        held = roles.rights_in(member(Role.ORGANIZER, permissions=flags), acme.pk)
        assert held == (RIGHTS[Role.ORGANIZER] | {Right.INVITE}) - {Right.EXPORT_ATTENDEES}

    def test_are_lost_where_a_flag_is_granted_and_denied(self, acme, member):
        flags = {"grant": ["invite"], "deny": ["invite"]}
        assert Right.INVITE not in roles.rights_in(member(permissions=flags), acme.pk)

    def test_are_all_of_them_for_an_administrator_whatever_the_flags_say(self, acme, member):
        admin = member(Role.ORG_ADMIN, permissions={"deny": ["manage_members"]})
        assert roles.rights_in(admin, acme.pk) == ALL

    def test_end_with_the_membership_at_once(self, acme, member):
        organizer = member(Role.ORGANIZER)
        Membership.objects.update(status="suspended")
        assert not roles.rights_in(organizer, acme.pk)

    @pytest.mark.parametrize("status", ["suspended", "erased"])
    def test_end_with_the_person_at_once_even_for_whoever_was_loaded_before(self, acme, member, status):
        admin = member(Role.ORG_ADMIN)
        type(admin).objects.filter(pk=admin.pk).update(status=status)
        assert not roles.rights_in(admin, acme.pk)

    @pytest.mark.parametrize(("status", "left"), [("suspended", LOOKING), ("closed", frozenset())])
    def test_shrink_with_the_organization(self, acme, member, status, left):
        admin = member(Role.ORG_ADMIN)
        Organization.objects.update(status=status)
        assert roles.rights_in(admin, acme.pk) == left

    def test_are_all_of_them_for_platform_staff_even_where_there_is_no_organization(self, acme):
        staff = UserFactory(platform_staff=True)
        assert roles.rights_in(staff, acme.pk) == roles.rights_in(staff, None) == ALL

    def test_are_none_for_staff_who_were_suspended(self, acme):
        assert not roles.rights_in(UserFactory(platform_staff=True, status="suspended"), acme.pk)


class TestOrganizationsWhere:
    def test_are_those_of_the_right_alone(self, acme, member):
        organizer = member(Role.ORGANIZER)
        MembershipFactory(user=organizer)
        OrganizationFactory()
        assert list(roles.organizations_where(organizer, Right.EDIT_EVENTS)) == [acme]
        assert roles.organizations_where(organizer, Right.ATTEND).count() == 2
        assert not roles.organizations_where(organizer, Right.EDIT_ORGANIZATION)

    def test_are_all_for_platform_staff(self, acme):
        OrganizationFactory()
        staff = UserFactory(platform_staff=True)
        assert roles.organizations_where(staff, Right.EDIT_EVENTS).count() == 2


class TestHeldDuring:
    def test_is_read_once_a_request(self, acme, member, django_assert_num_queries):
        request = RequestFactory().get("/")
        request.user = member(Role.ORGANIZER)
        with django_assert_num_queries(1):
            for right in Right:
                roles.held_during(request).may(right, acme.pk)

    def test_is_read_anew_when_another_person_has_signed_in(self, acme, member):
        request = RequestFactory().get("/")
        request.user = AnonymousUser()
        assert not roles.held_during(request).is_back_office
        request.user = member(Role.ORGANIZER)
        assert roles.held_during(request).is_back_office

    def test_opens_no_back_office_to_a_mere_member(self, member):
        assert not roles.held_by(member()).is_back_office


class TestMayGrant:
    def test_gives_nobody_more_than_the_granter_has(self):
        granter = RIGHTS[Role.ORGANIZER]
        assert roles.may_grant(granter, Role.ORGANIZER, {})
        assert roles.may_grant(granter, Role.USER, {"grant": ["see_bookings"]})
        assert not roles.may_grant(granter, Role.ORG_ADMIN, {})
        assert not roles.may_grant(granter, Role.USER, {"grant": ["manage_members"]})

    def test_lets_an_administrator_give_everything(self):
        assert roles.may_grant(ALL, Role.ORG_ADMIN, {})


class TestPermissions:
    @pytest.mark.parametrize("value", [{}, {"grant": []}, {"grant": ["invite"], "deny": ["attend"]}])
    def test_take(self, value):
        validate_permissions(value)

    @pytest.mark.parametrize(
        "value",
        [None, [], "invite", {"give": []}, {"grant": "invite"}, {"grant": ["fly"]}, {"deny": [["invite"]]}],
    )
    def test_refuse(self, value):
        with pytest.raises(ValidationError):
            validate_permissions(value)
