from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations, models
from django.db.models.functions import Lower

from orgs.migrating import AddUniqueSafely, InPages

# An address has one pending invite of an organization, the newest.
REVOKE_EARLIER = (
    """
    SELECT id FROM organization_invites AS earlier
    WHERE id >= %(after)s AND status = 'pending' AND EXISTS (
        SELECT FROM organization_invites AS later
        WHERE later.status = 'pending' AND later.organization_id = earlier.organization_id
        AND lower(later.email) = lower(earlier.email)
        AND (later.created_at, later.id) > (earlier.created_at, earlier.id)
    )
    ORDER BY id LIMIT %(most)s
    """,
    "UPDATE organization_invites SET status = 'revoked' WHERE id = ANY(%(ids)s) AND status = 'pending'",
)


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("orgs", "0007_tenancy")]

    operations = [
        ValidateConstraint(model_name="membership", name="membership_permissions_are_lists_of_flags"),
        ValidateConstraint(model_name="organization", name="organization_slug_is_not_reserved"),
        ValidateConstraint(model_name="organization", name="organization_settings_are_an_object"),
        InPages(*REVOKE_EARLIER, about="Revoke what a newer invite has overtaken"),
        AddUniqueSafely(
            model_name="invite",
            constraint=models.UniqueConstraint(
                "organization",
                Lower("email"),
                condition=models.Q(status="pending"),
                name="an_address_has_one_pending_invite",
            ),
        ),
    ]
