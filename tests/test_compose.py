"""docker-compose.yml, held to what it promises and to the files beside it. No Docker is asked."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
from urllib.parse import urlsplit

import jsonschema
import pytest
import yaml
from check_jsonschema.builtin_schemas import get_builtin_schema
from django.conf import settings

from happening.secret_files import SECRETS

ROOT = settings.BASE_DIR
OURS = ("web", "live", "worker", "beat", "sender", "migrate")
WATCHING = {"prometheus", "grafana"}  # only where they are asked for
PROMISED = {*OURS, "proxy", "postgres", "pgbouncer", "redis", "rabbitmq", "keycloak", "mail", *WATCHING}
# A version with a patch level, so that the same file starts the same programs next year.
EXACT = re.compile(r":v?\d+\.\d+(\.\d+)?(-[\w.]+)*$")


@pytest.fixture(scope="module")
def compose():
    return yaml.safe_load((ROOT / "docker-compose.yml").read_text())


@pytest.fixture(scope="module")
def services(compose):
    return compose["services"]


@pytest.fixture(scope="module")
def known():
    """The variables that `.env.example` tells of."""
    return set(re.findall(r"^# ([A-Z][A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))


@pytest.fixture(scope="module")
def procfile():
    return dict(line.split(": ", 1) for line in (ROOT / "Procfile").read_text().splitlines())


def secrets_of(service) -> dict[str, str]:
    """The secrets of a service, each with the path at which it finds it."""
    return {
        secret if isinstance(secret, str) else secret["source"]: f"/run/secrets/{secret}"
        if isinstance(secret, str)
        else secret["target"]
        for secret in service.get("secrets", ())
    }


class TestEachService:
    def test_is_one_of_those_that_are_promised(self, services):
        assert set(services) == PROMISED

    def test_runs_an_exact_version(self, services):
        for name, service in services.items():
            assert EXACT.search(service["image"]), name

    def test_is_nobody_of_importance(self, services):
        for name, service in services.items():
            assert service["user"].split(":")[0] not in ("", "0", "root"), name
            assert service["cap_drop"] == ["ALL"], name
            assert not service.get("privileged"), name

    def test_says_whether_it_is_well_and_comes_back(self, services):
        for name, service in services.items():
            if name == "migrate":
                assert service["restart"] == "no"
                continue
            assert service["restart"] == "unless-stopped", name
            assert service["healthcheck"]["test"][0] in ("CMD", "CMD-SHELL"), name

    def test_waits_only_for_what_can_answer(self, services):
        for name, service in services.items():
            for other, wait in service.get("depends_on", {}).items():
                if wait["condition"] == "service_healthy":
                    assert "healthcheck" in services[other], name
                else:
                    assert (other, wait["condition"]) == ("migrate", "service_completed_successfully")

    def test_opens_no_door_but_the_proxys(self, services):
        """And the mail catcher's and the dashboards', to this machine alone."""
        doors = {name: service["ports"] for name, service in services.items() if "ports" in service}
        assert doors.keys() == {"proxy", "mail", "grafana"}
        assert all(port.startswith("127.0.0.1:") for port in doors["mail"] + doors["grafana"])

    def test_that_watches_runs_only_when_it_is_asked_for(self, services):
        asked_for = {name for name, service in services.items() if service.get("profiles") == ["watching"]}
        assert asked_for == WATCHING

    def test_mounts_files_that_there_are(self, compose, services):
        for service in services.values():
            for mount in service.get("volumes", ()):
                source = mount.split(":")[0]
                if source.startswith("./"):
                    assert (ROOT / source).is_file(), mount
                    assert mount.endswith(":ro")
                else:
                    assert source in compose["volumes"]


@pytest.fixture(scope="module")
def schema():
    """The Compose Specification's own."""
    return jsonschema.Draft202012Validator(get_builtin_schema("vendor.compose-spec"))


class TestTheSpecification:
    def test_takes_the_file(self, schema, compose):
        assert [error.message for error in schema.iter_errors(compose)] == []

    def test_control_finds_a_slip(self, schema, compose):
        slipped = compose | {"services": compose["services"] | {"web": {"image": "web:1.0", "restrat": "no"}}}
        assert not schema.is_valid(slipped)


def has_compose() -> bool:
    docker = shutil.which("docker")
    asked = [docker, "compose", "version"]
    return bool(docker) and subprocess.run(asked, check=False, capture_output=True).returncode == 0


@pytest.mark.skipif(not has_compose(), reason="Docker's compose plugin is not installed")
def test_compose_itself_takes_the_file():
    subprocess.run(["docker", "compose", "config", "--quiet"], cwd=ROOT, check=True)


class TestSecrets:
    def test_are_files_outside_the_repository_and_the_image(self, compose):
        assert "/deploy/secrets/" in (ROOT / ".gitignore").read_text().splitlines()
        assert "deploy/secrets" in (ROOT / ".dockerignore").read_text().splitlines()
        for name, secret in compose["secrets"].items():
            assert secret == {"file": f"./deploy/secrets/{name}"}

    def test_are_given_only_to_whom_they_are_said_to(self, compose, services):
        given = set().union(*(secrets_of(service) for service in services.values()))
        assert given == set(compose["secrets"])

    def test_are_in_no_environment_in_clear(self, services):
        for name, service in services.items():
            for variable, value in service.get("environment", {}).items():
                if variable.endswith("_FILE"):
                    assert value in secrets_of(service).values(), (name, variable)
                else:
                    assert not re.search("PASSWORD|SECRET|KEY|TOKEN$", variable), (name, variable)
                    assert not urlsplit(str(value)).password, (name, variable)

    def test_that_the_site_reads_are_those_it_knows_as_files(self, services):
        """Each has all of them, but for those that only some need: who answers /metrics, who archives."""
        for name in OURS:
            files = [v for v in services[name]["environment"] if v.endswith("_FILE")]
            needed = set(SECRETS) - {"METRICS_TOKEN", "HISTORY_DATABASE_URL"}
            assert needed <= {file.removesuffix("_FILE") for file in files} <= set(SECRETS)
        assert "METRICS_TOKEN_FILE" in services["web"]["environment"]


class TestTheSite:
    def test_runs_what_the_procfile_says(self, services, procfile):
        for name in procfile:
            assert services[name]["command"] == [name]

    def test_sets_only_variables_that_are_known(self, services, known):
        for name in OURS:
            for variable in services[name]["environment"]:
                assert variable.removesuffix("_FILE") in known or (
                    re.fullmatch(r"OIDC_[A-Z]+_ENDPOINT", variable)
                ), (name, variable)

    def test_gives_the_names_on_its_broker_no_prefix(self, services):
        for name in OURS:
            assert "HAPPENING_INSTANCE" not in services[name]["environment"]

    def test_has_exact_hosts(self, services):
        assert services["web"]["environment"]["ALLOWED_HOSTS"] == "${ALLOWED_HOSTS:-localhost}"

    def test_makes_tables_as_their_owner_and_serves_as_nobody_of_the_kind(self, services):
        of = {name: services[name]["environment"]["DATABASE_URL_FILE"].split("/")[-1] for name in OURS}
        assert of.pop("migrate") == "database_url_owner"
        assert of.pop("web") == "database_url_pooled"
        assert set(of.values()) == {"database_url"}
        assert {name for name in OURS if "DATABASE_POOLED" in services[name]["environment"]} == {"web"}

    def test_keeps_its_files_in_one_place_for_all(self, services):
        assert all("files:/data" in services[name]["volumes"] for name in OURS)
        assert "HAPPENING_DATA=/data" in (ROOT / "Dockerfile").read_text()


class TestBesideIt:
    def test_the_pooler_refuses_who_would_go_without_limits(self):
        lines = (ROOT / "deploy/pgbouncer/pgbouncer.ini").read_text().splitlines()
        ini = dict(line.split(" = ", 1) for line in lines if " = " in line and not line.startswith(";"))
        assert ini["pool_mode"] == "transaction"
        assert "options" not in ini["ignore_startup_parameters"]

    def test_the_runtime_role_has_the_limits_that_a_connection_asks_for(self):
        options = settings.DATABASES["default"]["OPTIONS"]["options"]
        roles = (ROOT / "deploy/postgres/roles.sh").read_text()
        for name, value in re.findall(r"-c (\w+)=(\w+)", options):
            assert f"ALTER ROLE happening_app SET {name} = '{value}';" in roles

    def test_the_proxy_lets_streams_through_at_once(self):
        template = (ROOT / "deploy/nginx/happening.conf.template").read_text()
        [streams] = re.findall(r"location /live/ \{(.*?)\n    \}", template, re.DOTALL)
        assert "proxy_buffering off;" in streams
        assert "proxy_read_timeout 660s;" in streams

    def test_the_proxy_logs_no_address_of_a_visitor_and_no_path(self):
        template = (ROOT / "deploy/nginx/happening.conf.template").read_text()
        [form] = re.findall(r"^log_format by_id escape=json (.*?);$", template, re.DOTALL | re.MULTILINE)
        told = {"time_iso8601", "request_id", "host", "request_method", "status", "upstream_status"}
        assert set(re.findall(r"\$(\w+)", form)) == told | {"request_time", "body_bytes_sent"}
        servers = re.findall(r"^server \{$(.*?)^\}$", template, re.DOTALL | re.MULTILINE)
        logs = [re.findall(r"^    access_log (.*);$", server, re.MULTILINE) for server in servers]
        assert logs == [["/dev/stdout by_id"]] * len(servers)

    def test_the_image_holds_no_embedded_servers(self):
        dockerfile = (ROOT / "Dockerfile").read_text()
        assert "requirements-embedded" not in dockerfile
        assert re.findall(r"^USER (.+)$", dockerfile, re.MULTILINE) == ["10001:10001"]
        assert all(EXACT.search(image) for image in re.findall(r"^FROM (\S+)", dockerfile, re.MULTILINE))


class TestMakeSecrets:
    @pytest.fixture
    def made(self, tmp_path):
        """A directory laid out like `deploy/`, with its secrets."""
        (tmp_path / "keycloak").mkdir()
        for name in ("make-secrets", "keycloak/happening-realm.json"):
            (tmp_path / name).write_bytes((ROOT / "deploy" / name).read_bytes())
        self.run(tmp_path)
        return tmp_path / "secrets"

    def run(self, place):
        environment = os.environ | {"SITE_URL": "https://events.example.org"}
        subprocess.run(["sh", place / "make-secrets"], env=environment, check=True, capture_output=True)

    def test_makes_every_secret_of_the_compose_file(self, made, compose):
        assert set(compose["secrets"]) <= {file.name for file in made.iterdir()}
        assert all(file.stat().st_size for file in made.iterdir())
        assert made.stat().st_mode & 0o777 == 0o700

    def test_changes_nothing_when_it_is_run_again(self, made):
        before = {file.name: file.read_bytes() for file in made.iterdir()}
        self.run(made.parent)
        assert {file.name: file.read_bytes() for file in made.iterdir()} == before

    def test_writes_a_realm_for_this_site_with_nothing_of_development_in_it(self, made):
        text = (made / "keycloak_realm").read_text()
        [client] = json.loads(text)["clients"]
        assert client["redirectUris"] == ["https://events.example.org/oidc/callback/"]
        assert client["secret"] == (made / "oidc_client_secret").read_text().strip()
        assert not re.search("only-for-development|happening-demo|localhost:8000|web:8000", text)


class TestHealth:
    def ask(self, *look):
        environment = os.environ | {"ALLOWED_HOSTS": "example.org"}
        return subprocess.run(
            [sys.executable, ROOT / "deploy/health.py", *look], env=environment, check=False
        ).returncode

    def test_is_well_with_a_connection_and_ill_without(self):
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = str(server.getsockname()[1])
            assert self.ask("connected", port) == 1
            with socket.create_connection(server.getsockname()):
                assert self.ask("connected", port) == 0

    def test_is_ill_where_nobody_answers(self):
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
        assert self.ask("http", f"{port}/readyz") == 1


class TestRun:
    def run(self, place, *command):
        return subprocess.run(
            ["sh", ROOT / "deploy/run", *command], cwd=place, capture_output=True, text=True, check=True
        ).stdout

    def test_runs_the_line_of_that_name_or_the_command_itself(self, tmp_path):
        (tmp_path / "Procfile").write_text("web: echo serving on ${NOT_SET:-8000}\nworker: echo working\n")
        assert self.run(tmp_path, "web") == "serving on 8000\n"
        assert self.run(tmp_path, "/bin/echo", "a  b") == "a  b\n"
