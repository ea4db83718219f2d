"""`manage.py doctor` on real services, and on none."""

import json
import os
import subprocess
import sys

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection

from happening import doctor

NOBODY = 1  # a port where nobody listens


def run_as_json(capsys) -> tuple[dict, int]:
    """The report and the exit code."""
    code = 0
    try:
        call_command("doctor", "--json")
    except SystemExit as end:
        code = end.code
    return json.loads(capsys.readouterr().out), code


def found(look) -> dict[str, doctor.Finding]:
    return {finding.what: finding for finding in look()}


@pytest.mark.django_db
class TestDoctor:
    def test_is_content_with_what_works(self, capsys):
        report, code = run_as_json(capsys)
        assert (report["ok"], code) == (True, 0), report
        assert {"PostgreSQL", "Migrations", "Redis", "Broker", "Mail"} <= {
            row["what"] for row in report["findings"]
        }

    def test_says_so_and_fails_when_a_guard_index_is_gone(self, capsys):
        with connection.cursor() as cursor:
            cursor.execute("DROP INDEX idx_booking_seats_unique")
        report, code = run_as_json(capsys)
        [wrong] = [row for row in report["findings"] if not row["ok"]]
        assert (wrong["what"], code) == ("Guard index", 1)
        assert "missing" in wrong["says"]
        assert wrong["mend"]

    def test_finds_a_guard_index_that_is_not_valid(self):
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE pg_index SET indisvalid = false "
                "WHERE indexrelid = 'idx_booking_seats_unique'::regclass"
            )
        assert "not valid" in found(doctor.postgres)["Guard index"].says

    def test_finds_a_session_that_would_wait_for_ever(self):
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL lock_timeout = 0")
        assert found(doctor.postgres)["Lock timeout"].mend


class TestDoctorWithoutServices:
    def test_is_a_report_and_no_traceback(self):
        urls = {
            "DATABASE_URL": f"postgres://happening@127.0.0.1:{NOBODY}/happening",
            "REDIS_URL": f"redis://127.0.0.1:{NOBODY}",
            "AMQP_URL": f"amqp://127.0.0.1:{NOBODY}//",
        }
        done = subprocess.run(
            [sys.executable, "manage.py", "doctor"],
            cwd=settings.BASE_DIR,
            env=os.environ | urls,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 1
        assert done.stdout.count("does not answer") == 3
        assert done.stderr == ""

    def test_says_how_to_mend_redis(self, monkeypatch):
        monkeypatch.setattr(doctor, "redis_url", lambda _: f"redis://127.0.0.1:{NOBODY}/0")
        assert "REDIS_URL" in found(doctor.redis_server)["Redis"].mend

    def test_says_how_to_mend_the_broker(self, settings, monkeypatch):
        settings.AMQP_URL = f"amqp://127.0.0.1:{NOBODY}//"
        monkeypatch.setenv("AMQP_URL", settings.AMQP_URL)
        assert "AMQP_URL" in found(doctor.broker)["Broker"].mend

    def test_says_how_to_mend_mail(self, settings):
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_FILE_PATH = "127.0.0.1", NOBODY, None
        assert "EMAIL_URL" in found(doctor.mail)["Mail"].mend

    def test_repeats_why_embedded_servers_did_not_start(self, monkeypatch):
        monkeypatch.setenv("HAPPENING_SERVERS_UNAVAILABLE", "No PostgreSQL here. Install it.")
        assert not found(doctor.servers)["Servers"].is_ok
