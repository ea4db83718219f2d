import pytest

from tests.schema.refusals import each, refused

ORGANIZATIONS = {
    "organization_name_is_not_empty": [{"name": ""}, {"name": " \t"}],
    "organization_status_is_known": [{"status": "asleep"}, {"status": ""}],
    "organization_domain_is_a_domain": [
        {"domain": ""},
        {"domain": "acme"},
        {"domain": "Acme.example"},
        {"domain": "-acme.example"},
        {"domain": "acme..example"},
        {"domain": "https://acme.example"},
        {"domain": "acme.example\n"},
        {"domain": f"{'a' * 64}.example"},
    ],
    "organization_slug_is_a_label": [
        {"slug": ""},
        {"slug": "Acme"},
        {"slug": "acme-"},
        {"slug": "-acme"},
        {"slug": "ac.me"},
        {"slug": "ac me"},
    ],
    "organization_slug_is_not_reserved": [{"slug": "www"}, {"slug": "admin"}, {"slug": "mail"}],
    "organization_settings_are_an_object": [{"settings": "[]"}, {"settings": "null"}, {"settings": "1"}],
}
MEMBERSHIPS = {
    "membership_role_is_known": [{"role": "owner"}, {"role": "orgadmin"}],
    "membership_status_is_known": [{"status": "gone"}],
    "membership_source_is_known": [{"source": "elsewhere"}],
    "membership_permissions_are_lists_of_flags": [
        {"permissions": "[]"},
        {"permissions": '{"grant": "invite"}'},
        {"permissions": '{"deny": {}}'},
    ],
}
INVITES = {
    "invite_role_is_known": [{"role": "owner"}],
    "invite_status_is_known": [{"status": "lost"}],
    "invite_email_is_an_address": [{"email": "ada"}, {"email": "ada@"}, {"email": ""}],
    "invite_token_is_not_empty": [{"token": ""}, {"token": " "}],
    "invite_expires_after_it_was_made": [{"expires_at": "2000-01-01"}],
}


class TestOrganizations:
    @pytest.mark.parametrize(("rule", "columns"), each(ORGANIZATIONS))
    def test_refuse(self, rows, rule, columns):
        with refused(rule):
            rows.add("organizations", **columns)

    @pytest.mark.parametrize(
        "columns",
        [
            {"domain": "acme.example"},
            {"domain": "events.acme-works.example"},
            {"domain": "xn--mnchen-3ya.example"},
            {"slug": "acme"},
            {"slug": "a"},
            {"slug": "acme-2"},
            {"status": "suspended"},
            {"status": "closed"},
        ],
    )
    def test_take(self, rows, columns):
        rows.add("organizations", **columns)

    def test_have_distinct_domains(self, rows):
        rows.add("organizations", domain="acme.example")
        with refused("organizations_have_distinct_domains"):
            rows.add("organizations", domain="acme.example")

    def test_have_distinct_slugs(self, rows):
        rows.add("organizations", slug="acme")
        with refused("organizations_have_distinct_slugs"):
            rows.add("organizations", slug="acme")

    def test_may_all_be_without_domain_and_slug(self, rows):
        rows.add("organizations")
        rows.add("organizations")

    def test_leave_their_events_behind_without_an_organization(self, rows):
        org = rows.add("organizations", status="closed")
        event = rows.add("events", org_id=org)
        rows.do("DELETE FROM organizations WHERE id = %s", org)
        assert rows.value("SELECT org_id FROM events WHERE id = %s", event) is None

    def test_take_their_memberships_and_invites_along(self, rows):
        org = rows.add("organizations", status="closed")
        rows.add("organization_users", organization_id=org, role="orgAdmin")
        rows.add("organization_invites", organization_id=org)
        rows.do("DELETE FROM organizations WHERE id = %s", org)
        assert rows.value("SELECT count(*) FROM organization_users") == 0
        assert rows.value("SELECT count(*) FROM organization_invites") == 0


class TestMemberships:
    @pytest.mark.parametrize(("rule", "columns"), each(MEMBERSHIPS))
    def test_refuse(self, rows, rule, columns):
        with refused(rule):
            rows.add("organization_users", **columns)

    @pytest.mark.parametrize("role", ["orgAdmin", "organizer", "user"])
    def test_take_the_role(self, rows, role):
        rows.add("organization_users", role=role)

    def test_are_one_per_person_and_organization(self, rows):
        org, user = rows.add("organizations"), rows.add("users")
        rows.add("organization_users", organization_id=org, user_id=user)
        with refused("one_membership_per_person_and_organization"):
            rows.add("organization_users", organization_id=org, user_id=user)

    def test_are_of_an_organization_that_is_there(self, rows, nobody):
        with refused("organization_users_organization_id_fkey"):
            rows.add("organization_users", organization_id=nobody)

    def test_are_of_a_person_who_is_there(self, rows, nobody):
        with refused("organization_users_user_id_fkey"):
            rows.add("organization_users", user_id=nobody)

    def test_go_with_the_person(self, rows):
        user = rows.add("users")
        rows.add("organization_users", user_id=user)
        rows.do("DELETE FROM users WHERE id = %s", user)
        assert rows.value("SELECT count(*) FROM organization_users") == 0


class TestInvites:
    @pytest.mark.parametrize(("rule", "columns"), each(INVITES))
    def test_refuse(self, rows, rule, columns):
        with refused(rule):
            rows.add("organization_invites", **columns)

    @pytest.mark.parametrize("status", ["pending", "accepted", "expired", "revoked"])
    def test_take_the_status(self, rows, status):
        rows.add("organization_invites", status=status)

    def test_have_distinct_tokens(self, rows):
        rows.add("organization_invites", token="t" * 64)
        with refused("invites_have_distinct_tokens"):
            rows.add("organization_invites", token="t" * 64)

    def test_are_of_an_organization_that_is_there(self, rows, nobody):
        with refused("organization_invites_organization_id_fkey"):
            rows.add("organization_invites", organization_id=nobody)

    def test_are_pending_once_for_an_address(self, rows):
        org = rows.add("organizations")
        rows.add("organization_invites", organization_id=org, status="revoked")
        rows.add("organization_invites", organization_id=org)
        with refused("an_address_has_one_pending_invite"):
            rows.add("organization_invites", organization_id=org, email="ADA@example.test")

    def test_are_by_a_person_who_is_there(self, rows, nobody):
        with refused("organization_invites_invited_by_fkey"):
            rows.add("organization_invites", invited_by=nobody)

    def test_outlive_whoever_sent_them(self, rows):
        user = rows.add("users")
        invite = rows.add("organization_invites", invited_by=user)
        rows.do("DELETE FROM users WHERE id = %s", user)
        assert rows.value("SELECT invited_by FROM organization_invites WHERE id = %s", invite) is None
