"""`manage.py export_schema`: prints what makes the schema, and sees where a database differs."""

import pytest
from django.core.management import call_command

from happening import postgres_programs, schema_export


class TestExportSchema:
    def test_prints_the_original_and_then_what_improves_it(self, capsys):
        call_command("export_schema")
        printed = capsys.readouterr().out
        for file in schema_export.FILES.values():
            assert file.read_text() in printed
        assert printed.startswith(schema_export.FILES["original"].read_text())

    def test_writes_the_file_that_is_asked_for(self, tmp_path):
        call_command("export_schema", "improved", to=tmp_path / "schema")
        [written] = (tmp_path / "schema").iterdir()
        assert written.name == "schema_improved.sql"
        assert written.read_text() == schema_export.FILES["improved"].read_text()


@pytest.mark.django_db(transaction=True)
class TestCheck:
    def test_finds_what_the_migrations_made_to_be_what_the_files_make(self, capsys):
        call_command("export_schema", check=True)
        assert "is what the files make" in capsys.readouterr().out

    def test_shows_an_index_that_is_gone_and_fails(self, capsys, spoiled):
        with pytest.raises(SystemExit):
            call_command("export_schema", check=True)
        assert any(line.startswith("-CREATE INDEX idx_events_date_status") for line in lines(capsys))


@pytest.fixture
def spoiled(transactional_db):
    """The database without one of its indexes, for as long as the test runs."""
    with postgres_programs.used().connect() as link:
        [definition] = link.execute("SELECT pg_get_indexdef('idx_events_date_status'::regclass)").fetchone()
        link.execute("DROP INDEX idx_events_date_status")
        yield
        link.execute(definition)


def lines(capsys) -> list[str]:
    return capsys.readouterr().out.splitlines()
