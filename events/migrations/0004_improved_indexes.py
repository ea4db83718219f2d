import django.contrib.postgres.indexes
import django.contrib.postgres.search
from django.db import migrations, models

from orgs.migrating import AddIndexSafely, AddUniqueSafely


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("events", "0003_improved_checks"),
    ]

    operations = [
        AddIndexSafely(
            model_name="event",
            index=models.Index(fields=["event_date", "status"], name="idx_events_date_status"),
        ),
        AddIndexSafely(
            model_name="event",
            index=models.Index(fields=["org", "event_date"], name="idx_events_org_id"),
        ),
        AddIndexSafely(
            model_name="event",
            index=models.Index(
                condition=models.Q(("published_at__isnull", False), ("visibility", "public")),
                fields=["event_date", "id"],
                name="idx_events_listed",
            ),
        ),
        AddIndexSafely(
            model_name="event",
            index=models.Index(
                condition=models.Q(("published_at__isnull", False), ("visibility", "public")),
                fields=["category", "event_date", "id"],
                name="idx_events_listed_by_category",
            ),
        ),
        AddIndexSafely(
            model_name="event",
            index=models.Index(
                condition=models.Q(
                    ("is_bookable", True), ("published_at__isnull", False), ("visibility", "public")
                ),
                fields=["event_date", "id"],
                name="idx_events_listed_with_seats",
            ),
        ),
        AddIndexSafely(
            model_name="event",
            index=models.Index(fields=["status", "event_date"], name="idx_events_status"),
        ),
        AddIndexSafely(
            model_name="event",
            index=django.contrib.postgres.indexes.GinIndex(
                django.contrib.postgres.search.SearchVector("title", "description", "place", config="simple"),
                name="idx_events_search",
            ),
        ),
        AddUniqueSafely(
            model_name="event",
            constraint=models.UniqueConstraint(
                fields=("org", "source_uid"), name="an_imported_event_stands_once"
            ),
        ),
    ]
