from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations, models
from django.db.models.functions import Lower

from orgs.migrating import AddUniqueSafely

REVOKE_EARLIER = """
UPDATE organization_invites AS earlier SET status = 'revoked'
FROM organization_invites AS later
WHERE earlier.status = 'pending' AND later.status = 'pending'
  AND later.organization_id = earlier.organization_id AND lower(later.email) = lower(earlier.email)
  AND (later.created_at, later.id) > (earlier.created_at, earlier.id)
"""


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("orgs", "0007_tenancy")]

    operations = [
        ValidateConstraint(model_name="membership", name="membership_permissions_are_lists_of_flags"),
        ValidateConstraint(model_name="organization", name="organization_slug_is_not_reserved"),
        ValidateConstraint(model_name="organization", name="organization_settings_are_an_object"),
        migrations.RunSQL(REVOKE_EARLIER, migrations.RunSQL.noop),
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
