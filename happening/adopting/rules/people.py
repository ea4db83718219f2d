"""Organizations, people, memberships and invites: names, addresses and numbers."""

from happening.adopting.rules.rule import Rule, assign
from orgs.models.fields import ADDRESS
from orgs.names import DOMAIN

ADDRESS_OF = r"lower(regexp_replace(email, '^\s*(mailto:)?|[\s,;.]+$', '', 'gi'))"
NUMBER_OF = r"regexp_replace(regexp_replace(phone, '[\s()./-]', '', 'g'), '^00', '+')"
DOMAIN_OF = r"lower(regexp_replace({}.domain, '^\s*(https?://)?|[/\s]+$', '', 'gi'))"
ITS_DOMAIN, OTHERS_DOMAIN = DOMAIN_OF.format("line"), DOMAIN_OF.format("other")
IS_ADDRESS = "~ '" + ADDRESS.replace("'", "''").replace("%", "%%") + "'"
IS_DOMAIN = "~ '" + DOMAIN + "'"
IS_PHONE = r"~ '^\+[1-9][0-9]{1,14}$'"

RULES = (
    Rule(
        "organization_name_is_not_empty",
        "organizations",
        "it has no name",
        r"line.name !~ '\S'",
        assign("organizations", "name = 'Organization ' || left(id::text, 8)"),
        "it is called Organization and the first part of its id",
    ),
    Rule(
        "organization_domain_is_a_domain",
        "organizations",
        "its domain is none",
        f"line.domain !{IS_DOMAIN}",
        f"""
        UPDATE organizations AS line SET domain = CASE WHEN {ITS_DOMAIN} {IS_DOMAIN} AND NOT EXISTS (
            SELECT FROM organizations AS other
            WHERE other.id <> line.id AND other.domain = {ITS_DOMAIN}
               OR other.id < line.id AND {OTHERS_DOMAIN} = {ITS_DOMAIN}
        ) THEN {ITS_DOMAIN} END
        WHERE id = ANY(%(ids)s)
        """,  # noqa: S608
        "it is written as a domain where it can be and nobody has that one, else emptied",
    ),
    Rule(
        "organization_settings_are_an_object",
        "organizations",
        "its settings are no JSON object",
        "jsonb_typeof(line.settings) <> 'object'",
        assign("organizations", "settings = '{}'"),
        "its settings are emptied",
    ),
    Rule(
        "user_email_is_an_address",
        "users",
        "the email is no address",
        f"line.email !{IS_ADDRESS}",
        f"""
        UPDATE users AS line SET email = CASE WHEN {ADDRESS_OF} {IS_ADDRESS} AND NOT EXISTS (
            SELECT FROM users AS other WHERE other.id <> line.id AND lower(other.email) =
                lower(regexp_replace(line.email, '^\\s*(mailto:)?|[\\s,;.]+$', '', 'gi'))
        ) THEN {ADDRESS_OF} ELSE id::text || '@address.invalid' END
        WHERE id = ANY(%(ids)s)
        """,  # noqa: S608
        "blanks and capitals go; where that does not help, or somebody has that one, an address at"
        " address.invalid stands in until the person gives one",
    ),
    Rule(
        "only_erased_people_have_no_email",
        "users",
        "there is no email",
        "line.email IS NULL AND line.status <> 'erased'",
        assign("users", "email = id::text || '@address.invalid'"),
        "an address at address.invalid stands in until the person gives one",
    ),
    Rule(
        "users_have_distinct_emails",
        "users",
        "somebody else has the same email, but for capitals",
        "EXISTS (SELECT FROM users AS other"
        " WHERE other.id <> line.id AND lower(other.email) = lower(line.email))",
        by_hand="Decide which account stays; give the others another email, or move their bookings to it.",
    ),
    Rule(
        "user_phone_is_e164",
        "users",
        "the phone is no number as +4930123456",
        f"line.phone !{IS_PHONE}",
        assign("users", f"phone = CASE WHEN {NUMBER_OF} {IS_PHONE} THEN {NUMBER_OF} END"),
        "it is written so where it can be, else emptied",
    ),
    Rule(
        "user_name_is_not_empty",
        "users",
        "the name is blank",
        r"line.name !~ '\S'",
        assign("users", "name = NULL"),
        "it is emptied",
    ),
    Rule(
        "membership_permissions_are_lists_of_flags",
        "organization_users",
        "the permissions are no object with lists under grant and deny",
        "jsonb_typeof(line.permissions) <> 'object'"
        " OR jsonb_typeof(line.permissions -> 'grant') <> 'array'"
        " OR jsonb_typeof(line.permissions -> 'deny') <> 'array'",
        "UPDATE organization_users SET permissions = '{}' WHERE id = ANY(%(ids)s)"
        " AND NOT (jsonb_typeof(permissions) = 'object' AND permissions ? 'deny')",
        "they are emptied: the role alone says what the member may do",
        by_hand="Something is denied here. Write it as a list under deny.",
    ),
    Rule(
        "invite_email_is_an_address",
        "organization_invites",
        "the email is no address",
        f"line.email !{IS_ADDRESS}",
        f"""
        UPDATE organization_invites SET
            email = CASE WHEN {ADDRESS_OF} {IS_ADDRESS} THEN {ADDRESS_OF}
                    ELSE id::text || '@address.invalid' END,
            status = CASE WHEN status <> 'pending' OR {ADDRESS_OF} {IS_ADDRESS} THEN status ELSE 'revoked' END
        WHERE id = ANY(%(ids)s)
        """,  # noqa: S608
        "blanks and capitals go; where that does not help the invite is revoked",
    ),
    Rule(
        "invite_token_is_not_empty",
        "organization_invites",
        "there is no token",
        r"line.token !~ '\S'",
        assign(
            "organization_invites",
            "token = encode(sha256(gen_random_uuid()::text::bytea), 'hex'),"
            " status = CASE status WHEN 'pending' THEN 'revoked' ELSE status END",
        ),
        "it gets one that nobody knows, and is revoked",
    ),
    Rule(
        "invite_expires_after_it_was_made",
        "organization_invites",
        "it expired before it was made",
        "line.expires_at <= line.created_at",
        assign(
            "organization_invites",
            "expires_at = created_at + interval '1 second',"
            " status = CASE status WHEN 'pending' THEN 'expired' ELSE status END",
        ),
        "it expires a second after it was made",
    ),
    Rule(
        "an_address_has_one_pending_invite",
        "organization_invites",
        "a newer invite of the same address is pending",
        "line.status = 'pending' AND EXISTS (SELECT FROM organization_invites AS later"
        " WHERE later.status = 'pending' AND later.organization_id = line.organization_id"
        " AND lower(later.email) = lower(line.email)"
        " AND (later.created_at, later.id) > (line.created_at, line.id))",
        assign("organization_invites", "status = 'revoked'"),
        "it is revoked; the newest stays",
    ),
)
