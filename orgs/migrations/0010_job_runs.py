import django.contrib.postgres.functions
import django.db.models.functions.datetime
import uuid_utils.compat
from django.db import migrations, models

from orgs.migrating import ShortLocks


class Migration(ShortLocks):
    dependencies = [
        ("orgs", "0009_sign_in"),
    ]

    operations = [
        migrations.CreateModel(
            name="JobRun",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        db_default=django.contrib.postgres.functions.RandomUUID(),
                        default=uuid_utils.compat.uuid7,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), editable=False
                    ),
                ),
                (
                    "updated_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), editable=False
                    ),
                ),
                ("job", models.CharField(max_length=60)),
                ("started_at", models.DateTimeField()),
                ("finished_at", models.DateTimeField(null=True)),
                (
                    "outcome",
                    models.CharField(
                        choices=[("done", "done"), ("failed", "failed")], max_length=10, null=True
                    ),
                ),
                ("done_at", models.DateTimeField(null=True)),
            ],
            options={
                "db_table": "job_runs",
                "db_table_comment": "The last run of each job of the timetable, and when it last ended well.",
                "constraints": [
                    models.UniqueConstraint(fields=("job",), name="a_job_has_one_record"),
                    models.CheckConstraint(
                        condition=models.Q(("outcome__in", ["done", "failed"])),
                        name="job_run_outcome_is_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("finished_at__isnull", True), ("outcome__isnull", True)),
                            models.Q(("finished_at__isnull", False), ("outcome__isnull", False)),
                            _connector="OR",
                        ),
                        name="finished_job_run_says_how",
                    ),
                ],
            },
        ),
        migrations.RunSQL(
            """
            CREATE OR REPLACE TRIGGER job_runs_updated_at BEFORE UPDATE ON job_runs
                FOR EACH ROW EXECUTE FUNCTION update_updated_at_column();
            """,
            migrations.RunSQL.noop,
        ),
    ]
