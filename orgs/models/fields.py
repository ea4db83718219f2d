"""What nearly every table of Happening begins and ends with."""

from django.contrib.postgres.functions import RandomUUID
from django.db import models
from django.db.models.functions import Now
from uuid_utils.compat import uuid7

# What this platform takes for an email address: one that mail can be sent to over the internet.
ADDRESS = r"^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@([A-Za-z0-9-]+\.)+[A-Za-z][A-Za-z0-9-]*[A-Za-z0-9]$"


class Identified(models.Model):
    """A row with a UUID key: version 7 from the application, so that neighbours in time are neighbours
    in the index; whoever writes past the application gets a random one from the database."""

    id = models.UUIDField(primary_key=True, default=uuid7, db_default=RandomUUID(), editable=False)

    class Meta:
        abstract = True


class Dated(models.Model):
    """A row that knows when it was made and last changed; a trigger keeps `updated_at`."""

    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        abstract = True


class JsonType(models.Func):
    """What kind of JSON stands there: object, array, string ..."""

    function = "jsonb_typeof"
    output_field = models.TextField()
