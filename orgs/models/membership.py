from django.conf import settings
from django.db import models
from django.db.models import Q, Value
from django.db.models.fields.json import KeyTransform
from django.db.models.functions import Coalesce
from django.db.models.lookups import Exact
from django.utils.translation import gettext_lazy as _

from orgs.models.fields import Dated, Identified, JsonType
from orgs.models.organization import Organization
from orgs.models.permissions import validate_permissions


def _lists_flags(way: str) -> Exact:
    """Whatever is written there, reading it cannot fail: a list where there is anything."""
    return Exact(
        Coalesce(JsonType(KeyTransform(way, "permissions")), Value("array", models.TextField())), "array"
    )


class MembershipQuerySet(models.QuerySet):
    def active(self):
        return self.filter(status=Membership.Status.ACTIVE)

    def administrators(self):
        """Of people who can act: what the rule that an organization keeps one counts."""
        return self.active().filter(role=Membership.Role.ORG_ADMIN, user__status="active")


class Membership(Identified, Dated):
    """A person's role in an organization; `permissions` grants or denies single flags on top of it."""

    class Role(models.TextChoices):
        ORG_ADMIN = "orgAdmin", _("administrator")
        ORGANIZER = "organizer", _("organizer")
        USER = "user", _("member")

    class Status(models.TextChoices):
        ACTIVE = "active", _("active")
        SUSPENDED = "suspended", _("suspended")

    class Source(models.TextChoices):
        LOCAL = "local", _("given here")
        KEYCLOAK = "keycloak", _("follows a Keycloak group")

    organization = models.ForeignKey(
        Organization, models.DO_NOTHING, related_name="memberships", db_constraint=False, db_index=False
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.DO_NOTHING,
        related_name="memberships",
        db_constraint=False,
        db_index=False,
    )
    role = models.CharField(_("role"), max_length=20, choices=Role, default=Role.USER, db_default=Role.USER)
    permissions = models.JSONField(
        _("permissions"),
        default=dict,
        db_default=models.Value({}, models.JSONField()),
        blank=True,
        validators=[validate_permissions],
    )
    status = models.CharField(
        _("status"), max_length=20, choices=Status, default=Status.ACTIVE, db_default=Status.ACTIVE
    )
    source = models.CharField(
        _("source"),
        max_length=20,
        choices=Source,
        default=Source.LOCAL,
        db_default=Source.LOCAL,
        editable=False,
    )

    objects = MembershipQuerySet.as_manager()

    class Meta:
        db_table = "organization_users"
        db_table_comment = "Who belongs to which organization, in what role, and since when."
        verbose_name = _("membership")
        verbose_name_plural = _("memberships")
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "user"], name="one_membership_per_person_and_organization"
            ),
            models.CheckConstraint(
                condition=Q(role__in=["orgAdmin", "organizer", "user"]), name="membership_role_is_known"
            ),
            models.CheckConstraint(
                condition=Q(status__in=["active", "suspended"]), name="membership_status_is_known"
            ),
            models.CheckConstraint(
                condition=Q(Exact(JsonType("permissions"), "object"))
                & Q(_lists_flags("grant"))
                & Q(_lists_flags("deny")),
                name="membership_permissions_are_lists_of_flags",
            ),
            models.CheckConstraint(
                condition=Q(source__in=["local", "keycloak"]), name="membership_source_is_known"
            ),
        ]
        indexes = [
            models.Index(fields=["user"], name="idx_organization_users_user_id"),
            models.Index(
                fields=["organization", "user"],
                condition=Q(status="active"),
                name="idx_organization_users_active",
            ),
        ]

    def __str__(self):
        return f"{self.user}, {self.get_role_display()}"

    @property
    def is_active(self) -> bool:
        return self.status == self.Status.ACTIVE

    @property
    def is_administrator(self) -> bool:
        return self.is_active and self.role == self.Role.ORG_ADMIN
