"""What the doctor says of services: real ones that are set wrongly, full, away, or tell another time."""

import json
import threading
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from django.utils import timezone

from happening.database_roles import Names, grants_sql, roles_sql
from happening.doctor import clocks, machine, mail, postgres, redis_server, rights, sso
from happening.doctor.look import NotThere
from happening.tests.doctor.conftest import wrong
from tests.post_office import PostOffice

NOBODY = 1  # a port where nobody listens


def found(look) -> dict:
    return {finding.what: finding for finding in look}


@pytest.mark.django_db
class TestPostgresql:
    def test_is_named_with_its_version(self):
        [finding] = postgres.answers()
        assert finding.is_ok

    @pytest.mark.parametrize(
        ("setting", "value", "what"),
        [
            ("default_transaction_isolation", "serializable", "Isolation"),
            ("lock_timeout", "0", "Lock timeout"),
            ("synchronous_commit", "off", "Durability"),
            ("session_replication_role", "replica", "Triggers"),
        ],
    )
    def test_is_not_well_with_a_setting_that_breaks_a_promise(self, sql, setting, value, what):
        sql(f"SET LOCAL {setting} = '{value}'")
        findings = [one for one in wrong(postgres.settings_of_the_session()) if one.what == what]
        assert any(f"SET {setting} = " in one.mend.replace('"', "") for one in findings), findings

    def test_is_well_with_its_isolation_and_locks_as_they_are(self):
        assert {"Isolation", "Lock timeout"}.isdisjoint(
            one.what for one in wrong(postgres.settings_of_the_session())
        )

    def test_has_room_for_more_connections(self):
        assert found(postgres.connections())["Connections"].is_ok

    def test_misses_a_migration(self, sql):
        sql("DELETE FROM django_migrations WHERE app = 'bookings'")
        with pytest.raises(NotThere, match=r"missing: bookings\.0001") as trouble:
            list(postgres.migrations())
        assert "manage.py migrate" in trouble.value.mend

    def test_names_a_transaction_that_was_forgotten(self, monkeypatch, django_db_blocker, sql):
        monkeypatch.setattr(postgres, "STUCK_MINUTES", 0)
        from django.db import connection

        other = connection.copy()
        try:
            other.ensure_connection()
            pid = other.connection.info.backend_pid
            other.set_autocommit(False)
            with other.cursor() as cursor:
                cursor.execute("SELECT 1")
            mends = {one.mend for one in wrong(postgres.connections())}
            assert f"SELECT pg_terminate_backend({pid});" in mends
        finally:
            other.close()


@pytest.mark.django_db
class TestRights:
    def test_are_nobodys_business_in_development_without_roles(self):
        [finding] = rights.look(Names("nobody_owner", "nobody_app", "nobody_reports"))
        assert finding.is_ok

    def test_are_missed_in_production_without_roles(self, settings):
        settings.DEVELOPMENT = False
        says = {one.says for one in wrong(rights.look(Names("nobody_owner", "nobody_app", "nobody_reports")))}
        assert "There is no role nobody_app" in says

    def test_name_what_the_runtime_role_may_beyond_its_own(self, sql):
        names = Names("doctor_owner", "doctor_app", "doctor_reports")
        for statement in (*roles_sql(names), *grants_sql(names)):
            sql(statement)
        sql("GRANT DELETE ON booking_history TO doctor_app")
        [excess] = [one for one in wrong(rights.look(names)) if "booking_history" in one.says]
        assert excess.mend == "REVOKE DELETE ON booking_history FROM doctor_app;"
        sql(excess.mend)
        assert not [one for one in wrong(rights.look(names)) if "booking_history" in one.says]


@pytest.mark.django_db
class TestClocks:
    def test_agree(self):
        assert wrong([*clocks.of_postgres(), *clocks.of_redis()]) == []

    @pytest.mark.parametrize("minutes", [-2, 2])
    @pytest.mark.parametrize("look", [clocks.of_postgres, clocks.of_redis])
    def test_are_apart_when_ours_is_off(self, look, minutes):
        [finding] = look(clock=lambda: timezone.now() + timedelta(minutes=minutes))
        assert "120 s apart" in finding.says
        assert "NTP" in finding.mend


class TestRedis:
    def test_is_named_with_its_version(self):
        assert {"Redis", "Redis memory"} == set(found(redis_server.answers()))

    def test_must_not_drop_keys(self):
        with redis_server.client() as server:
            server.config_set("maxmemory-policy", "allkeys-lru")
            try:
                finding = found(redis_server.answers())["Redis memory"]
                assert "allkeys-lru" in finding.says
                server.execute_command(*finding.mend.split()[1:])
                assert found(redis_server.answers())["Redis memory"].is_ok
            finally:
                server.config_set("maxmemory-policy", "noeviction")

    def test_is_told_to_be_full_before_it_is(self):
        with redis_server.client() as server:
            used = server.info()["used_memory"]
            server.config_set("maxmemory", int(used * 1.05))
            try:
                assert "memory" in found(redis_server.answers())["Redis memory"].mend
            finally:
                server.config_set("maxmemory", 0)

    def test_that_is_away_is_said_with_its_mend(self, monkeypatch):
        monkeypatch.setattr(redis_server.settings, "REDIS_URL", f"redis://127.0.0.1:{NOBODY}")
        with pytest.raises(NotThere, match="does not answer") as trouble:
            list(redis_server.answers())
        assert "REDIS_URL" in trouble.value.mend


class TestDisks:
    def test_have_room(self):
        assert wrong(machine.disks()) == []

    def test_that_are_full_are_named(self, settings, tmp_path):
        settings.DATA_DIR = tmp_path / "not" / "there" / "yet"
        [finding] = machine.disks(least=10**18)
        assert str(tmp_path) in finding.mend

    @pytest.mark.django_db
    def test_of_postgresql_are_looked_at_where_it_is_here(self):
        [finding] = machine.database_disk(least=10**18)
        assert "PostgreSQL" in finding.says
        assert "Free some space" in finding.mend

    def test_repeats_why_embedded_servers_did_not_start(self, monkeypatch):
        monkeypatch.setenv("HAPPENING_SERVERS_UNAVAILABLE", "No PostgreSQL here. Install it.")
        [finding] = machine.servers()
        assert (finding.says, finding.mend) == ("No PostgreSQL here", "Install it.")


class TestMail:
    @pytest.fixture
    def smtp(self, settings):
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_FILE_PATH = "127.0.0.1", NOBODY, None
        return settings

    def test_that_nobody_takes_is_said_with_its_mend(self, smtp):
        assert "EMAIL_URL" in found(mail.look())["Mail"].mend

    def test_is_taken_and_none_is_sent(self, smtp):
        with PostOffice() as office:
            smtp.EMAIL_PORT = office.port
            assert wrong(mail.look()) == []
        assert office.taken == []

    def test_whose_sender_the_server_refuses_is_said_before_anybody_waits_for_it(self, smtp):
        class Strict(PostOffice):
            async def handle_MAIL(self, server, session, envelope, address, options):
                return "550 relaying denied"

        with Strict() as office:
            smtp.EMAIL_PORT = office.port
            finding = found(mail.look())["Mail"]
        assert "550 relaying denied" in finding.says
        assert "DEFAULT_FROM_EMAIL" in finding.mend

    @pytest.mark.parametrize("sender", ["Happening", "Happening <hello@happening.test>"])
    def test_from_nobody_is_wrong_in_production(self, settings, sender):
        settings.DEVELOPMENT, settings.DEFAULT_FROM_EMAIL = False, sender
        assert "DEFAULT_FROM_EMAIL" in found(mail.look())["Sender"].mend

    def test_into_a_directory_that_cannot_be_written_to(self, settings, tmp_path, monkeypatch):
        settings.EMAIL_FILE_PATH = tmp_path / "mail"
        assert found(mail.look())["Mail"].is_ok
        monkeypatch.setattr(mail.os, "access", lambda path, mode: False)  # root may write everywhere
        assert found(mail.look())["Mail"].mend == f"chmod u+wx {tmp_path}"


@contextmanager
def provider(facts: dict, keys: list):
    """An OpenID provider that says this of itself, at an address of its own."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            body = facts if self.path.endswith("openid-configuration") else {"keys": keys}
            content = json.dumps(body).encode()
            self.send_response(200)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_):
            """Silence."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    facts.setdefault("issuer", f"http://127.0.0.1:{server.server_port}/realms/demo")
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/realms/demo"
    finally:
        server.shutdown()
        server.server_close()


class TestSingleSignOn:
    KEY = {"kty": "RSA", "use": "sig", "kid": "one"}

    @pytest.fixture
    def configured(self, settings):
        def configure(issuer: str) -> None:
            settings.OIDC_ISSUER, settings.OIDC_RP_CLIENT_SECRET = issuer, "secret"
            settings.OIDC_OP_JWKS_ENDPOINT = f"{issuer}/protocol/openid-connect/certs"

        return configure

    def test_is_not_missed(self, settings):
        settings.OIDC_ISSUER = ""
        assert wrong(sso.look()) == []

    def test_is_well(self, configured):
        with provider({}, [self.KEY]) as issuer:
            configured(issuer)
            assert wrong(sso.look()) == []

    def test_away_is_said(self, configured):
        configured(f"http://127.0.0.1:{NOBODY}/realms/demo")
        [finding] = sso.look()
        assert "does not answer" in finding.says

    def test_of_another_name_is_said(self, configured):
        with provider({"issuer": "https://sso.example.org/realms/demo"}, [self.KEY]) as issuer:
            configured(issuer)
            [finding] = sso.look()
        assert "OIDC_ISSUER=https://sso.example.org/realms/demo" in finding.mend

    def test_without_a_key_for_signatures_is_said(self, configured):
        with provider({}, [{"kty": "RSA", "use": "enc", "kid": "two"}]) as issuer:
            configured(issuer)
            [finding] = sso.look()
        assert "RS256" in finding.mend
