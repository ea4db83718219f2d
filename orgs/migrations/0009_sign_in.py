import django.contrib.postgres.functions
import django.db.models.deletion
import django.db.models.functions.datetime
import uuid_utils.compat
from django.db import migrations, models

from orgs.migrating import ShortLocks


class Migration(ShortLocks):
    tables = ("organizations",)
    mode = "SHARE ROW EXCLUSIVE"

    dependencies = [
        ("orgs", "0008_tenancy_checks"),
    ]

    operations = [
        migrations.CreateModel(
            name="SpentToken",
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
                ("digest", models.CharField(max_length=64)),
                ("expires_at", models.DateTimeField()),
            ],
            options={
                "db_table": "spent_tokens",
                "db_table_comment": "Tokens that work once and have been used, as SHA-256, until they are too old.",
                "indexes": [models.Index(fields=["expires_at"], name="idx_spent_tokens_expires_at")],
                "constraints": [
                    models.UniqueConstraint(fields=("digest",), name="a_token_is_spent_once"),
                    models.CheckConstraint(
                        condition=models.Q(("digest__regex", "^[0-9a-f]{64}$")),
                        name="spent_token_is_a_digest",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="KeycloakGroup",
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
                    "path",
                    models.CharField(
                        help_text="Its full path in Keycloak, such as /acme/organizers.",
                        max_length=255,
                        verbose_name="group",
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
                        default="user",
                        max_length=20,
                        verbose_name="role",
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="keycloak_groups",
                        to="orgs.organization",
                    ),
                ),
            ],
            options={
                "verbose_name": "Keycloak group",
                "verbose_name_plural": "Keycloak groups",
                "db_table": "keycloak_groups",
                "db_table_comment": "Which Keycloak group gives which role in which organization.",
                "indexes": [models.Index(fields=["path"], name="idx_keycloak_groups_path")],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("organization", "path"),
                        name="a_keycloak_group_gives_one_role_in_an_organization",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("path__regex", "^/\\S")), name="keycloak_group_is_a_path"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("role__in", ["orgAdmin", "organizer", "user"])),
                        name="keycloak_group_role_is_known",
                    ),
                ],
            },
        ),
        migrations.RunSQL(
            """
            ALTER TABLE keycloak_groups
                ADD CONSTRAINT keycloak_groups_organization_id_fkey
                    FOREIGN KEY (organization_id) REFERENCES organizations (id) ON DELETE CASCADE;
            CREATE OR REPLACE TRIGGER keycloak_groups_updated_at BEFORE UPDATE ON keycloak_groups
                FOR EACH ROW EXECUTE FUNCTION update_updated_at_column();
            """,
            migrations.RunSQL.noop,
        ),
    ]
