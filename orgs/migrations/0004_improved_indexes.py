import django.db.models.functions.text
from django.db import migrations, models

from orgs.migrating import AddIndexSafely, AddUniqueSafely


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("orgs", "0003_improved_checks"),
    ]

    operations = [
        AddIndexSafely(
            model_name="invite",
            index=models.Index(fields=["organization", "status"], name="idx_invites_organization"),
        ),
        AddIndexSafely(
            model_name="invite",
            index=models.Index(
                condition=models.Q(("status", "pending")), fields=["expires_at"], name="idx_invites_pending"
            ),
        ),
        AddIndexSafely(
            model_name="invite",
            index=models.Index(fields=["invited_by"], name="idx_invites_invited_by"),
        ),
        AddIndexSafely(
            model_name="membership",
            index=models.Index(fields=["user"], name="idx_organization_users_user_id"),
        ),
        AddIndexSafely(
            model_name="membership",
            index=models.Index(
                condition=models.Q(("status", "active")),
                fields=["organization", "user"],
                name="idx_organization_users_active",
            ),
        ),
        AddIndexSafely(
            model_name="organization",
            index=models.Index(fields=["status"], name="idx_organizations_status"),
        ),
        AddIndexSafely(
            model_name="user",
            index=models.Index(fields=["email"], name="idx_users_email"),
        ),
        AddIndexSafely(
            model_name="user",
            index=models.Index(fields=["status"], name="idx_users_status"),
        ),
        AddUniqueSafely(
            model_name="organization",
            constraint=models.UniqueConstraint(fields=("slug",), name="organizations_have_distinct_slugs"),
        ),
        AddUniqueSafely(
            model_name="user",
            constraint=models.UniqueConstraint(
                django.db.models.functions.text.Lower("email"), name="users_have_distinct_emails"
            ),
        ),
    ]
