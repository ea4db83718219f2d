import django.contrib.postgres.functions
import django.db.models.deletion
import django.db.models.functions.datetime
import uuid_utils.compat
from django.conf import settings
from django.db import migrations, models

from orgs.migrating import ShortLocks


class Migration(ShortLocks):
    tables = ("organizations", "users")
    mode = "SHARE ROW EXCLUSIVE"

    dependencies = [
        ("orgs", "0005_improved_rules"),
    ]

    operations = [
        migrations.CreateModel(
            name="AccountMail",
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
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("verification", "confirm an address"),
                            ("password_reset", "choose a new password"),
                            ("invite", "invitation"),
                            ("notice", "notice"),
                        ],
                        max_length=20,
                        verbose_name="kind",
                    ),
                ),
                ("recipient", models.CharField(max_length=254, verbose_name="to")),
                ("subject", models.CharField(max_length=250, verbose_name="subject")),
                ("sealed", models.TextField(editable=False, null=True)),
                (
                    "status",
                    models.CharField(
                        choices=[("pending", "pending"), ("sent", "sent"), ("failed", "failed")],
                        db_default="pending",
                        default="pending",
                        max_length=10,
                        verbose_name="status",
                    ),
                ),
                ("due_at", models.DateTimeField(verbose_name="due at")),
                ("give_up_at", models.DateTimeField(verbose_name="tried until")),
                ("lease_until", models.DateTimeField(null=True)),
                ("attempts", models.SmallIntegerField(db_default=0, default=0, verbose_name="attempts")),
                ("last_error", models.TextField(null=True, verbose_name="last error")),
                ("sent_at", models.DateTimeField(null=True, verbose_name="sent at")),
                ("failed_at", models.DateTimeField(null=True, verbose_name="failed at")),
                (
                    "organization",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="account_mails",
                        to="orgs.organization",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="account_mails",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "account mail",
                "verbose_name_plural": "account mails",
                "db_table": "account_mails",
                "db_table_comment": "Mails about accounts, owed until sent: confirmations, new passwords, invitations.",
                "indexes": [
                    models.Index(
                        condition=models.Q(("status", "pending")),
                        fields=["due_at"],
                        name="idx_account_mails_pending",
                    ),
                    models.Index(fields=["user"], name="idx_account_mails_user_id"),
                    models.Index(fields=["organization"], name="idx_account_mails_organization"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("kind__in", ["verification", "password_reset", "invite", "notice"])
                        ),
                        name="account_mail_kind_is_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("status__in", ["pending", "sent", "failed"])),
                        name="account_mail_status_is_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "recipient__regex",
                                "^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@([A-Za-z0-9-]+\\.)+[A-Za-z][A-Za-z0-9-]*[A-Za-z0-9]$",
                            )
                        ),
                        name="account_mail_goes_to_an_address",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("subject__regex", "^[^\\r\\n]*\\S[^\\r\\n]*$")),
                        name="account_mail_subject_is_one_line",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("status", "pending"), _negated=True),
                            ("sealed__isnull", False),
                            _connector="OR",
                        ),
                        name="pending_account_mail_has_its_text",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("status", "sent"), _negated=True),
                            ("sealed__isnull", True),
                            _connector="OR",
                        ),
                        name="sent_account_mail_keeps_no_text",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("sent_at__isnull", False), ("status", "sent")),
                            models.Q(models.Q(("status", "sent"), _negated=True), ("sent_at__isnull", True)),
                            _connector="OR",
                        ),
                        name="sent_account_mail_alone_says_when",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("failed_at__isnull", False),
                                ("last_error__isnull", False),
                                ("status", "failed"),
                            ),
                            models.Q(
                                models.Q(("status", "failed"), _negated=True), ("failed_at__isnull", True)
                            ),
                            _connector="OR",
                        ),
                        name="failed_account_mail_alone_says_when_and_why",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("lease_until__isnull", True), ("status", "pending"), _connector="OR"
                        ),
                        name="only_pending_account_mail_is_leased",
                    ),
                ],
            },
        ),
        migrations.RunSQL(
            """
            ALTER TABLE account_mails
                ADD CONSTRAINT account_mails_user_id_fkey
                    FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE,
                ADD CONSTRAINT account_mails_organization_id_fkey
                    FOREIGN KEY (organization_id) REFERENCES organizations (id) ON DELETE CASCADE;
            CREATE TRIGGER account_mails_updated_at BEFORE UPDATE ON account_mails
                FOR EACH ROW EXECUTE FUNCTION update_updated_at_column();
            """,
            migrations.RunSQL.noop,
        ),
    ]
