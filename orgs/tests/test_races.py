"""People who change the same organization at the same moment, on connections of their own."""

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from orgs import invites, members
from orgs.errors import LastAdministrator, NotAllowed
from orgs.models import Membership, MembershipHistory, Organization
from orgs.models.organization import OrganizationQuerySet
from orgs.roles import Role
from tests.factories import UserFactory
from tests.racing import at_once

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def two(acme, member):
    """The memberships of Acme's two administrators."""
    return [Membership.objects.get(user=member(Role.ORG_ADMIN)) for _ in range(2)]


def administrators() -> int:
    return Membership.objects.administrators().count()


class TestTwoAdministrators:
    def test_who_demote_each_other_leave_one(self, two, now):
        one, other = two

        def demote(whom, by):
            return lambda: members.grant_role(
                membership_id=whom.pk, role=Role.USER, actor_id=by.user_id, now=now
            )

        outcomes = at_once(demote(one, other), demote(other, one))
        assert administrators() == 1
        assert [type(outcome) for outcome in outcomes if isinstance(outcome, Exception)] == [NotAllowed]

    def test_who_leave_together_leave_one(self, acme, two):
        outcomes = at_once(
            *(
                lambda person=one.user_id: members.leave(organization_id=acme.pk, user_id=person)
                for one in two
            )
        )
        assert administrators() == 1
        assert [type(outcome) for outcome in outcomes if outcome] == [LastAdministrator]

    def test_who_are_removed_by_programs_that_ask_nobody_leave_one(self, two):
        def demote(membership):
            with transaction.atomic():
                Membership.objects.filter(pk=membership.pk).update(role="user")

        outcomes = at_once(*(lambda one=one: demote(one) for one in two))
        assert administrators() == 1
        [refusal] = [outcome for outcome in outcomes if outcome]
        assert isinstance(refusal, IntegrityError)
        assert refusal.__cause__.diag.constraint_name == "an_organization_keeps_an_administrator"

    def test_control_without_the_lock_only_the_database_keeps_one(self, acme, two, monkeypatch):
        monkeypatch.setattr(OrganizationQuerySet, "lock", lambda self, pk: self.get(pk=pk))
        outcomes = at_once(
            *(
                lambda person=one.user_id: members.leave(organization_id=acme.pk, user_id=person)
                for one in two
            )
        )
        assert administrators() == 1
        assert len([outcome for outcome in outcomes if outcome]) == 1


class TestOneInvite:
    @pytest.fixture
    def token_hash(self, acme, token_for, now):
        invites.invite(
            organization_id=acme.pk, email="ada@example.test", role="organizer", actor_id=None, now=now
        )
        return invites.hash_of(token_for("ada@example.test"))

    def test_accepted_eight_times_at_once_makes_one_member(self, acme, token_hash):
        ada = UserFactory(email="ada@example.test", verified=True)
        outcomes = at_once(
            *[lambda: invites.accept(token_hash=token_hash, user_id=ada.pk, now=timezone.now())] * 8
        )
        assert len({outcome.pk for outcome in outcomes}) == 1
        assert MembershipHistory.objects.filter(user_id=ada.pk).count() == 1

    def test_and_the_loss_of_the_right_come_one_after_the_other(self, acme, token_hash, two, now):
        """Whatever comes first: nobody is let in by somebody who had been suspended before."""
        ada = UserFactory(email="ada@example.test", verified=True)
        one, other = two
        Organization.objects.get(pk=acme.pk).invites.update(invited_by=one.user_id)
        accepted, _ = at_once(
            lambda: invites.accept(token_hash=token_hash, user_id=ada.pk, now=now),
            lambda: members.suspend(membership_id=one.pk, actor_id=other.user_id, now=now),
        )
        lines = MembershipHistory.objects.order_by("created_at").values_list("user_id", "action")
        if not isinstance(accepted, Exception):
            assert list(lines).index((ada.pk, "joined")) < list(lines).index((one.user_id, "changed"))

    def test_made_twice_at_once_for_an_address_is_pending_once(self, acme, now):
        at_once(
            *[
                lambda: invites.invite(
                    organization_id=acme.pk, email="eve@example.test", role="user", actor_id=None, now=now
                )
            ]
            * 2
        )
        assert sorted(acme.invites.values_list("status", flat=True)) == ["pending", "revoked"]
