"""What is in infra/observability: alerts that fire when they should, of metrics that there are."""

from __future__ import annotations

import json
import re
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from command import REPOSITORY
from promtool import Promtool
from serving import NewLake, serving

PLACE = REPOSITORY / "infra" / "observability"
ALERTS = PLACE / "alerts.yml"
DASHBOARD = json.loads((PLACE / "grafana_dashboard.json").read_text())


def rules() -> list[dict[str, Any]]:
    groups = yaml.safe_load(ALERTS.read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def panels() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for panel in DASHBOARD["panels"]:
        found += [panel, *panel.get("panels", [])]
    return found


def expressions() -> Iterator[tuple[str, str]]:
    """The dashboard's PromQL by panel, with values for Grafana's variables."""
    values = {"$__rate_interval": "5m", "$instance": ".*"}
    for panel in panels():
        for target in panel.get("targets", []):
            expression = target["expr"]
            for name, value in values.items():
                expression = expression.replace(name, value)
            yield panel["title"], expression


@pytest.fixture(scope="module")
def series_names(new_lake: NewLake) -> set[str]:
    with serving(new_lake()) as server:
        return server.metrics().series_names


# MARK: alerts


def test_promtool_finds_no_fault_with_the_rules_and_the_scrape(promtool: Promtool) -> None:
    promtool.run("check", "rules", ALERTS)
    promtool.run("check", "config", PLACE / "prometheus.yml")


def test_the_scrape_with_a_token_is_one_too(promtool: Promtool, tmp_path: Path) -> None:
    text = (PLACE / "prometheus.yml").read_text()
    head, comment = text.split("  # - job_name", 1)
    token = tmp_path / "token"
    token.write_text("a-token\n")
    job = re.sub(r"^  # ", "  ", "  # - job_name" + comment, flags=re.MULTILINE)
    job = job.replace("/etc/prometheus/medallion.token", str(token))
    shutil.copy(ALERTS, tmp_path)
    config = tmp_path / "prometheus.yml"
    config.write_text(head.replace("- job_name: medallion", "- job_name: here") + job)
    assert "authorization" in yaml.safe_load(config.read_text())["scrape_configs"][1]
    promtool.run("check", "config", config)


def test_alerts_fire_when_they_should_and_not_otherwise(promtool: Promtool) -> None:
    promtool.run("test", "rules", PLACE / "alerts_test.yml")


def test_each_alert_is_seen_firing_by_its_test() -> None:
    text = (PLACE / "alerts_test.yml").read_text()
    firing = set(re.findall(r'alertname="(\w+)",alertstate="firing"', text))
    assert firing == {rule["alert"] for rule in rules()}


@pytest.mark.parametrize("wrong", ["for: 1m", "> 100000"])
def test_a_rule_that_is_wrong_fails_its_test(
    promtool: Promtool, tmp_path: Path, wrong: str
) -> None:
    right = {"for: 1m": "for: 5m", "> 100000": "> 120"}[wrong]
    (tmp_path / "alerts.yml").write_text(ALERTS.read_text().replace(right, wrong, 1))
    shutil.copy(PLACE / "alerts_test.yml", tmp_path)
    with pytest.raises(AssertionError):
        promtool.run("test", "rules", tmp_path / "alerts_test.yml")


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: str(rule["alert"]))
def test_an_alert_says_how_bad_it_is_and_links_to_its_mend(rule: dict[str, Any]) -> None:
    assert rule["for"]
    assert rule["labels"]["severity"] in {"warning", "critical"}
    assert rule["annotations"]["summary"] and rule["annotations"]["description"]
    path, _, anchor = rule["annotations"]["runbook_url"].partition("#")
    headings = re.findall(r"^### (.+)$", (REPOSITORY / path).read_text(), re.MULTILINE)
    assert anchor in {heading.lower().replace(" ", "-") for heading in headings}


# MARK: the dashboard


def test_panels_have_ids_places_and_a_data_source_of_their_own() -> None:
    assert [i for i, n in Counter(panel["id"] for panel in panels()).items() if n > 1] == []
    cells: Counter[tuple[int, int]] = Counter()
    for panel in panels():
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        for x in range(place["x"], place["x"] + place["w"]):
            cells.update((x, y) for y in range(place["y"], place["y"] + place["h"]))
        if panel["type"] != "row":
            assert panel["title"] and panel["description"] and panel["targets"]
            for target in panel["targets"]:
                assert target["datasource"] == panel["datasource"]
                assert target["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
    assert max(cells.values()) == 1, "panels lie over each other"
    variables = {variable["name"]: variable["type"] for variable in DASHBOARD["templating"]["list"]}
    assert variables == {"datasource": "datasource", "instance": "query"}


def test_every_expression_of_the_dashboard_is_promql(promtool: Promtool, tmp_path: Path) -> None:
    recorded = [
        {"record": f"panel:{number}", "expr": expression}
        for number, (_, expression) in enumerate(expressions())
    ]
    assert len(recorded) > 40
    assert [rule["expr"] for rule in recorded if "$" in rule["expr"]] == []
    file = tmp_path / "rules.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": recorded}]}))
    assert f"{len(recorded)} rules found" in promtool.run("check", "rules", file)
    recorded[0]["expr"] += ")"
    file.write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": recorded}]}))
    with pytest.raises(AssertionError):
        promtool.run("check", "rules", file)


def test_every_metric_that_is_named_is_served(series_names: set[str]) -> None:
    for path in sorted(PLACE.iterdir()):
        named = set(re.findall(r"\bmedallion_\w+", path.read_text()))
        assert named - series_names == set(), path.name
        if path.suffix == ".json" or path == ALERTS:
            assert named


def test_no_metric_is_left_out_of_the_dashboard(series_names: set[str]) -> None:
    shown = set(re.findall(r"\bmedallion_\w+", json.dumps(DASHBOARD)))
    histograms = {name.removesuffix("_bucket") for name in shown if name.endswith("_bucket")}
    parts = {f"{name}{end}" for name in histograms for end in ("_sum", "_count")}
    assert series_names - shown - parts == set()
