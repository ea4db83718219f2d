from datetime import datetime
from hashlib import sha256

from django.db import models
from django.db.models import Q

from orgs.models.fields import Identified


class SpentTokenQuerySet(models.QuerySet):
    def spend(self, token: str, *, until: datetime, now: datetime) -> bool:
        """Whether this token is used for the first time. After `until` it is too old to be taken anyway."""
        self.expired(at=now).delete()
        digest = sha256(token.encode()).hexdigest()
        return self.get_or_create(digest=digest, defaults={"expires_at": until})[1]

    def expired(self, *, at: datetime):
        """Too old to be taken."""
        return self.filter(expires_at__lt=at)


class SpentToken(Identified):
    """What works once and has been used; forgotten when it would be too old to work."""

    digest = models.CharField(max_length=64)
    expires_at = models.DateTimeField()

    objects = SpentTokenQuerySet.as_manager()

    class Meta:
        db_table = "spent_tokens"
        db_table_comment = "Tokens that work once and have been used, as SHA-256, until they are too old."
        constraints = [
            models.UniqueConstraint(fields=["digest"], name="a_token_is_spent_once"),
            models.CheckConstraint(
                condition=Q(digest__regex=r"^[0-9a-f]{64}$"), name="spent_token_is_a_digest"
            ),
        ]
        indexes = [models.Index(fields=["expires_at"], name="idx_spent_tokens_expires_at")]

    def __str__(self):
        return self.digest
