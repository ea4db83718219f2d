from django.db import models, transaction
from django.db.models import Q
from django.db.models.lookups import Exact
from django.utils.translation import gettext_lazy as _

from orgs.host_cache import known_hosts
from orgs.links import address_at, platform_host
from orgs.models.fields import Dated, Identified, JsonType
from orgs.names import DOMAIN, RESERVED_SLUGS, SLUG, validate_domain, validate_slug
from orgs.organization_settings import validate_settings


class OrganizationQuerySet(models.QuerySet):
    def active(self):
        return self.filter(status=Organization.Status.ACTIVE)

    def lock(self, organization_id) -> "Organization":
        """The organization's row, locked until the transaction ends: its memberships change one by one."""
        return self.select_for_update(no_key=True, of=("self",)).get(pk=organization_id)


class Organization(Identified, Dated):
    """A tenant: it owns events and memberships, and is the wall between its data and everybody else's."""

    class Status(models.TextChoices):
        ACTIVE = "active", _("active")
        SUSPENDED = "suspended", _("suspended")
        CLOSED = "closed", _("closed")

    name = models.CharField(_("name"), max_length=200)
    domain = models.CharField(
        _("domain"), max_length=253, null=True, blank=True, validators=[validate_domain]
    )
    settings = models.JSONField(
        _("settings"),
        default=dict,
        db_default=models.Value({}, models.JSONField()),
        blank=True,
        validators=[validate_settings],
    )
    status = models.CharField(
        _("status"), max_length=20, choices=Status, default=Status.ACTIVE, db_default=Status.ACTIVE
    )
    slug = models.CharField(
        _("short name"),
        max_length=63,
        null=True,
        blank=True,
        validators=[validate_slug],
        help_text=_("The organization's place below the platform's address: acme in acme.example.org."),
    )

    objects = OrganizationQuerySet.as_manager()

    class Meta:
        db_table = "organizations"
        db_table_comment = (
            "Tenants. They own events and memberships; events.org_id and "
            "organization_users.organization_id lead here."
        )
        verbose_name = _("organization")
        verbose_name_plural = _("organizations")
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=["active", "suspended", "closed"]), name="organization_status_is_known"
            ),
            models.CheckConstraint(condition=Q(name__regex=r"\S"), name="organization_name_is_not_empty"),
            models.CheckConstraint(condition=Q(domain__regex=DOMAIN), name="organization_domain_is_a_domain"),
            models.CheckConstraint(condition=Q(slug__regex=SLUG), name="organization_slug_is_a_label"),
            models.CheckConstraint(
                condition=~Q(slug__in=RESERVED_SLUGS), name="organization_slug_is_not_reserved"
            ),
            models.CheckConstraint(
                condition=Exact(JsonType("settings"), "object"),
                name="organization_settings_are_an_object",
            ),
            models.UniqueConstraint(fields=["domain"], name="organizations_have_distinct_domains"),
            models.UniqueConstraint(fields=["slug"], name="organizations_have_distinct_slugs"),
        ]
        indexes = [models.Index(fields=["status"], name="idx_organizations_status")]

    def __str__(self):
        return self.name

    def save(self, **kwargs):
        """The hosts it had and those it has now are asked for anew once this is committed."""
        before = Organization.objects.filter(pk=self.pk).only("slug", "domain").first()
        super().save(**kwargs)
        hosts = {*self.hosts, *(before.hosts if before else ())}
        transaction.on_commit(lambda: [known_hosts.forget(host) for host in hosts])

    @property
    def hosts(self) -> list[str]:
        """Where it is found, the best first: its own domain, its short name below the platform's host."""
        below = f"{self.slug}.{platform_host()}" if self.slug else None
        return [host for host in (self.domain, below) if host]

    def address(self, path: str = "/") -> str:
        """The URL of a page on its host; on the platform's where it has none."""
        return address_at(next(iter(self.hosts), None), path)

    @property
    def is_active(self) -> bool:
        return self.status == self.Status.ACTIVE
