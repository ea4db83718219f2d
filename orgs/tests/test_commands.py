from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from orgs import invites
from orgs.models import Invite, Organization

pytestmark = pytest.mark.django_db


class TestInvite:
    def test_invites_as_the_platform_and_says_so_in_a_line(self, acme, capsys, mail_to):
        call_command("invite", "acme", "Ada@example.test", role="orgAdmin")
        assert "ada@example.test is invited to Acme as orgAdmin" in capsys.readouterr().out
        assert "Acme invites you" in mail_to("ada@example.test")[0]
        assert Invite.objects.get().invited_by is None

    @pytest.mark.parametrize(("slug", "email"), [("nobody", "ada@example.test"), ("acme", "ada")])
    def test_fails_with_a_sentence(self, acme, slug, email):
        with pytest.raises(CommandError):
            call_command("invite", slug, email)

    def test_fails_for_an_organization_that_is_not_active(self, acme):
        Organization.objects.update(status="suspended")
        with pytest.raises(CommandError):
            call_command("invite", "acme", "ada@example.test")


class TestExpireInvites:
    def test_says_how_many_ran_out(self, acme, capsys):
        long_ago = timezone.now() - timedelta(days=100)
        invites.invite(
            organization_id=acme.pk, email="ada@example.test", role="user", actor_id=None, now=long_ago
        )
        call_command("expire_invites")
        assert capsys.readouterr().out == "1 invites have run out.\n"
