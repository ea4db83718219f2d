from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from orgs.models.fields import Dated, Identified


class JobRun(Identified, Dated):
    """The last run of a job of the timetable: one row for each. While it runs, and when it was killed,
    it began later than it ended; `done_at` is when it last ended well."""

    class Outcome(models.TextChoices):
        DONE = "done", _("done")
        FAILED = "failed", _("failed")

    job = models.CharField(max_length=60)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=10, choices=Outcome, null=True)
    done_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "job_runs"
        db_table_comment = "The last run of each job of the timetable, and when it last ended well."
        constraints = [
            models.UniqueConstraint(fields=["job"], name="a_job_has_one_record"),
            models.CheckConstraint(
                condition=Q(outcome__in=["done", "failed"]), name="job_run_outcome_is_known"
            ),
            models.CheckConstraint(
                condition=Q(finished_at__isnull=True, outcome__isnull=True)
                | Q(finished_at__isnull=False, outcome__isnull=False),
                name="finished_job_run_says_how",
            ),
        ]

    def __str__(self):
        return self.job
