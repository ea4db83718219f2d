"""What settings make of the environment, read in a process of its own."""

import json
import os
import subprocess
import sys

from django.conf import settings


def database(**environment) -> dict:
    code = "import json; from happening.settings import DATABASES; print(json.dumps(DATABASES['default']))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=settings.BASE_DIR,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


class TestDatabase:
    def test_asks_for_its_own_limits(self):
        assert "lock_timeout" in database()["OPTIONS"]["options"]

    def test_asks_a_pooler_for_nothing_that_outlives_a_transaction(self):
        pooled = database(DATABASE_POOLED="true")
        assert "options" not in pooled["OPTIONS"]
        assert pooled["DISABLE_SERVER_SIDE_CURSORS"]

    def test_reads_its_address_from_a_file(self, tmp_path):
        file = tmp_path / "database_url"
        file.write_text("postgres://somebody@db.example.org:5432/elsewhere\n")
        assert database(DATABASE_URL_FILE=str(file))["HOST"] == "db.example.org"
