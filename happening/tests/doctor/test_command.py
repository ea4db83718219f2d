"""`manage.py doctor` as a person and as a program meet it: words, JSON, exit codes."""

import json
import os
import re
import socket
import subprocess
import sys

import pytest
from django.conf import settings
from django.core.cache import cache
from django.core.management import call_command

from bookings.reconcile import LAST_CHECK
from happening import doctor
from happening.doctor.finding import Finding, unknown
from happening.management.commands.doctor import exit_code

NOBODY = 1  # a port where nobody listens
WELL, WRONG, UNSEEN = Finding("A", "fine"), Finding("B", "broken", "Mend it."), unknown("C", "hidden")


def report(capsys, *options) -> tuple[str, int]:
    """What it says and the exit code."""
    code = 0
    try:
        call_command("doctor", *options)
    except SystemExit as end:
        code = end.code
    return capsys.readouterr().out, code


class TestTheExitCode:
    @pytest.mark.parametrize(
        ("found", "code"),
        [([WELL], 0), ([WELL, WRONG], 1), ([WELL, UNSEEN], 2), ([UNSEEN, WRONG], 1)],
    )
    def test_tells_wrong_from_unseen(self, found, code):
        assert exit_code(found) == code


class TestTheReport:
    def test_has_each_mend_under_its_finding(self, capsys, monkeypatch):
        monkeypatch.setattr(doctor, "findings", lambda patience: iter([WELL, WRONG, UNSEEN]))
        said, code = report(capsys)
        assert [line.split() for line in said.splitlines()] == [
            ["ok", "A", "fine"],
            ["WRONG", "B", "broken"],
            ["->", "Mend", "it."],
            ["UNKNOWN", "C", "hidden"],
            ["1", "to", "mend,", "1", "could", "not", "be", "looked", "at."],
        ]
        assert code == 1

    def test_leaves_out_what_is_well_if_asked_to(self, capsys, monkeypatch):
        monkeypatch.setattr(doctor, "findings", lambda patience: iter([WELL]))
        assert report(capsys, "--brief") == ("All is well.\n", 0)


@pytest.mark.django_db(transaction=True)
class TestOnTheServersOfTheTests:
    def test_finds_nothing_but_that_they_are_made_for_speed(self, capsys):
        """Each look runs as it does in life, in a connection of its own."""
        cache.delete(LAST_CHECK)  # another test's, of some minutes ago
        said, code = report(capsys, "--json")
        facts = json.loads(said)
        bad = {row["what"] for row in facts["findings"] if not row["ok"]}
        assert bad <= {"Durability"}, said
        assert code == (1 if bad else 0)
        assert facts["ok"] == (not bad)
        assert {"PostgreSQL", "Guards", "Seats left", "Redis", "RabbitMQ", "Jobs", "Mail"} <= {
            row["what"] for row in facts["findings"]
        }


class TestWithoutServices:
    def test_is_a_report_and_no_traceback(self):
        urls = {
            "DATABASE_URL": f"postgres://happening:secret-word@127.0.0.1:{NOBODY}/happening",
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
        assert done.stdout.count("-> Start") == 3
        assert done.stdout.count("not looked at, since PostgreSQL does not answer") > 10
        assert "secret-word" not in done.stdout
        assert done.stderr == ""

    def test_that_take_a_connection_and_say_nothing_hold_it_up_for_no_longer_than_it_has_patience(self):
        with socket.create_server(("127.0.0.1", 0), backlog=50) as silent:
            at = f"127.0.0.1:{silent.getsockname()[1]}"
            urls = {
                "DATABASE_URL": f"postgres://happening@{at}/happening",
                "REDIS_URL": f"redis://{at}",
                "AMQP_URL": f"amqp://{at}//",
            }
            done = subprocess.run(
                [sys.executable, "manage.py", "doctor", "--patience", "1"],
                cwd=settings.BASE_DIR,
                env=os.environ | urls,
                capture_output=True,
                text=True,
                timeout=60,
                check=False,
            )
        assert done.returncode == 1, done.stdout
        silent = re.findall(r"^WRONG +(\w+) +no answer within 1 s$", done.stdout, re.MULTILINE)
        assert silent == ["PostgreSQL", "Redis", "RabbitMQ"]
        assert "not looked at, since Redis gave no answer within 1 s" in done.stdout
        assert "Mail" in done.stdout
