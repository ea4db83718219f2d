"""What the provider says of a person, as Keycloak would with a mapper for groups."""

from oauth2_provider.oauth2_validators import OAuth2Validator

from happening.demo.identity.people import subject_of


class Claims(OAuth2Validator):
    oidc_claim_scope = None  # all of them, whatever was asked for

    def get_additional_claims(self, request):
        person = request.user
        return {
            "sub": subject_of(person.email),
            "email": person.email,
            "email_verified": True,
            "name": person.first_name,
            "preferred_username": person.email,
            "groups": sorted(person.groups.values_list("name", flat=True)),
            "realm_access": {"roles": ["offline_access", "default-roles-happening"]},
        }
