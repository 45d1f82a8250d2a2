"""The commands that a person types in dbt/."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from conftest import copy_project
from purchases import expected_tables, few_loads
from warehouse import PROJECT, Warehouse, example_profiles, worker_environment

LOADS = few_loads(seed=9, count=2)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A clone whose pipeline has loaded something, and the profile copied from the example."""
    project = copy_project(tmp_path)
    (project / "profiles.yml").write_bytes((project / "profiles.yml.example").read_bytes())
    (tmp_path / "lake").mkdir()
    return tmp_path


def dbt(checkout: Path, command: str) -> str:
    environment = worker_environment(Path("unused"))
    del environment["MEDALLION_WAREHOUSE"]
    result = subprocess.run(
        [str(Path(sys.executable).with_name("dbt")), *command.split()],
        cwd=checkout / "dbt",
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert result.returncode == 0, result.stdout
    return result.stdout


def dbt_in(warehouse: Warehouse, work: Path, command: str) -> str:
    """A command on a warehouse that a worker uses, too."""
    options = ["--profiles-dir", str(example_profiles(work)), "--target-path", str(work / "cli")]
    result = subprocess.run(
        [str(Path(sys.executable).with_name("dbt")), *command.split(), *options],
        cwd=PROJECT,
        env=worker_environment(warehouse.path) | {"DBT_LOG_PATH": str(work / "cli-logs")},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert result.returncode == 0, result.stdout
    return result.stdout


def test_the_original_commands_work_from_the_dbt_directory(checkout: Path) -> None:
    warehouse = Warehouse(checkout / "lake" / "warehouse.duckdb")
    warehouse.create_staging()
    warehouse.load(*LOADS)
    for command in (
        "deps",
        "seed",
        "run --select purchases_bronze",
        "run --select purchases_silver",
        "run --select purchases_gold",
    ):
        dbt(checkout, command)
    expected = expected_tables(LOADS)
    with warehouse.open() as connection:
        products = connection.execute(
            "select product_id, category, price from retail.bronze.products order by 1"
        ).fetchall()
        [silver] = connection.execute(
            "select count(*) from retail.silver.purchases_silver"
        ).fetchall()
        [gold] = connection.execute(
            "select sum(transactions), sum(revenue) from retail.gold.purchases_gold"
        ).fetchall()
        schemas = connection.execute(
            "select distinct schema_name from duckdb_schemas() where database_name = 'retail' "
            "and schema_name not in ('main', 'raw') order by 1"
        ).fetchall()
    assert [row[0] for row in products] == ["P100", "P101", "P102", "P103"]
    assert silver == (len(expected["silver"]),)
    assert gold == (len(expected["silver"]), sum(row[3] for row in expected["gold"]))
    assert schemas == [("bronze",), ("gold",), ("silver",)]

    # An empty run is no run: it must not count as having taken anything in.
    dbt(checkout, "run --empty")
    assert warehouse.window() == (0, 2)
    dbt(checkout, "run")
    assert warehouse.all_tables() == expected
    assert warehouse.window() == (2, 2)
    assert warehouse.rest_lo() == 2


def test_a_project_can_be_compiled_and_documented_before_there_is_data(checkout: Path) -> None:
    dbt(checkout, "docs generate --static")
    assert (checkout / "dbt" / "target" / "static_index.html").stat().st_size > 1_000_000
