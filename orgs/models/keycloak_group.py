from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from orgs.models.fields import Dated, Identified
from orgs.models.membership import Membership
from orgs.models.organization import Organization


class KeycloakGroup(Identified, Dated):
    """Who is in this group of Keycloak has this role in this organization. Kept by platform staff."""

    path = models.CharField(
        _("group"), max_length=255, help_text=_("Its full path in Keycloak, such as /acme/organizers.")
    )
    organization = models.ForeignKey(
        Organization, models.DO_NOTHING, related_name="keycloak_groups", db_constraint=False, db_index=False
    )
    role = models.CharField(_("role"), max_length=20, choices=Membership.Role, default=Membership.Role.USER)

    class Meta:
        db_table = "keycloak_groups"
        db_table_comment = "Which Keycloak group gives which role in which organization."
        verbose_name = _("Keycloak group")
        verbose_name_plural = _("Keycloak groups")
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "path"], name="a_keycloak_group_gives_one_role_in_an_organization"
            ),
            models.CheckConstraint(condition=Q(path__regex=r"^/\S"), name="keycloak_group_is_a_path"),
            models.CheckConstraint(
                condition=Q(role__in=["orgAdmin", "organizer", "user"]), name="keycloak_group_role_is_known"
            ),
        ]
        indexes = [models.Index(fields=["path"], name="idx_keycloak_groups_path")]

    def __str__(self):
        return f"{self.path}: {self.organization}, {self.get_role_display()}"
