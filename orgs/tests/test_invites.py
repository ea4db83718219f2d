from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError

from orgs import invites, roles
from orgs.errors import InviteForSomebodyElse, InviteGone, MemberAlready, MemberSuspended, NotAllowed
from orgs.models import Invite, Membership, MembershipHistory, Organization, User
from orgs.roles import Right, Role
from tests.factories import EmailAddressFactory, MembershipFactory, UserFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("as_the_application")]
ADA = "ada@example.test"


@pytest.fixture
def ada():
    return UserFactory(email=ADA, verified=True)


@pytest.fixture
def invite(acme, admin, now):
    def inviting(email=ADA, role=Role.ORGANIZER, *, by=admin, at=now) -> Invite:
        return invites.invite(organization_id=acme.pk, email=email, role=role, actor_id=by and by.pk, now=at)

    return inviting


@pytest.fixture
def accept(token_for, now):
    """Take up the newest invite of an address, or the one of `token`."""

    def accepting(person, token=None, *, at=now) -> Membership:
        token = token or token_for(person.email)
        return invites.accept(token_hash=invites.hash_of(token), user_id=person.pk, now=at)

    return accepting


class TestInvite:
    def test_sends_a_link_of_which_the_table_keeps_a_hash_alone(self, invite, token_for):
        made = invite()
        token = token_for(ADA)
        assert len(token) >= 43  # 256 bits
        assert made.token == invites.hash_of(token)
        assert token not in str(Invite.objects.values().get())

    def test_revokes_the_one_before(self, invite, token_for, accept, ada):
        invite()
        first = token_for(ADA)
        invite(email="ADA@Example.test")
        assert sorted(Invite.objects.values_list("status", flat=True)) == ["pending", "revoked"]
        with pytest.raises(InviteGone):
            accept(ada, first)

    @pytest.mark.parametrize("role", [Role.USER, Role.ORGANIZER])
    def test_is_refused_without_the_right(self, invite, member, role):
        with pytest.raises(NotAllowed):
            invite(by=member(role))

    def test_is_refused_above_ones_own_rights(self, invite, member):
        deputy = member(Role.ORGANIZER, permissions={"grant": ["invite"]})
        invite(by=deputy, role=Role.ORGANIZER)
        with pytest.raises(NotAllowed):
            invite(by=deputy, role=Role.ORG_ADMIN)

    def test_is_refused_for_a_member(self, invite, member):
        with pytest.raises(MemberAlready):
            invite(email=member().email.upper())

    @pytest.mark.parametrize("status", ["suspended", "closed"])
    def test_is_refused_to_an_organization_that_is_not_active(self, invite, status):
        Organization.objects.update(status=status)
        with pytest.raises(NotAllowed):
            invite(by=None)

    @pytest.mark.parametrize("address", ["", "ada", "ada@localhost", "a@b.c\nBcc: d@e.f"])
    def test_is_refused_without_an_address(self, invite, address):
        with pytest.raises(ValidationError):
            invite(email=address)


class TestAccept:
    def test_makes_a_member_in_that_role(self, acme, admin, invite, accept, ada):
        invite()
        accept(ada)
        assert roles.rights_in(ada, acme.pk) == roles.RIGHTS[Role.ORGANIZER]
        assert Invite.objects.get().status == "accepted"
        assert MembershipHistory.objects.get(user_id=ada.pk).actor_id == admin.pk

    def test_finds_the_membership_again_on_a_second_click(self, invite, accept, ada, now):
        invite()
        assert accept(ada) == accept(ada, at=now + timedelta(days=400))

    def test_takes_the_role_that_stands_there_then(self, acme, invite, accept, ada):
        invite()
        Invite.objects.update(role="user")
        accept(ada)
        assert roles.rights_in(ada, acme.pk) == roles.RIGHTS[Role.USER]

    def test_raises_who_is_a_member_in_a_lower_role_meanwhile(self, acme, invite, accept, ada):
        invite()
        MembershipFactory(organization=acme, user=ada)
        assert accept(ada).role == "organizer"

    def test_lowers_nobody(self, acme, invite, accept, ada):
        invite(role=Role.USER)
        MembershipFactory(organization=acme, user=ada, organizer=True)
        assert accept(ada).role == "organizer"

    def test_is_refused_to_who_was_suspended(self, acme, invite, accept, ada):
        invite()
        MembershipFactory(organization=acme, user=ada, status="suspended")
        with pytest.raises(MemberSuspended):
            accept(ada)
        assert Invite.objects.get().status == "pending"

    def test_is_refused_to_another_address(self, invite, accept, token_for):
        invite()
        with pytest.raises(InviteForSomebodyElse):
            accept(UserFactory(verified=True), token_for(ADA))

    def test_is_refused_to_an_address_that_was_never_verified(self, invite, accept):
        invite()
        claimant = UserFactory(email=ADA)
        EmailAddressFactory(user=claimant, verified=False)
        with pytest.raises(InviteForSomebodyElse):
            accept(claimant)

    def test_is_possible_by_a_second_verified_address_however_it_is_written(self, invite, accept, token_for):
        invite()
        person = UserFactory(verified=True)
        EmailAddressFactory(user=person, email="Ada@Example.test", primary=False)
        accept(person, token_for(ADA))

    def test_is_refused_when_it_has_run_out(self, invite, accept, ada, now, settings):
        invite()
        with pytest.raises(InviteGone):
            accept(ada, at=now + timedelta(days=settings.INVITE_DAYS))

    def test_is_refused_when_it_was_taken_back(self, invite, accept, ada, admin):
        invites.revoke(invite_id=invite().pk, actor_id=admin.pk)
        with pytest.raises(InviteGone):
            accept(ada)

    @pytest.mark.parametrize(
        "loss", [{"status": "suspended"}, {"role": "organizer"}, {"role": "user"}], ids=str
    )
    def test_is_refused_when_the_inviter_may_not_invite_any_more(
        self, invite, accept, ada, admin, member, loss
    ):
        member(Role.ORG_ADMIN)
        invite(role=Role.USER)
        Membership.objects.filter(user=admin).update(**loss)
        with pytest.raises(InviteGone):
            accept(ada)

    def test_is_refused_when_the_inviter_is_deactivated(self, invite, accept, ada, admin):
        invite()
        User.objects.filter(pk=admin.pk).update(status="suspended")
        with pytest.raises(InviteGone):
            accept(ada)

    def test_is_refused_to_a_deactivated_person(self, invite, accept, ada):
        invite()
        User.objects.filter(pk=ada.pk).update(status="suspended")
        with pytest.raises(InviteGone):
            accept(ada)

    @pytest.mark.parametrize("token", ["", "x", "null", "None", "00000000-0000-4000-8000-000000000000"])
    def test_is_refused_for_a_token_that_nobody_gave_out(self, invite, ada, token, now):
        invite()
        with pytest.raises(InviteGone):
            invites.accept(token_hash=invites.hash_of(token), user_id=ada.pk, now=now)


class TestResend:
    def test_gives_a_new_link_and_a_new_end(self, invite, accept, ada, admin, token_for, now):
        made = invite()
        first = token_for(ADA)
        later = now + timedelta(days=100)
        invites.expire(now=later)
        invites.resend(invite_id=made.pk, actor_id=admin.pk, now=later)
        with pytest.raises(InviteGone):
            accept(ada, first, at=later)
        accept(ada, at=later)

    def test_is_refused_for_one_that_was_used(self, invite, accept, ada, admin, now):
        made = invite()
        accept(ada)
        with pytest.raises(InviteGone):
            invites.resend(invite_id=made.pk, actor_id=admin.pk, now=now)

    def test_is_refused_above_ones_own_rights(self, invite, member, now):
        made = invite(role=Role.ORG_ADMIN)
        deputy = member(Role.ORGANIZER, permissions={"grant": [Right.INVITE]})
        with pytest.raises(NotAllowed):
            invites.resend(invite_id=made.pk, actor_id=deputy.pk, now=now)


class TestRevoke:
    def test_is_refused_without_the_right(self, invite, member):
        with pytest.raises(NotAllowed):
            invites.revoke(invite_id=invite().pk, actor_id=member(Role.ORGANIZER).pk)


class TestExpire:
    def test_marks_what_has_run_out_and_nothing_else(self, invite, now):
        invite()
        invite(email="eve@example.test", at=now + timedelta(days=1))
        assert invites.expire(now=now + timedelta(days=14)) == 1
        assert set(Invite.objects.values_list("email", "status")) == {
            (ADA, "expired"),
            ("eve@example.test", "pending"),
        }
