import pytest

from tests.schema.refusals import each, refused

GROUPS = {
    "keycloak_group_is_a_path": [{"path": ""}, {"path": "acme"}, {"path": "/"}, {"path": "/ "}],
    "keycloak_group_role_is_known": [{"role": "owner"}, {"role": "platform"}],
}
TOKENS = {"spent_token_is_a_digest": [{"digest": ""}, {"digest": "A" * 64}, {"digest": "a" * 63}]}


class TestKeycloakGroups:
    @pytest.mark.parametrize(("rule", "columns"), each(GROUPS))
    def test_refuse(self, rows, rule, columns):
        with refused(rule):
            rows.add("keycloak_groups", **columns)

    def test_give_one_role_in_an_organization(self, rows):
        org = rows.add("organizations")
        rows.add("keycloak_groups", organization_id=org, role="user")
        with refused("a_keycloak_group_gives_one_role_in_an_organization"):
            rows.add("keycloak_groups", organization_id=org, role="orgAdmin")

    def test_give_roles_in_several_organizations(self, rows):
        rows.add("keycloak_groups")
        rows.add("keycloak_groups")

    def test_belong_to_an_organization(self, rows, nobody):
        with refused("keycloak_groups_organization_id_fkey"):
            rows.add("keycloak_groups", organization_id=nobody)

    def test_go_with_their_organization(self, rows):
        org = rows.add("organizations", status="closed")
        rows.add("keycloak_groups", organization_id=org)
        rows.do("DELETE FROM organizations WHERE id = %s", org)
        assert rows.value("SELECT count(*) FROM keycloak_groups") == 0

    def test_know_when_they_were_changed(self, rows):
        group = rows.add("keycloak_groups", updated_at="2000-01-01 00:00Z")
        rows.do("UPDATE keycloak_groups SET role = 'user' WHERE id = %s", group)
        assert rows.value("SELECT updated_at > created_at - interval '1 day' FROM keycloak_groups")


class TestSpentTokens:
    @pytest.mark.parametrize(("rule", "columns"), each(TOKENS))
    def test_refuse(self, rows, rule, columns):
        with refused(rule):
            rows.add("spent_tokens", **columns)

    def test_are_spent_once(self, rows):
        rows.add("spent_tokens", digest="a" * 64)
        with refused("a_token_is_spent_once"):
            rows.add("spent_tokens", digest="a" * 64)
