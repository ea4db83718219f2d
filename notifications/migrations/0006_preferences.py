import django.contrib.postgres.functions
import django.db.models.deletion
import django.db.models.functions.datetime
import uuid_utils.compat
from django.conf import settings
from django.db import migrations, models

from orgs.migrating import ShortLocks


class Migration(ShortLocks):
    tables = ("users",)
    mode = "SHARE ROW EXCLUSIVE"

    dependencies = [
        ("notifications", "0005_improved_rules"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Preference",
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
                ("type", models.CharField(max_length=40, verbose_name="type")),
                ("by_mail", models.BooleanField(verbose_name="by mail")),
                (
                    "user",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="notification_preferences",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "notification preference",
                "verbose_name_plural": "notification preferences",
                "db_table": "notification_preferences",
                "db_table_comment": "What people chose: which messages come by mail, and which stay in the inbox.",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("type__in", ["event_reminder", "everything"])),
                        name="booking_mail_cannot_be_turned_off",
                    ),
                    models.UniqueConstraint(
                        fields=("user", "type"), name="a_person_chooses_once_for_each_type"
                    ),
                ],
            },
        ),
        migrations.RunSQL(
            """
            ALTER TABLE notification_preferences
                ADD CONSTRAINT notification_preferences_user_id_fkey
                    FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE;
            CREATE TRIGGER notification_preferences_updated_at BEFORE UPDATE ON notification_preferences
                FOR EACH ROW EXECUTE FUNCTION update_updated_at_column();
            """,
            migrations.RunSQL.noop,
        ),
    ]
