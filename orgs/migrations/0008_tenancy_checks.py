from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("orgs", "0007_tenancy")]

    operations = [
        ValidateConstraint(model_name="membership", name="membership_permissions_are_lists_of_flags"),
        ValidateConstraint(model_name="organization", name="organization_slug_is_not_reserved"),
        ValidateConstraint(model_name="organization", name="organization_settings_are_an_object"),
    ]
