"""What Prometheus and Grafana are given: well formed, about figures that there are, each alert explained."""

import json
import re
import shutil
import subprocess
from importlib import import_module

import jsonschema
import pytest
import yaml
from django.conf import settings
from prometheus_client import REGISTRY

from happening.metrics import answers
from happening.metrics.requests import counting

ROOT = settings.BASE_DIR
ALERTS = ROOT / "deploy/prometheus/alerts.yml"
SCRAPE = ROOT / "deploy/prometheus/prometheus.yml"
DASHBOARD = ROOT / "deploy/grafana/happening.json"
RUNBOOK = ROOT / "docs/runbook.md"

RULE = {
    "type": "object",
    "additionalProperties": False,
    "required": ["alert", "expr", "for", "labels", "annotations"],
    "properties": {
        "alert": {"type": "string", "pattern": "^[A-Z][A-Za-z]+$"},
        "expr": {"type": "string", "minLength": 5},
        "for": {"type": "string", "pattern": r"^\d+[smh]$"},
        "labels": {
            "type": "object",
            "additionalProperties": False,
            "required": ["severity"],
            "properties": {"severity": {"enum": ["page", "ticket"]}},
        },
        "annotations": {
            "type": "object",
            "additionalProperties": False,
            "required": ["summary", "runbook_url"],
            "properties": {
                "summary": {"type": "string"},
                "runbook_url": {"type": "string", "pattern": "^docs/runbook.md#[a-z]+$"},
            },
        },
    },
}
RULES = {
    "type": "object",
    "additionalProperties": False,
    "required": ["groups"],
    "properties": {
        "groups": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["name", "rules"],
                "properties": {
                    "name": {"type": "string"},
                    "rules": {"type": "array", "minItems": 1, "items": RULE},
                },
            },
        }
    },
}
PANEL = {
    "type": "object",
    "required": ["id", "type", "title", "gridPos"],
    "properties": {
        "id": {"type": "integer"},
        "type": {"enum": ["row", "timeseries", "stat", "table"]},
        "gridPos": {
            "type": "object",
            "required": ["h", "w", "x", "y"],
            "properties": {"w": {"maximum": 24}, "x": {"maximum": 23}},
        },
        "targets": {
            "type": "array",
            "minItems": 1,
            "items": {"type": "object", "required": ["refId", "expr", "datasource"]},
        },
    },
}

# What PromQL has of its own between names of figures.
WORDS = set(
    re.findall("[a-z_]+", "sum by rate increase topk count histogram_quantile absent vector sort_desc")
)
WORDS |= {"and", "on", "or", "max", "min"}


def rules():
    return [rule for group in yaml.safe_load(ALERTS.read_text())["groups"] for rule in group["rules"]]


def panels():
    return json.loads(DASHBOARD.read_text())["panels"]


def expressions():
    for rule in rules():
        yield rule["alert"], rule["expr"]
    for panel in panels():
        for target in panel.get("targets", ()):
            yield panel["title"], target["expr"]


def named_in(expression: str) -> set[str]:
    """The figures that an expression asks for."""
    bare = re.sub(r"\{[^}]*\}|\[[^\]]*\]|\b(by|on) \([^)]*\)", " ", expression)
    return set(re.findall(r"[a-z_]{3,}[a-z0-9_]*", bare)) - WORDS


@pytest.fixture(scope="module")
def known():
    """Every figure that there is: what is counted, by its registry, and what is asked, by the code."""
    code = "".join(file.read_text() for file in (ROOT / "happening/metrics").glob("*.py"))
    asked = set(re.findall(r'GaugeMetricFamily\(\s*"([a-z_]+)"', code))
    asked |= {f"{name}_total" for name in re.findall(r'CounterMetricFamily\(\s*"([a-z_]+)"', code)}
    return asked | counted() | {"up"}


def counted() -> set[str]:
    for module in ("bookings.counts", "notifications.counts", "happening.recorded_task", "orgs.breaker"):
        import_module(module)  # each process loads those that it counts with
    ends = {"counter": ("_total",), "gauge": ("",), "histogram": ("_bucket", "_count", "_sum")}
    metrics = [*REGISTRY._collector_to_names, *vars(counting.metrics).values()]
    return {
        metric._name + end
        for metric in metrics
        if hasattr(metric, "_name")
        for end in ends.get(metric._type, ())
    }


class TestAlerts:
    def test_are_well_formed(self):
        jsonschema.validate(yaml.safe_load(ALERTS.read_text()), RULES)
        names = [rule["alert"] for rule in rules()]
        assert len(names) == len(set(names))

    @pytest.mark.skipif(not shutil.which("promtool"), reason="promtool is not installed; the schema stands")
    def test_are_taken_by_prometheus(self):
        subprocess.run(["promtool", "check", "rules", ALERTS], check=True, capture_output=True)
        subprocess.run(["promtool", "check", "config", "--syntax-only", SCRAPE], check=True)

    def test_have_a_section_each_in_the_runbook_and_no_other(self):
        sections = re.findall(r"^## (\w+)$", RUNBOOK.read_text(), re.MULTILINE)
        assert sections == [rule["alert"] for rule in rules()]
        for rule in rules():
            assert rule["annotations"]["runbook_url"].endswith(f"#{rule['alert'].lower()}")

    def test_are_explained_with_what_it_means_how_to_see_and_what_to_do(self):
        for rule in rules():
            section = RUNBOOK.read_text().split(f"## {rule['alert']}\n")[1].split("\n## ")[0]
            assert f"*{rule['labels']['severity']}.*" in section, rule["alert"]
            assert "\nSee: " in section, rule["alert"]
            assert "\nDo: " in section, rule["alert"]
            assert "`" in section.split("\nDo: ")[1] or "](#" in section.split("\nDo: ")[1], rule["alert"]

    def test_the_runbook_names_commands_and_sections_that_there_are(self):
        text = RUNBOOK.read_text()
        commands = {file.stem for file in ROOT.glob("*/management/commands/*.py")}
        assert set(re.findall(r"manage\.py ([a-z_]+)", text)) <= commands
        anchors = {section.lower() for section in re.findall(r"^## (\w+)$", text, re.MULTILINE)}
        assert set(re.findall(r"\]\(#(\w+)\)", text)) <= anchors
        titles = {panel["title"] for panel in panels()}
        for shown in re.findall(r"\*([^*\n]+)\* in Grafana", text):
            assert shown in titles


class TestDashboard:
    def test_is_well_formed(self):
        ids = []
        for panel in panels():
            jsonschema.validate(panel, PANEL)
            assert panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24
            ids.append(panel["id"])
        assert len(ids) == len(set(ids))

    def test_is_drawn_side_by_side(self):
        taken = set()
        for panel in panels():
            at = panel["gridPos"]
            cells = {(at["x"] + x, at["y"] + y) for x in range(at["w"]) for y in range(at["h"])}
            assert not cells & taken, panel["title"]
            taken |= cells

    def test_asks_the_source_that_is_provided(self):
        [source] = yaml.safe_load((ROOT / "deploy/grafana/datasource.yml").read_text())["datasources"]
        asked = {target["datasource"]["uid"] for panel in panels() for target in panel.get("targets", ())}
        assert asked == {source["uid"]}


class TestExpressions:
    def test_ask_for_figures_that_there_are(self, known):
        for place, expression in expressions():
            assert named_in(expression) <= known, place

    def test_ask_for_everything_that_is_told(self, known):
        """What nobody looks at need not be told."""
        asked = set().union(*(named_in(expression) for _, expression in expressions()))
        of_sums = {name.removesuffix("_bucket") for name in asked if name.endswith("_bucket")}
        unseen = {
            name
            for name in known - asked
            if name.startswith("happening_")
            and name.removesuffix("_count").removesuffix("_sum") not in of_sums
        }
        assert not unseen

    def test_name_collectors_and_kinds_that_there_are(self):
        collectors = {name for source in answers.SOURCES for name in source._questions}
        text = ALERTS.read_text()
        assert set(re.findall(r'collector="(\w+)"', text)) <= collectors
        kinds = {kind for found in re.findall(r'kind=~?"([\w|]+)"', text) for kind in found.split("|")}
        assert kinds <= set(answers.KINDS)

    def test_name_rules_of_the_schema(self):
        written = (ROOT / "docs/schema/schema_improved.sql").read_text()
        written += (ROOT / "docs/schema/schema.sql").read_text()
        [seat_rules] = [rule["expr"] for rule in rules() if rule["alert"] == "SeatRuleMet"]
        for name in re.search(r'constraint=~"([^"]+)"', seat_rules)[1].split("|"):
            assert name in written
