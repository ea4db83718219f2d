from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("orgs", "0002_improved_columns"),
    ]

    operations = [
        ValidateConstraint(
            model_name="invite",
            name="invite_email_is_an_address",
        ),
        ValidateConstraint(
            model_name="invite",
            name="invite_token_is_not_empty",
        ),
        ValidateConstraint(
            model_name="invite",
            name="invite_expires_after_it_was_made",
        ),
        ValidateConstraint(
            model_name="membership",
            name="membership_source_is_known",
        ),
        ValidateConstraint(
            model_name="organization",
            name="organization_name_is_not_empty",
        ),
        ValidateConstraint(
            model_name="organization",
            name="organization_domain_is_a_domain",
        ),
        ValidateConstraint(
            model_name="organization",
            name="organization_slug_is_a_label",
        ),
        ValidateConstraint(
            model_name="user",
            name="user_email_is_an_address",
        ),
        ValidateConstraint(
            model_name="user",
            name="user_phone_is_e164",
        ),
        ValidateConstraint(
            model_name="user",
            name="user_name_is_not_empty",
        ),
        ValidateConstraint(
            model_name="user",
            name="only_erased_people_have_no_email",
        ),
    ]
