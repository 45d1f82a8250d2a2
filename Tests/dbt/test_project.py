"""How the project is written: names, descriptions, keys and tests, told from dbt's manifest."""

from __future__ import annotations

import copy
import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from tools import TOOL_SECONDS, TOOLS, needs_tools
from warehouse import PROJECT, Warehouse, Worker

LAYERS = ("bronze", "silver", "gold")


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    from test_commands import dbt_in

    work = tmp_path_factory.mktemp("project")
    dbt_in(Warehouse(work / "none.duckdb"), work, "parse")
    parsed: dict[str, Any] = json.loads((work / "cli" / "manifest.json").read_text())
    return parsed


def of_type(manifest: dict[str, Any], resource_type: str) -> list[dict[str, Any]]:
    return [node for node in manifest["nodes"].values() if node["resource_type"] == resource_type]


def models(manifest: dict[str, Any]) -> list[dict[str, Any]]:
    found = of_type(manifest, "model")
    assert len(found) > 20
    return found


def test_a_model_is_named_after_its_layer_and_has_a_file_beside_it(
    manifest: dict[str, Any],
) -> None:
    for model in models(manifest):
        path = PROJECT / model["original_file_path"]
        layer = path.parent.name
        assert layer in LAYERS
        assert re.fullmatch(rf"[a-z_]+_{layer}", model["name"])
        assert model["schema"] == layer
        assert path.with_suffix(".yml").exists(), path
        assert Path(model["patch_path"].partition("://")[2]).stem == model["name"]


def test_a_description_opens_with_the_grain(manifest: dict[str, Any]) -> None:
    for model in models(manifest) + of_type(manifest, "seed"):
        assert re.match(r"(One row per|Exactly one row) ", model["description"]), model["name"]


def test_every_column_is_described_and_no_other(
    manifest: dict[str, Any], warehouse: Warehouse, worker: Worker
) -> None:
    worker.do("run")
    rows = warehouse.query(
        "select table_schema, table_name, column_name from information_schema.columns "
        "where table_catalog = 'retail' and table_schema in ('bronze', 'silver', 'gold')"
    )
    described = {
        (node["schema"], node["name"], name)
        for node in models(manifest) + of_type(manifest, "seed")
        for name, column in node["columns"].items()
        if column["description"]
    }
    assert set(rows) == described


def test_every_column_of_a_source_is_described(manifest: dict[str, Any]) -> None:
    for source in manifest["sources"].values():
        assert source["description"] and source["columns"], source["name"]
        assert all(column["description"] for column in source["columns"].values())


def test_a_model_has_a_key_that_is_unique(manifest: dict[str, Any]) -> None:
    """By one column or by several; a key's columns are not null, but for gold's category."""
    tested: dict[str, list[list[str]]] = {}
    required: set[tuple[str, str]] = set()
    for test in of_type(manifest, "test"):
        metadata = test.get("test_metadata")
        if metadata and metadata["name"] == "unique":
            tested.setdefault(test["attached_node"], []).append([test["column_name"]])
        elif metadata and metadata["name"] == "unique_rows":
            tested.setdefault(test["attached_node"], []).append(metadata["kwargs"]["columns"])
        elif metadata and metadata["name"] == "not_null":
            required.add((test["attached_node"], test["column_name"]))
    for model in models(manifest):
        name = model["unique_id"]
        # What these two hold is a part of the losers, whose key is tested.
        if model["name"] in ("purchase_duplicates_silver", "purchase_conflicts_silver"):
            continue
        assert name in tested, name
        for column in tested[name][0]:
            assert (name, column) in required or column == "category", (name, column)


def test_gold_has_contracts_and_everything_incremental_has_unit_tests(
    manifest: dict[str, Any],
) -> None:
    unit_tested = {test["model"] for test in manifest["unit_tests"].values()}
    for model in models(manifest):
        if model["schema"] == "gold":
            assert model["config"]["contract"]["enforced"], model["name"]
            assert all(column["data_type"] for column in model["columns"].values())
        if model["config"]["materialized"] == "incremental":
            assert model["name"] in unit_tested, model["name"]


def test_live_models_depend_on_live_models_alone(manifest: dict[str, Any]) -> None:
    tags = {model["unique_id"]: model["tags"] for model in models(manifest)}
    live = [model for model in models(manifest) if "live" in model["tags"]]
    assert {model["name"] for model in live} >= {"purchases_silver", "purchases_gold"}
    for model in live:
        for parent in model["depends_on"]["nodes"]:
            assert "live" in tags.get(parent, ["live"]), (model["name"], parent)


def test_the_dashboard_names_what_it_reads(manifest: dict[str, Any]) -> None:
    [dashboard] = [e for e in manifest["exposures"].values() if e["name"] == "dashboard"]
    gold = {model["unique_id"] for model in models(manifest) if model["schema"] == "gold"}
    assert set(dashboard["depends_on"]["nodes"]) == gold


def bounced(manifest: dict[str, Any], directory: Path) -> list[str]:
    """The checks of dbt-bouncer.yml that a project does not pass."""
    (directory / "manifest.json").write_text(json.dumps(manifest))
    config = Path(__file__).with_name("dbt-bouncer.yml").read_text()
    (directory / "dbt-bouncer.yml").write_text(f"{config}\ndbt_artifacts_dir: .\n")
    subprocess.run(
        [
            *(str(TOOLS / "dbt-bouncer"), "run", "--config-file", "dbt-bouncer.yml"),
            *("--output-file", "results.json", "--output-format", "json"),
        ],
        cwd=directory,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        timeout=TOOL_SECONDS,
    )
    results = json.loads((directory / "results.json").read_text())
    assert len(results) > 200
    return [
        result["check_run_id"].partition(":")[0]
        for result in results
        if result["outcome"] != "success"
    ]


@needs_tools
def test_dbt_bouncer_finds_nothing(manifest: dict[str, Any], tmp_path: Path) -> None:
    assert bounced(manifest, tmp_path) == []


@needs_tools
def test_dbt_bouncer_finds_what_is_missing(manifest: dict[str, Any], tmp_path: Path) -> None:
    changed = copy.deepcopy(manifest)
    gold = changed["nodes"]["model.retail_streaming.purchases_gold"]
    gold["config"]["contract"]["enforced"] = gold["contract"]["enforced"] = False
    gold["columns"]["revenue"]["description"] = ""
    assert set(bounced(changed, tmp_path)) >= {
        "check_model_has_contracts_enforced",
        "check_model_column_description_populated",
    }
