from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from orgs.models.fields import Identified


class MembershipHistory(Identified):
    """Who joined, rose, fell, was suspended or left: for good, whoever did it and by whatever program.

    A trigger on `organization_users` writes the lines, so none can be forgotten; others refuse to change or
    delete them. Plain values without foreign keys: the lines outlive what they tell of. `actor_id` is
    what the transaction named by `happening.actor` (`orgs.members`), null where nobody was named.
    """

    class Action(models.TextChoices):
        JOINED = "joined", _("joined")
        CHANGED = "changed", _("changed")
        LEFT = "left", _("left")

    organization_id = models.UUIDField()
    user_id = models.UUIDField()
    actor_id = models.UUIDField(null=True)
    action = models.CharField(_("action"), max_length=20, choices=Action)
    details = models.JSONField(default=dict, db_default=models.Value({}, models.JSONField()))
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "membership_history"
        db_table_comment = "Append-only: who was given or lost which role in an organization, and by whom."
        verbose_name = _("membership history entry")
        verbose_name_plural = _("membership history")
        constraints = [
            models.CheckConstraint(
                condition=Q(action__in=["joined", "changed", "left"]),
                name="membership_history_action_is_known",
            ),
        ]
        indexes = [
            models.Index(fields=["organization_id", "created_at"], name="idx_membership_history_org"),
            models.Index(fields=["user_id", "created_at"], name="idx_membership_history_user"),
        ]

    def __str__(self):
        return self.get_action_display()
