"""That somebody's rights have changed is announced after the commit, by whoever changes them."""

import json

import pytest
import redis
from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from orgs import members, standing_news
from orgs.breaker import Away
from orgs.models import User
from tests.factories import MembershipFactory, UserFactory

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def announced():
    """What is announced from now on, by person."""
    with redis.Redis.from_url(settings.LIVE_REDIS_URL) as client, client.pubsub() as subscription:
        subscription.subscribe(settings.LIVE_CHANNEL)
        assert subscription.get_message(timeout=2)["type"] == "subscribe"

        def heard() -> set[str]:
            people = set()
            while message := subscription.get_message(timeout=0.5):
                people.update(json.loads(message["data"]).get(standing_news.STANDING, []))
            return people

        yield heard


class TestChanged:
    def test_is_announced_when_staff_suspend_somebody(self, client, announced):
        person = UserFactory()
        client.force_login(UserFactory(is_platform_staff=True))
        facts = {"name": person.name, "phone": "", "status": "suspended"}
        answer = client.post(reverse("admin:orgs_user_change", args=[person.pk]), facts)
        assert answer.status_code == 302
        assert str(person.pk) in announced()

    def test_is_announced_when_a_member_leaves(self, announced):
        membership = MembershipFactory()
        members.leave(organization_id=membership.organization_id, user_id=membership.user_id)
        assert announced() == {str(membership.user_id)}

    def test_is_not_announced_of_what_was_refused(self, announced):
        alone = MembershipFactory(admin=True)
        with pytest.raises(members.LastAdministrator):
            members.suspend(membership_id=alone.pk, actor_id=None, now=timezone.now())
        assert announced() == set()

    def test_comes_after_the_change_even_without_a_transaction(self, monkeypatch):
        """Who hears of it looks at once, and would find the old rights."""
        person, found = UserFactory(), []

        def look(people):
            found.extend(User.objects.filter(pk__in=people).values_list("session_epoch", flat=True))

        monkeypatch.setattr(standing_news, "_tell", look)
        User.objects.filter(pk=person.pk).end_sessions()
        assert found == [person.session_epoch + 1]

    def test_keeps_nobody_from_changing_them_while_redis_is_away(self, monkeypatch):
        def away(_ask):
            raise Away

        monkeypatch.setattr(standing_news._redis, "call", away)
        membership = MembershipFactory()
        suspended = members.suspend(membership_id=membership.pk, actor_id=None, now=timezone.now())
        assert not suspended.is_active
