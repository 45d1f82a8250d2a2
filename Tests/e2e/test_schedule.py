"""When silver and gold are refreshed: the live models after each load, the rest now and then."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from command import Medallion, copy_home
from truth import assert_whole, published_gold

#: A table of gold that is not of the fast path.
STORES = """
{{ config(materialized='table') }}

select store_id, count(*) as transactions
from {{ ref('purchases_silver') }}
group by store_id
"""

#: Python as it is where dbt-snowflake was not installed.
WITHOUT_THE_ADAPTER = """
import importlib.abc
import sys


class Hidden(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.startswith("dbt.adapters.snowflake"):
            raise ModuleNotFoundError(f"No module named '{name}'", name=name)


sys.meta_path.insert(0, Hidden())
"""


def pointer(medallion: Medallion) -> dict[str, Any]:
    path = medallion.lake / "gold" / "current.json"
    found: dict[str, Any] = json.loads(path.read_text())["tables"] if path.exists() else {}
    return found


def with_stores(medallion: Medallion, directory: Path, model: str) -> None:
    medallion.home = copy_home(directory / "home", with_python=True)
    path = medallion.home / "dbt" / "models" / "gold" / "sales_by_store_gold.sql"
    path.write_text(model)


def test_a_live_refresh_publishes_what_it_changed_and_keeps_the_other_files(
    medallion: Medallion, tmp_path: Path
) -> None:
    with_stores(medallion, tmp_path, STORES)
    running = medallion.start("run", "--rate", 200, "--faults", "none")
    # The first refresh is of the whole graph: then everything exists.
    running.wait_for(lambda: "purchases_gold" in pointer(medallion), "first gold")
    first = pointer(medallion)
    assert {"purchases_gold", "sales_by_store_gold"} <= set(first)

    def moved_on() -> bool:
        now = pointer(medallion)
        return now["purchases_gold"]["files"] != first["purchases_gold"]["files"]

    running.wait_for(moved_on, "a live refresh")
    # Well before a minute has passed, the other table stands as it was.
    live = pointer(medallion)
    assert live["sales_by_store_gold"] == first["sales_by_store_gold"]
    assert medallion.verify()["balanced"] is True
    finished = running.stop()
    assert finished.code == 0, str(finished)
    # Once everything is taken in, the tables agree again.
    for command in (("bronze", "--once"), ("ingest", "--once"), ("transform",)):
        medallion.run(*command)
    assert_whole(medallion)
    report = medallion.verify(deep=True)
    (check,) = [check for check in report["checks"] if check["name"] == "gold = published gold"]
    assert check["ok"] and check["left"] > 0


def test_a_drained_run_ends_with_the_whole_graph(medallion: Medallion, tmp_path: Path) -> None:
    with_stores(medallion, tmp_path, STORES)
    medallion.run("run", "--events", 600, "--rate", 200, "--faults", "none")
    tables = pointer(medallion)
    assert tables["sales_by_store_gold"]["rows"] > 0
    gold = sum(row.transactions for row in published_gold(medallion.lake).values())
    assert gold == 600
    assert medallion.verify(deep=True)["pending"] == 0


def test_a_model_of_the_rest_that_fails_stands_in_status_while_live_gold_goes_on(
    medallion: Medallion, tmp_path: Path
) -> None:
    with_stores(medallion, tmp_path, STORES.replace("store_id, count", "no_such_column, count"))
    medallion.run("simulate", "--events", 5)
    running = medallion.start("run", "--rate", 200, "--faults", "none")
    running.wait_for(lambda: (medallion.status()["dbt"] or {}).get("ok") is False, "dbt fails")
    running.wait_for(lambda: "purchases_gold" in pointer(medallion), "live gold is published")
    before = medallion.status()
    running.wait_for(
        lambda: medallion.status()["gold"]["transactions"] > before["gold"]["transactions"],
        "live gold goes on",
    )
    dbt = medallion.status()["dbt"]
    assert dbt["ok"] is False
    assert "no_such_column" in dbt["failure"]
    finished = running.stop()
    assert finished.code == 1
    assert "no_such_column" in finished.stdout
    # Mended, one run of the whole graph clears it.
    model = medallion.home / "dbt" / "models" / "gold" / "sales_by_store_gold.sql"
    model.write_text(STORES)
    medallion.run("transform")
    assert medallion.status()["dbt"]["ok"] is True


def test_transform_mends_a_published_file_that_somebody_changed(settled: Medallion) -> None:
    (key,) = pointer(settled)["purchases_gold"]["files"]
    path = settled.lake / key
    path.write_bytes(path.read_bytes()[:-1])
    assert settled.verify(check=1)["balanced"] is False
    settled.run("transform")
    assert settled.verify(deep=True)["balanced"] is True


# MARK: another warehouse


def test_a_target_without_its_adapter_is_told_with_the_mend_and_changes_nothing(
    settled: Medallion, tmp_path: Path
) -> None:
    settled.home = copy_home(tmp_path / "home", with_python=False)
    python = settled.home / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    real = Path(__file__).resolve().parents[2] / ".venv" / "bin" / "python"
    (tmp_path / "sitecustomize.py").write_text(WITHOUT_THE_ADAPTER)
    python.write_text(f'#!/bin/sh\nPYTHONPATH="{tmp_path}" exec "{real}" "$@"\n')
    python.chmod(0o755)
    before = {
        path: path.read_bytes() for path in (settled.warehouse, settled.lake / "gold/current.json")
    }
    finished = settled.run("transform", "--target", "snowflake", check=1)
    (line,) = finished.stderr.splitlines()[-1:]
    assert "dbt-snowflake is not installed" in line and str(python) in line
    assert {path: path.read_bytes() for path in before} == before
    usage = settled.run("transform", "--target", "oracle", check=2)
    assert "use duckdb or snowflake" in usage.stderr
