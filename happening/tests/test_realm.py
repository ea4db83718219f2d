"""The realm that `docker-compose.yml` gives to Keycloak, held to what the site asks of a provider."""

import json

import pytest
from django.conf import settings
from django.urls import reverse

from happening.demo.identity.people import NEWCOMER, ORGANIZERS, subject_of
from happening.demo.people import PASSWORD


@pytest.fixture(scope="module")
def realm():
    return json.loads((settings.BASE_DIR / "deploy/keycloak/happening-realm.json").read_text())


@pytest.fixture
def client_of(realm):
    [client] = realm["clients"]
    return client


class TestTheRealm:
    def test_demands_a_challenge_that_hides_the_proof(self, client_of):
        assert client_of["attributes"]["pkce.code.challenge.method"] == "S256"

    def test_knows_the_code_flow_alone(self, client_of):
        assert client_of["standardFlowEnabled"]
        for flow in ("implicitFlowEnabled", "directAccessGrantsEnabled", "serviceAccountsEnabled"):
            assert not client_of[flow]
        assert not client_of["publicClient"]

    def test_sends_people_to_the_callback_and_nowhere_else(self, client_of):
        assert client_of["redirectUris"] == [f"http://localhost:8000{reverse('oidc_callback')}"]
        told = client_of["attributes"]["backchannel.logout.url"]
        assert told.endswith(reverse("oidc_backchannel_logout"))

    def test_tells_the_groups_by_their_paths(self, client_of):
        [mapper] = client_of["protocolMappers"]
        assert mapper["protocolMapper"] == "oidc-group-membership-mapper"
        assert (mapper["config"]["claim.name"], mapper["config"]["full.path"]) == ("groups", "true")

    def test_has_two_of_the_demos_people_under_their_own_subjects(self, realm):
        people = {person["email"]: person for person in realm["users"]}
        assert sorted(people) == ["ada@acme.test", NEWCOMER]
        for email, person in people.items():
            assert person["id"] == subject_of(email)
            assert person["emailVerified"]
            assert person["credentials"][0]["value"] == PASSWORD
        assert people[NEWCOMER]["groups"] == [ORGANIZERS]
