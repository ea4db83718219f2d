from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models

from orgs.migrating import ShortLocks


class Migration(ShortLocks):
    tables = ("organizations", "users", "organization_users", "organization_invites")

    dependencies = [
        ("orgs", "0001_original"),
    ]

    operations = [
        migrations.AddField(
            model_name="membership",
            name="source",
            field=models.CharField(
                choices=[("local", "given here"), ("keycloak", "follows a Keycloak group")],
                db_default="local",
                default="local",
                editable=False,
                max_length=20,
                verbose_name="source",
            ),
        ),
        migrations.AddField(
            model_name="organization",
            name="slug",
            field=models.CharField(
                blank=True,
                help_text="The organization's place below the platform's address: acme in acme.example.org.",
                max_length=63,
                null=True,
                verbose_name="short name",
            ),
        ),
        migrations.AddField(
            model_name="user",
            name="is_platform_staff",
            field=models.BooleanField(db_default=False, default=False, verbose_name="platform staff"),
        ),
        migrations.AddField(
            model_name="user",
            name="last_login",
            field=models.DateTimeField(blank=True, null=True, verbose_name="last login"),
        ),
        migrations.AddField(
            model_name="user",
            name="password",
            field=models.CharField(db_default="", max_length=128, verbose_name="password"),
        ),
        migrations.AddField(
            model_name="user",
            name="session_epoch",
            field=models.IntegerField(db_default=0, default=0, editable=False),
        ),
        AddConstraintNotValid(
            model_name="invite",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "email__regex",
                        "^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@([A-Za-z0-9-]+\\.)+[A-Za-z][A-Za-z0-9-]*[A-Za-z0-9]$",
                    )
                ),
                name="invite_email_is_an_address",
            ),
        ),
        AddConstraintNotValid(
            model_name="invite",
            constraint=models.CheckConstraint(
                condition=models.Q(("token__regex", "\\S")), name="invite_token_is_not_empty"
            ),
        ),
        AddConstraintNotValid(
            model_name="invite",
            constraint=models.CheckConstraint(
                condition=models.Q(("expires_at__gt", models.F("created_at"))),
                name="invite_expires_after_it_was_made",
            ),
        ),
        AddConstraintNotValid(
            model_name="membership",
            constraint=models.CheckConstraint(
                condition=models.Q(("source__in", ["local", "keycloak"])), name="membership_source_is_known"
            ),
        ),
        AddConstraintNotValid(
            model_name="organization",
            constraint=models.CheckConstraint(
                condition=models.Q(("name__regex", "\\S")), name="organization_name_is_not_empty"
            ),
        ),
        AddConstraintNotValid(
            model_name="organization",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("domain__regex", "^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\\.)+[a-z][a-z0-9-]*[a-z0-9]$")
                ),
                name="organization_domain_is_a_domain",
            ),
        ),
        AddConstraintNotValid(
            model_name="organization",
            constraint=models.CheckConstraint(
                condition=models.Q(("slug__regex", "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$")),
                name="organization_slug_is_a_label",
            ),
        ),
        AddConstraintNotValid(
            model_name="user",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "email__regex",
                        "^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@([A-Za-z0-9-]+\\.)+[A-Za-z][A-Za-z0-9-]*[A-Za-z0-9]$",
                    )
                ),
                name="user_email_is_an_address",
            ),
        ),
        AddConstraintNotValid(
            model_name="user",
            constraint=models.CheckConstraint(
                condition=models.Q(("phone__regex", "^\\+[1-9][0-9]{1,14}$")), name="user_phone_is_e164"
            ),
        ),
        AddConstraintNotValid(
            model_name="user",
            constraint=models.CheckConstraint(
                condition=models.Q(("name__regex", "\\S")), name="user_name_is_not_empty"
            ),
        ),
        AddConstraintNotValid(
            model_name="user",
            constraint=models.CheckConstraint(
                condition=models.Q(("email__isnull", False), ("status", "erased"), _connector="OR"),
                name="only_erased_people_have_no_email",
            ),
        ),
    ]
