from uuid import UUID

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _

from orgs import standing_news
from orgs.composed import Composed
from orgs.models.fields import ADDRESS, Dated, Identified


class UserQuerySet(models.QuerySet):
    def end_sessions(self) -> None:
        """Sign these people out everywhere: no session from before is taken any more."""
        people = list(self.values_list("pk", flat=True))
        self.update(session_epoch=F("session_epoch") + 1)
        standing_news.changed(*people)  # behind the change: without a transaction it is announced at once


class UserManager(BaseUserManager.from_queryset(UserQuerySet)):
    def create_user(self, email, password=None, **facts):
        user = self.model(email=self.normalize_email(email).lower(), **facts)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email, password=None, **facts):
        return self.create_user(email, password, is_platform_staff=True, **facts)

    def get(self, *conditions, **facts):
        """As ever; but one person by their key is what every page begins with, so that is composed once."""
        if not conditions and facts.keys() == {"pk"} and isinstance(facts["pk"], UUID):
            return PERSON.get(facts["pk"])
        return super().get(*conditions, **facts)

    def get_by_natural_key(self, email):
        return self.alias(written=Lower("email")).get(written=email.lower())


PERSON = Composed(lambda person: User.objects.filter(pk=person))


class User(AbstractBaseUser, Identified, Dated):
    """A person. Signs in by email, or by Keycloak, whose subject `keycloak_id` mirrors.

    What a person may do in an organization stands in their membership; `is_platform_staff` is the one
    right that reaches over all organizations.
    """

    class Status(models.TextChoices):
        ACTIVE = "active", _("active")
        SUSPENDED = "suspended", _("suspended")
        ERASED = "erased", _("erased")

    keycloak_id = models.CharField(_("Keycloak subject"), max_length=255, null=True, blank=True)
    email = models.EmailField(_("email"), max_length=254, null=True)
    name = models.CharField(_("name"), max_length=200, null=True)
    phone = models.CharField(_("phone"), max_length=16, null=True, blank=True)
    status = models.CharField(
        _("status"), max_length=20, choices=Status, default=Status.ACTIVE, db_default=Status.ACTIVE
    )
    profile = models.JSONField(
        _("profile"), default=dict, db_default=models.Value({}, models.JSONField()), blank=True
    )
    password = models.CharField(_("password"), max_length=128, db_default="")
    is_platform_staff = models.BooleanField(_("platform staff"), default=False, db_default=False)
    session_epoch = models.IntegerField(default=0, db_default=0, editable=False)

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS = ["name"]

    objects = UserManager()

    class Meta:
        db_table = "users"
        db_table_comment = (
            "People, mirrored from Keycloak where they sign in by it, so that bookings, memberships, "
            "invites and notifications can name them."
        )
        verbose_name = _("person")
        verbose_name_plural = _("people")
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=["active", "suspended", "erased"]), name="user_status_is_known"
            ),
            models.CheckConstraint(
                condition=Q(email__regex=ADDRESS),
                name="user_email_is_an_address",
            ),
            models.CheckConstraint(
                condition=Q(phone__regex=r"^\+[1-9][0-9]{1,14}$"), name="user_phone_is_e164"
            ),
            models.CheckConstraint(condition=Q(name__regex=r"\S"), name="user_name_is_not_empty"),
            models.CheckConstraint(
                condition=Q(email__isnull=False) | Q(status="erased"), name="only_erased_people_have_no_email"
            ),
            models.UniqueConstraint(fields=["keycloak_id"], name="users_have_distinct_keycloak_ids"),
            models.UniqueConstraint(Lower("email"), name="users_have_distinct_emails"),
        ]
        indexes = [
            models.Index(fields=["email"], name="idx_users_email"),
            models.Index(fields=["status"], name="idx_users_status"),
        ]

    def __str__(self):
        return self.name or self.email or str(_("Somebody who left"))

    def get_full_name(self) -> str:
        return str(self)

    def get_short_name(self) -> str:
        return (self.name or "").split(" ")[0] or str(self)

    def _get_session_auth_hash(self, secret=None) -> str:
        """What a session must hold to be this person's: it changes with the password and with the epoch."""
        held = f"{self.session_epoch}:{self.password}"
        return salted_hmac("orgs.User.session", held, secret=secret, algorithm="sha256").hexdigest()

    @property
    def is_active(self) -> bool:
        return self.status == self.Status.ACTIVE

    @property
    def is_staff(self) -> bool:
        """Whether the platform's own admin opens for this person (a name that Django asks for)."""
        return self.is_active and self.is_platform_staff

    @property
    def is_superuser(self) -> bool:
        return self.is_staff

    def has_perm(self, perm, obj=None) -> bool:
        return self.is_staff

    def has_perms(self, perms, obj=None) -> bool:
        return self.is_staff

    def has_module_perms(self, app_label) -> bool:
        return self.is_staff
