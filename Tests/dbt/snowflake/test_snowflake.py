"""The same project on DuckDB and, by dbt-snowflake, on an emulator: the same tables.

The emulator computes with DuckDB (emulator.py), so this is about models, dialect, adapter and
connector, and not about Snowflake's arithmetic.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from warehouse import REPOSITORY, Warehouse, Worker

if importlib.util.find_spec("fakesnow") is None:
    pytest.skip("the dependency group `snowflake` is not installed", allow_module_level=True)

from account import Account, Row, columns_of, emulator

MEDALLION = Path(os.environ.get("MEDALLION_BIN") or REPOSITORY / "bin" / "medallion")

#: A hash that the engines number differently (macros/engine/event_key.sql); nobody else reads it.
NOT_COMPARED = {"event_key"}

#: What the pipe loads, as opposed to what dbt remembers there.
OF_THE_PIPE = (
    *("raw_purchases_staging", "load_history", "raw_quarantine_staging"),
    *("raw_products", "raw_stores", "raw_customer_identities"),
)


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("snowflake")


@pytest.fixture(scope="module")
def lake(scratch: Path) -> Path:
    """A lake with every fault, whose files came in three batches; staged, not transformed."""
    lake = scratch / "lake"
    # The same sales over another span of time have the same ids and other content; and an object
    # that arrived earlier than one loaded before it displaces that one's rows.
    for until in ("2026-03-11", "2026-03-06", "2026-03-15"):
        medallion(
            *("simulate", "--lake", lake, "--world", "retail", "--seed", 1),
            *("--events", 500, "--from", "2026-03-01", "--until", until, "--faults", "all=0.05"),
        )
        medallion("bronze", "--lake", lake, "--once")
        medallion("ingest", "--lake", lake, "--once")
    return lake


def medallion(*arguments: object) -> str:
    return subprocess.run(
        [str(MEDALLION), *map(str, arguments)],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=120,
    ).stdout


@pytest.fixture(scope="module")
def account(scratch: Path) -> Iterator[Account]:
    with emulator(scratch) as account:
        yield account


@pytest.fixture(scope="module")
def worker(scratch: Path, account: Account) -> Iterator[Worker]:
    """A worker whose DuckDB warehouse and lease nobody may touch: there is no such directory."""
    nowhere = scratch / "nowhere" / "warehouse"
    with Worker(nowhere, scratch, lease=nowhere, environment=account.environment) as worker:
        yield worker


@pytest.fixture(scope="module")
def duckdb_tables(scratch: Path, lake: Path) -> dict[str, list[Row]]:
    """Every table of silver and gold as DuckDB makes them, in one run over everything."""
    warehouse = scratch / "copy.duckdb"
    warehouse.write_bytes((lake / "warehouse.duckdb").read_bytes())
    with Worker(warehouse, scratch) as worker:
        worker.do("build", target="duckdb")
    with Warehouse(warehouse).open() as connection:
        names = connection.execute(
            """
            select table_schema || '.' || table_name from information_schema.tables
            where table_catalog = 'retail' and table_schema in ('silver', 'gold')
            order by 1
            """
        ).fetchall()
        tables = {}
        for (name,) in names:
            columns = compared_columns(connection, name)
            tables[name] = connection.execute(f"select {columns} from retail.{name}").fetchall()
        return tables


def compared_columns(warehouse: duckdb.DuckDBPyConnection, table: str) -> str:
    return ", ".join(name for name in columns_of(warehouse, table) if name not in NOT_COMPARED)


@pytest.fixture(scope="module")
def snowflake_tables(
    scratch: Path, lake: Path, account: Account, worker: Worker, duckdb_tables: dict[str, list[Row]]
) -> dict[str, list[Row]]:
    """The same tables as dbt-snowflake makes them, in three runs.

    Half of the loads and of the dimensions; all of the dimensions, which has everything made anew;
    the rest of the loads, which is an incremental run.
    """
    warehouse = lake / "warehouse.duckdb"
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        present = [
            name
            for (name,) in connection.execute(
                "select table_name from information_schema.tables where table_schema = 'raw'"
            ).fetchall()
            if name in OF_THE_PIPE
        ]
        [(loads,)] = connection.execute(
            "select max(_load_seq) from raw.raw_purchases_staging"
        ).fetchall()

    def load(up_to: int, share: float) -> None:
        for name in present:
            condition = {
                "raw_purchases_staging": f"_load_seq <= {up_to}",
                "load_history": f"load_seq <= {up_to}",
            }.get(name, f"hash(rowid) % 100 < {100 * share}")
            account.replace(warehouse, name, condition, scratch)

    load(loads // 3, share=0.5)
    worker.do("build", target="snowflake")
    load(2 * loads // 3, share=1)
    worker.do("run", target="snowflake")
    load(loads, share=1)
    assert account.query("select lo from retail.raw.transform_window") == [(2 * loads // 3,)]
    worker.do("build", target="snowflake")
    assert account.query("select lo, hi from retail.raw.transform_window") == [(loads, loads)]

    names = account.query(
        """
        select lower(table_schema || '.' || table_name) from retail.information_schema.tables
        where table_schema in ('SILVER', 'GOLD') order by 1
        """
    )
    tables = {}
    with Warehouse(scratch / "copy.duckdb").open() as connection:
        for (name,) in names:
            columns = compared_columns(connection, name)
            tables[name] = account.query(f"select {columns} from retail.{name}")
    return tables


def test_every_table_of_silver_and_gold_is_duckdbs_value_by_value(
    duckdb_tables: dict[str, list[Row]], snowflake_tables: dict[str, list[Row]]
) -> None:
    assert snowflake_tables.keys() == duckdb_tables.keys()
    assert {name.partition(".")[0] for name in duckdb_tables} == {"silver", "gold"}
    different = {
        name: {
            "only DuckDB": sorted(rows - others, key=str)[:3],
            "only Snowflake": sorted(others - rows, key=str)[:3],
        }
        for name in duckdb_tables
        if (rows := Counter(typed(duckdb_tables[name])))
        != (others := Counter(typed(snowflake_tables[name])))
    }
    assert different == {}
    # Empty tables would be equal, too.
    for name in ("purchases_silver", "purchase_duplicates_silver", "purchase_conflicts_silver"):
        assert snowflake_tables[f"silver.{name}"]


def typed(rows: list[Row]) -> list[Row]:
    """Rows whose values also differ where their types do: 1 is not 1.00, and not true."""
    return [tuple((type(value).__name__, str(value)) for value in row) for row in rows]
