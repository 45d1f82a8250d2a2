"""When the window opens, moves and stays."""

from __future__ import annotations

from pathlib import Path

import pytest
from purchases import expected_tables, few_loads
from warehouse import STAGING_COLUMNS, Warehouse, Worker

LOADS = few_loads(seed=7)


def test_only_a_run_of_every_model_moves_the_start(warehouse: Warehouse, worker: Worker) -> None:
    warehouse.load(*LOADS[:2])
    for model in ("purchases_bronze", "purchases_silver", "purchases_gold"):
        worker.do("run", select=[model])
        assert (warehouse.window(), warehouse.rest_lo()) == ((0, 2), 0)
    worker.do("run")
    assert (warehouse.window(), warehouse.rest_lo()) == ((2, 2), 2)
    warehouse.load(LOADS[2])
    worker.do("run", select=["purchases_silver+"])
    assert (warehouse.window(), warehouse.rest_lo()) == ((2, 3), 2)
    worker.do("run")
    assert (warehouse.window(), warehouse.rest_lo()) == ((3, 3), 3)


def test_a_run_of_the_live_models_moves_their_start_alone(
    warehouse: Warehouse, worker: Worker
) -> None:
    for number, load in enumerate(LOADS[:3], start=1):
        warehouse.load(load)
        worker.do("run", select=["tag:live"])
        assert (warehouse.window(), warehouse.rest_lo()) == ((number, number), 0)
    worker.do("run")
    assert (warehouse.window(), warehouse.rest_lo()) == ((3, 3), 3)
    warehouse.load(LOADS[3])
    worker.do("run", select=["tag:live"])
    assert (warehouse.window(), warehouse.rest_lo()) == ((4, 4), 3)
    # What is not live takes in what the live models have, and all of that.
    worker.do("run")
    assert warehouse.all_tables() == expected_tables(LOADS[:4])
    assert warehouse.rest_lo() == 4


def test_a_failure_among_the_rest_holds_back_the_rest_alone(
    warehouse: Warehouse, work: Path, project_copy: Path
) -> None:
    model = project_copy / "models" / "gold" / "hourly_sales_gold.sql"
    good = model.read_text()
    with Worker(warehouse.path, work, project=project_copy) as worker:
        warehouse.load(LOADS[0])
        worker.do("run")
        hours = warehouse.all_tables()["hours"]
        warehouse.load(LOADS[1])
        model.write_text(good + "\nlimit 'many'")
        reply = worker.ask("run")
        assert (reply["code"], "hourly_sales_gold" in reply["error"]) == ("node_failed", True)
        assert (warehouse.window(), warehouse.rest_lo()) == ((2, 2), 1)
        assert warehouse.all_tables()["hours"] == hours
        model.write_text(good)
        warehouse.load(LOADS[2])
        worker.do("run", select=["tag:live"])
        worker.do("run")
        assert warehouse.all_tables() == expected_tables(LOADS[:3])


def test_a_warehouse_of_an_older_build_is_derived_anew(
    warehouse: Warehouse, worker: Worker
) -> None:
    """Its window has no start for the rest, and its silver has fewer columns."""
    warehouse.load(*LOADS[:2])
    worker.do("run")
    for statement in (
        "drop table retail.raw.transform_displaced",
        "drop table retail.raw.transform_restarts",
        "create or replace table retail.raw.transform_window as select 2 as lo, 2 as hi",
        "alter table retail.silver.purchases_silver drop column business_date",
        "drop table retail.raw.raw_products",
    ):
        warehouse.query(statement)
    worker.do("run")
    assert warehouse.all_tables() == expected_tables(LOADS[:2])


def test_other_commands_leave_the_window_alone(warehouse: Warehouse, worker: Worker) -> None:
    worker.do("seed")
    assert warehouse.query("select count(*) from duckdb_tables() where schema_name = 'raw'") == [
        (1,)
    ]
    warehouse.load(LOADS[0])
    worker.do("run")
    warehouse.load(LOADS[1])
    worker.do("test", select=["purchases_gold"])
    worker.do("seed")
    worker.do("parse")
    assert warehouse.window() == (1, 1)


def test_what_arrives_during_a_run_waits_for_the_next_in_every_model(
    warehouse: Warehouse, work: Path, project_copy: Path
) -> None:
    """As on Snowflake, where nobody holds the pipe back: a load right after the window opened."""
    configuration = project_copy / "dbt_project.yml"
    late = "insert into retail.raw.raw_purchases_staging from retail.raw.late where _load_seq > 2"
    opened = '  - "{{ open_window() }}"\n'
    assert opened in configuration.read_text()
    configuration.write_text(
        configuration.read_text().replace(
            opened, f"{opened}  - \"{{% if flags.WHICH == 'run' %}}{late}{{% endif %}}\"\n"
        )
    )
    warehouse.load(*LOADS[:3])
    warehouse.query("create table retail.raw.late as from retail.raw.raw_purchases_staging")
    warehouse.query("delete from retail.raw.raw_purchases_staging where _load_seq > 2")
    with Worker(warehouse.path, work, project=project_copy) as worker:
        worker.do("run")
    assert warehouse.window() == (2, 2)
    assert warehouse.query(
        "select count(*) from retail.raw.raw_purchases_staging where _load_seq = 3"
    ) == [(len(LOADS[2]),)]
    assert warehouse.all_tables() == expected_tables(LOADS[:2])


def test_an_empty_staging_makes_empty_tables(warehouse: Warehouse, worker: Worker) -> None:
    worker.do("build")
    assert warehouse.all_tables() == expected_tables([])
    assert warehouse.window() == (0, 0)
    warehouse.load(LOADS[0])
    worker.do("run")
    assert warehouse.all_tables() == expected_tables(LOADS[:1])


def test_columns_of_a_later_contract_do_no_harm(empty_warehouse: Warehouse, worker: Worker) -> None:
    empty_warehouse.create_staging(f"channel VARCHAR, {STAGING_COLUMNS}, loyalty_points INTEGER")
    empty_warehouse.load(LOADS[0])
    worker.do("run")
    assert empty_warehouse.all_tables() == expected_tables(LOADS[:1])


@pytest.mark.parametrize(
    "lost",
    [
        "table retail.silver.purchases_silver",
        "table retail.silver.purchase_losers_silver",
        "table retail.gold.purchases_gold",
        "view retail.silver.purchase_duplicates_silver",
        "table retail.raw.transform_window",
        "table retail.raw.transform_prior_winners",
        "table retail.raw.transform_displaced",
        "table retail.raw.transform_restarts",
        "table retail.silver.stores_silver",
        "table retail.silver.customer_totals_silver",
        "table retail.gold.hourly_sales_gold",
    ],
)
def test_a_table_that_is_lost_is_made_again(
    lost: str, warehouse: Warehouse, worker: Worker
) -> None:
    warehouse.load(LOADS[0])
    worker.do("run")
    warehouse.load(LOADS[1])
    worker.do("run", select=["purchases_silver"])
    warehouse.query(f"drop {lost}")
    warehouse.load(LOADS[2])
    worker.do("run")
    assert warehouse.all_tables() == expected_tables(LOADS[:3])
    assert warehouse.window() == (3, 3)


def test_rows_that_left_staging_stop_the_run_until_a_full_refresh(
    warehouse: Warehouse, worker: Worker
) -> None:
    warehouse.load(*LOADS[:2])
    worker.do("run")
    before = warehouse.tables()
    warehouse.query("delete from retail.raw.raw_purchases_staging where _load_seq = 2")
    reply = worker.ask("run")
    assert reply["code"] == "dbt_failed"
    assert "rows have left staging" in reply["error"]
    assert "--full-refresh" in reply["error"]
    assert warehouse.tables() == before
    worker.do("run", full_refresh=True)
    assert warehouse.all_tables() == expected_tables(LOADS[:1])


def test_a_warehouse_without_staging_says_what_to_do(
    empty_warehouse: Warehouse, worker: Worker
) -> None:
    reply = worker.ask("run")
    assert (reply["ok"], reply["code"]) == (False, "dbt_failed")
    assert "medallion ingest" in reply["error"]
