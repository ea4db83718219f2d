import django.contrib.postgres.functions
import django.db.models.fields.json
import django.db.models.functions.comparison
import django.db.models.functions.datetime
import django.db.models.lookups
import uuid_utils.compat
from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models

import orgs.models.fields
import orgs.models.permissions
import orgs.names
import orgs.organization_settings
from orgs.migrating import ShortLocks, sql_file


class Migration(ShortLocks):
    tables = ("organizations", "organization_users")

    dependencies = [
        ("orgs", "0006_account_mail"),
    ]

    operations = [
        migrations.CreateModel(
            name="MembershipHistory",
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
                ("organization_id", models.UUIDField()),
                ("user_id", models.UUIDField()),
                ("actor_id", models.UUIDField(null=True)),
                (
                    "action",
                    models.CharField(
                        choices=[("joined", "joined"), ("changed", "changed"), ("left", "left")],
                        max_length=20,
                        verbose_name="action",
                    ),
                ),
                ("details", models.JSONField(db_default=models.Value({}, models.JSONField()), default=dict)),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
            options={
                "verbose_name": "membership history entry",
                "verbose_name_plural": "membership history",
                "db_table": "membership_history",
                "db_table_comment": "Append-only: who was given or lost which role in an organization, and by whom.",
                "indexes": [
                    models.Index(fields=["organization_id", "created_at"], name="idx_membership_history_org"),
                    models.Index(fields=["user_id", "created_at"], name="idx_membership_history_user"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("action__in", ["joined", "changed", "left"])),
                        name="membership_history_action_is_known",
                    ),
                ],
            },
        ),
        migrations.AlterField(
            model_name="membership",
            name="permissions",
            field=models.JSONField(
                blank=True,
                db_default=models.Value({}, models.JSONField()),
                default=dict,
                validators=[orgs.models.permissions.validate_permissions],
                verbose_name="permissions",
            ),
        ),
        migrations.AlterField(
            model_name="organization",
            name="domain",
            field=models.CharField(
                blank=True,
                max_length=253,
                null=True,
                validators=[orgs.names.validate_domain],
                verbose_name="domain",
            ),
        ),
        migrations.AlterField(
            model_name="organization",
            name="settings",
            field=models.JSONField(
                blank=True,
                db_default=models.Value({}, models.JSONField()),
                default=dict,
                validators=[orgs.organization_settings.validate_settings],
                verbose_name="settings",
            ),
        ),
        migrations.AlterField(
            model_name="organization",
            name="slug",
            field=models.CharField(
                blank=True,
                help_text="The organization's place below the platform's address: acme in acme.example.org.",
                max_length=63,
                null=True,
                validators=[orgs.names.validate_slug],
                verbose_name="short name",
            ),
        ),
        AddConstraintNotValid(
            model_name="membership",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    django.db.models.lookups.Exact(orgs.models.fields.JsonType("permissions"), "object"),
                    django.db.models.lookups.Exact(
                        django.db.models.functions.comparison.Coalesce(
                            orgs.models.fields.JsonType(
                                django.db.models.fields.json.KeyTransform("grant", "permissions")
                            ),
                            models.Value("array", models.TextField()),
                        ),
                        "array",
                    ),
                    django.db.models.lookups.Exact(
                        django.db.models.functions.comparison.Coalesce(
                            orgs.models.fields.JsonType(
                                django.db.models.fields.json.KeyTransform("deny", "permissions")
                            ),
                            models.Value("array", models.TextField()),
                        ),
                        "array",
                    ),
                ),
                name="membership_permissions_are_lists_of_flags",
            ),
        ),
        AddConstraintNotValid(
            model_name="organization",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "slug__in",
                        [
                            "account",
                            "accounts",
                            "admin",
                            "api",
                            "app",
                            "assets",
                            "auth",
                            "autoconfig",
                            "autodiscover",
                            "billing",
                            "blog",
                            "cdn",
                            "dashboard",
                            "dev",
                            "docs",
                            "email",
                            "events",
                            "ftp",
                            "happening",
                            "help",
                            "imap",
                            "invites",
                            "keycloak",
                            "live",
                            "localhost",
                            "login",
                            "mail",
                            "media",
                            "metrics",
                            "mx",
                            "ns1",
                            "ns2",
                            "oidc",
                            "orgs",
                            "pop",
                            "postmaster",
                            "root",
                            "smtp",
                            "sso",
                            "static",
                            "status",
                            "support",
                            "test",
                            "webmail",
                            "www",
                        ],
                    ),
                    _negated=True,
                ),
                name="organization_slug_is_not_reserved",
            ),
        ),
        AddConstraintNotValid(
            model_name="organization",
            constraint=models.CheckConstraint(
                condition=django.db.models.lookups.Exact(orgs.models.fields.JsonType("settings"), "object"),
                name="organization_settings_are_an_object",
            ),
        ),
        sql_file(__file__, "0007_rules.sql"),
    ]
