import django.contrib.postgres.functions
import django.db.models.deletion
import django.db.models.functions.datetime
import uuid_utils.compat
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="User",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        db_default=django.contrib.postgres.functions.RandomUUID(),
                        default=uuid_utils.compat.uuid7,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), editable=False
                    ),
                ),
                (
                    "updated_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), editable=False
                    ),
                ),
                (
                    "keycloak_id",
                    models.CharField(blank=True, max_length=255, null=True, verbose_name="Keycloak subject"),
                ),
                ("email", models.EmailField(max_length=254, null=True, verbose_name="email")),
                ("name", models.CharField(max_length=200, null=True, verbose_name="name")),
                ("phone", models.CharField(blank=True, max_length=16, null=True, verbose_name="phone")),
                (
                    "status",
                    models.CharField(
                        choices=[("active", "active"), ("suspended", "suspended"), ("erased", "erased")],
                        db_default="active",
                        default="active",
                        max_length=20,
                        verbose_name="status",
                    ),
                ),
                (
                    "profile",
                    models.JSONField(
                        blank=True,
                        db_default=models.Value({}, models.JSONField()),
                        default=dict,
                        verbose_name="profile",
                    ),
                ),
            ],
            options={
                "verbose_name": "person",
                "verbose_name_plural": "people",
                "db_table": "users",
                "db_table_comment": "People, mirrored from Keycloak where they sign in by it, so that bookings, memberships, invites and notifications can name them.",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("status__in", ["active", "suspended", "erased"])),
                        name="user_status_is_known",
                    ),
                    models.UniqueConstraint(fields=("keycloak_id",), name="users_have_distinct_keycloak_ids"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Organization",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        db_default=django.contrib.postgres.functions.RandomUUID(),
                        default=uuid_utils.compat.uuid7,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), editable=False
                    ),
                ),
                (
                    "updated_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), editable=False
                    ),
                ),
                ("name", models.CharField(max_length=200, verbose_name="name")),
                (
                    "domain",
                    models.CharField(blank=True, max_length=253, null=True, verbose_name="domain"),
                ),
                (
                    "settings",
                    models.JSONField(
                        blank=True,
                        db_default=models.Value({}, models.JSONField()),
                        default=dict,
                        verbose_name="settings",
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[("active", "active"), ("suspended", "suspended"), ("closed", "closed")],
                        db_default="active",
                        default="active",
                        max_length=20,
                        verbose_name="status",
                    ),
                ),
            ],
            options={
                "verbose_name": "organization",
                "verbose_name_plural": "organizations",
                "db_table": "organizations",
                "db_table_comment": "Tenants. They own events and memberships; events.org_id and organization_users.organization_id lead here.",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("status__in", ["active", "suspended", "closed"])),
                        name="organization_status_is_known",
                    ),
                    models.UniqueConstraint(fields=("domain",), name="organizations_have_distinct_domains"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Membership",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        db_default=django.contrib.postgres.functions.RandomUUID(),
                        default=uuid_utils.compat.uuid7,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), editable=False
                    ),
                ),
                (
                    "updated_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), editable=False
                    ),
                ),
                (
                    "role",
                    models.CharField(
                        choices=[
                            ("orgAdmin", "administrator"),
                            ("organizer", "organizer"),
                            ("user", "member"),
                        ],
                        db_default="user",
                        default="user",
                        max_length=20,
                        verbose_name="role",
                    ),
                ),
                (
                    "permissions",
                    models.JSONField(
                        blank=True,
                        db_default=models.Value({}, models.JSONField()),
                        default=dict,
                        verbose_name="permissions",
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[("active", "active"), ("suspended", "suspended")],
                        db_default="active",
                        default="active",
                        max_length=20,
                        verbose_name="status",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="memberships",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="memberships",
                        to="orgs.organization",
                    ),
                ),
            ],
            options={
                "verbose_name": "membership",
                "verbose_name_plural": "memberships",
                "db_table": "organization_users",
                "db_table_comment": "Who belongs to which organization, in what role, and since when.",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("organization", "user"), name="one_membership_per_person_and_organization"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("role__in", ["orgAdmin", "organizer", "user"])),
                        name="membership_role_is_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("status__in", ["active", "suspended"])),
                        name="membership_status_is_known",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Invite",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        db_default=django.contrib.postgres.functions.RandomUUID(),
                        default=uuid_utils.compat.uuid7,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), editable=False
                    ),
                ),
                (
                    "updated_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), editable=False
                    ),
                ),
                ("email", models.EmailField(max_length=254, verbose_name="email")),
                (
                    "role",
                    models.CharField(
                        choices=[
                            ("orgAdmin", "administrator"),
                            ("organizer", "organizer"),
                            ("user", "member"),
                        ],
                        default="user",
                        max_length=20,
                        verbose_name="role",
                    ),
                ),
                ("token", models.CharField(editable=False, max_length=64)),
                ("expires_at", models.DateTimeField(verbose_name="expires")),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("pending", "pending"),
                            ("accepted", "accepted"),
                            ("expired", "expired"),
                            ("revoked", "revoked"),
                        ],
                        db_default="pending",
                        default="pending",
                        max_length=20,
                        verbose_name="status",
                    ),
                ),
                (
                    "invited_by",
                    models.ForeignKey(
                        db_column="invited_by",
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="invites",
                        to="orgs.organization",
                    ),
                ),
            ],
            options={
                "verbose_name": "invite",
                "verbose_name_plural": "invites",
                "db_table": "organization_invites",
                "db_table_comment": "Invitations to an organization in a role: a hashed token, an end, a state.",
                "constraints": [
                    models.UniqueConstraint(fields=("token",), name="invites_have_distinct_tokens"),
                    models.CheckConstraint(
                        condition=models.Q(("role__in", ["orgAdmin", "organizer", "user"])),
                        name="invite_role_is_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("status__in", ["pending", "accepted", "expired", "revoked"])),
                        name="invite_status_is_known",
                    ),
                ],
            },
        ),
        migrations.RunSQL(
            """
            ALTER TABLE organization_users
                ADD CONSTRAINT organization_users_organization_id_fkey
                    FOREIGN KEY (organization_id) REFERENCES organizations (id) ON DELETE CASCADE,
                ADD CONSTRAINT organization_users_user_id_fkey
                    FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE;
            ALTER TABLE organization_invites
                ADD CONSTRAINT organization_invites_organization_id_fkey
                    FOREIGN KEY (organization_id) REFERENCES organizations (id) ON DELETE CASCADE,
                ADD CONSTRAINT organization_invites_invited_by_fkey
                    FOREIGN KEY (invited_by) REFERENCES users (id) ON DELETE SET NULL;
            """,
            migrations.RunSQL.noop,
        ),
    ]
