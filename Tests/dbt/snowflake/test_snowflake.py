"""The same project on DuckDB and, by dbt-snowflake, on an emulator: the same tables.

The emulator computes with DuckDB (emulator.py), so this is about models, dialect, adapter and
connector, and not about Snowflake's arithmetic.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from tools import needs_tools, refused_by_parser
from warehouse import PROJECT, Warehouse, Worker, example_profiles

if importlib.util.find_spec("fakesnow") is None:
    pytest.skip("the dependency group `snowflake` is not installed", allow_module_level=True)

from account import Account, Row, columns_of, emulator
from lakes import PATIENCE_SECONDS, medallion, staged_lake
from snowflake.connector.errors import ProgrammingError
from statements import statement_of

#: Numbers that mean the same and are others: a hash (macros/engine/event_key.sql), which nobody
#: else reads, and the loads', which the lake's pipe gives in the order of commits.
NOT_COMPARED = {"event_key", "_load_seq"}

#: What is not loaded by a COPY of bronze.
BESIDE_STAGING = (
    "raw_quarantine_staging",
    *("raw_products", "raw_stores", "raw_customer_identities"),
)


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("snowflake")


@pytest.fixture(scope="module")
def lake(scratch: Path) -> Path:
    return staged_lake(scratch / "lake")


@pytest.fixture(scope="module")
def account(scratch: Path) -> Iterator[Account]:
    """An account in which infra/snowflake has been run."""
    with emulator(scratch) as account:
        account.install()
        yield account


@pytest.fixture(scope="module")
def worker(scratch: Path, account: Account) -> Iterator[Worker]:
    """A worker whose DuckDB warehouse and lease nobody may touch: there is no such directory."""
    nowhere = scratch / "nowhere" / "warehouse"
    with Worker(
        nowhere,
        scratch,
        lease=nowhere,
        environment=account.environment,
        patience_seconds=PATIENCE_SECONDS,
    ) as worker:
        yield worker


@dataclass(frozen=True)
class Built:
    """What one engine made of the lake."""

    tables: dict[str, list[Row]]
    #: What the macro verify_equation counts.
    facts: dict[str, Any]


@pytest.fixture(scope="module")
def on_duckdb(scratch: Path, lake: Path) -> Built:
    """Silver and gold as DuckDB makes them, in one run over everything."""
    warehouse = scratch / "copy.duckdb"
    warehouse.write_bytes((lake / "warehouse.duckdb").read_bytes())
    with Worker(warehouse, scratch, patience_seconds=PATIENCE_SECONDS) as worker:
        worker.do("build", target="duckdb")
        facts = worker.do("verify", target="duckdb")["facts"]
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
    return Built(tables, facts)


def compared_columns(warehouse: duckdb.DuckDBPyConnection, table: str) -> str:
    return ", ".join(name for name in columns_of(warehouse, table) if name not in NOT_COMPARED)


@pytest.fixture(scope="module")
def on_snowflake(
    scratch: Path, lake: Path, account: Account, worker: Worker, on_duckdb: Built
) -> Built:
    """The same tables as dbt-snowflake makes them, in three runs.

    A third of the files and half of the dimensions; all of the dimensions, which has everything
    made anew; the rest of the files, which is an incremental run. A pipe's COPY brings the files,
    and each time those of the earlier runs again.
    """
    warehouse = lake / "warehouse.duckdb"
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        paths = connection.execute("select path from raw.load_history order by load_seq").fetchall()
    files = [lake / path for (path,) in paths]
    copy = statement_of("copy_into", "copy into")

    def load(files: list[Path], share: float) -> None:
        account.upload(lake, files)
        account.query(f"{copy} force = true")
        for name in BESIDE_STAGING:
            account.replace(warehouse, name, f"hash(rowid) % 100 < {100 * share}", scratch)

    third = len(files) // 3
    load(files[:third], share=0.5)
    worker.do("build", target="snowflake")
    load(files[third : 2 * third], share=1)
    worker.do("run", target="snowflake")
    load(files[2 * third :], share=1)
    assert account.query("select lo from retail.raw.transform_window") == [(2 * third,)]
    worker.do("build", target="snowflake")
    window = account.query("select lo, hi from retail.raw.transform_window")
    assert window == [(len(files), len(files))]

    names = account.query(
        """
        select lower(table_schema || '.' || table_name) from (
            select table_schema, table_name from retail.information_schema.tables
            union
            select table_schema, table_name from retail.information_schema.views
        ) as relations
        where table_schema in ('SILVER', 'GOLD') order by 1
        """
    )
    tables = {}
    with Warehouse(scratch / "copy.duckdb").open() as connection:
        for (name,) in names:
            columns = compared_columns(connection, name)
            tables[name] = account.query(f"select {columns} from retail.{name}")
    return Built(tables, worker.do("verify", target="snowflake")["facts"])


def test_every_table_of_silver_and_gold_is_duckdbs_value_by_value(
    on_duckdb: Built, on_snowflake: Built
) -> None:
    duckdb_tables, snowflake_tables = on_duckdb.tables, on_snowflake.tables
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


@needs_tools
def test_a_parser_of_snowflakes_sql_accepts_every_model(
    scratch: Path, tmp_path: Path, on_snowflake: Built
) -> None:
    """As dbt has compiled them for Snowflake, and the transactions in which it changed tables."""
    target = scratch / "target"
    compiled = (target / "compiled" / "retail_streaming" / "models").rglob("*.sql")
    run = (target / "run" / "retail_streaming" / "models").rglob("*.sql")
    transactions = {
        f"run-{file.name}": text for file in run if "begin;" in (text := file.read_text())
    }
    models = {file.name: file.read_text() for file in compiled}
    assert len(models) > 20 and len(transactions) > 5
    assert refused_by_parser(models | transactions, tmp_path / "sql") == {}


def test_the_layers_are_counted_alike(on_duckdb: Built, on_snowflake: Built) -> None:
    assert on_snowflake.facts == on_duckdb.facts
    silver = on_duckdb.tables["silver.purchases_silver"]
    assert on_duckdb.facts["silver_rows"] == len(silver)
    assert Decimal(on_duckdb.facts["gold_revenue"]) > 0
    assert len(on_duckdb.facts["files"]) == on_duckdb.facts["hi"]


def test_medallion_verifies_the_account(account: Account, lake: Path, on_snowflake: Built) -> None:
    command = ("verify", "--lake", lake, "--target", "snowflake", "--json")
    report = json.loads(medallion(*command, environment=account.environment))
    assert (report["balanced"], report["pending"]) == (True, 0)
    checks = {check["name"]: check["left"] for check in report["checks"]}
    facts = on_snowflake.facts
    assert checks["bronze rows = staging rows"] == facts["staging_rows"]
    assert checks["silver revenue = gold revenue"] == facts["silver_revenue"]

    [(event_id,)] = account.query("select min(event_id) from retail.silver.purchases_silver")
    silver = "retail.silver.purchases_silver"
    with damaged(account, silver, f"event_id = '{event_id}'"):
        report = json.loads(medallion(*command, environment=account.environment, code=1))
    wrong = {check["name"] for check in report["checks"] if not check["ok"]}
    assert wrong >= {
        "staging rows = silver + duplicates + conflicts",
        "silver rows = gold transactions",
    }

    # A file that the account has not loaded yet is pending; one that it lost rows of is not.
    with damaged(account, "retail.raw.raw_purchases_staging", f"event_id = '{event_id}'"):
        report = json.loads(medallion(*command, environment=account.environment, code=1))
    assert "bronze rows = staging rows" in {
        check["name"] for check in report["checks"] if not check["ok"]
    }
    assert json.loads(medallion(*command, environment=account.environment))["balanced"]


@contextlib.contextmanager
def damaged(account: Account, table: str, condition: str) -> Iterator[None]:
    """A table that lacks some rows for a while."""
    account.query(f"create or replace table retail.raw.lost as select * from {table}")
    account.query(f"delete from {table} where {condition}")
    yield
    account.query(f"insert into {table} select * from retail.raw.lost where {condition}")


def test_medallion_transforms_the_account(
    account: Account, lake: Path, on_snowflake: Built
) -> None:
    told = medallion(
        *("transform", "--lake", lake, "--target", "snowflake", "--select", "purchases_gold"),
        environment=account.environment,
    )
    assert "snowflake" in told and "success" in told
    # The lake's own warehouse has not been touched: nothing was transformed in it.
    with duckdb.connect(str(lake / "warehouse.duckdb"), read_only=True) as connection:
        assert connection.execute(
            "select count(*) from information_schema.tables where table_schema = 'gold'"
        ).fetchone() == (0,)


def test_each_request_has_a_query_tag_of_its_own(
    account: Account, scratch: Path, on_snowflake: Built, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the example profile; asked of the worker's own code, whose connections are looked at."""
    from snowflake import connector

    tags = []
    connect = connector.connect

    def looked_at(**options: Any) -> Any:
        tags.append(options["session_parameters"]["QUERY_TAG"])
        return connect(**options)

    for name, value in account.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("MEDALLION_RUN_ID", "by the caller")
    monkeypatch.setattr(connector, "connect", looked_at)
    monkeypatch.syspath_prepend(str(PROJECT))
    import worker

    project = worker.Project(PROJECT, example_profiles(scratch), scratch / "target", scratch)
    for _ in range(2):
        project.verify(worker.Request(id=1, command="verify", target="snowflake"))
    runs = {tag.removeprefix("medallion ") for tag in tags}
    assert len(runs) == 2 and all(uuid.UUID(run) for run in runs)


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        # The example in Snowflake's documentation.
        ("md5_number_lower64('Snowflake')", 9203306159527282910),
        ("trim(' a ' || chr(10), concat(' ', chr(10)))", "a"),
        ("try_cast('2026-02-30 09:00:00' as timestamp_ntz)", None),
        ("cast('2026-02-28' as date) + cast(1 as integer)", date(2026, 3, 1)),
        (
            "(select sum(n) from (select 9999999999999999.99 as n union all select 0.01) as t)",
            Decimal("10000000000000000.00"),
        ),
    ],
)
def test_the_emulator_gives_what_snowflake_documents(
    expression: str, value: object, account: Account
) -> None:
    assert account.query(f"select {expression}") == [(value,)]


def test_what_the_emulator_does_not_know_is_an_error_at_once(account: Account) -> None:
    """And not an HTTP 500, after which the connector would ask again for minutes."""
    began = time.monotonic()
    with pytest.raises(ProgrammingError):
        account.query("select system$clustering_information('t')")
    with pytest.raises(ProgrammingError):
        account.query("call no_such_procedure()")
    assert time.monotonic() - began < 20


def test_a_model_that_fails_in_the_middle_leaves_everything_as_it_was(
    account: Account, scratch: Path, project_copy: Path, worker: Worker, on_snowflake: Built
) -> None:
    """Silver has deleted and inserted when its last statement fails; gold comes after it."""
    strategy = project_copy / "macros/incremental/get_incremental_replace_winners_sql.sql"
    sound = strategy.read_text()
    end = "    {%- endset -%}\n\n    {{ return("
    assert sound.count(end) == 1
    failing = ";\n        insert into {{ silver }} (no_such_column) select 1\n"
    strategy.write_text(sound.replace(end, failing + end))

    # New purchases, and lines that displace purchases of silver.
    arrive(account, event_id="'late-' || event_id", source_object="_source_object")
    arrive(account, event_id="event_id", source_object="'raw/0.json'")
    before = contents(account)
    [(lo, _)] = account.query("select lo, hi from retail.raw.transform_window")
    environment = account.environment
    with Worker(
        *(scratch / "nowhere" / "warehouse", project_copy.parent, project_copy),
        environment=environment,
        patience_seconds=PATIENCE_SECONDS,
    ) as broken:
        reply = broken.ask("run", target="snowflake", select=LIVE)
    assert reply["code"] == "node_failed" and "purchases_silver" in reply["error"]
    assert "no_such_column" in reply["error"].lower()
    statuses = {node["name"]: node["status"] for node in reply["nodes"]}
    assert statuses["purchases_silver"] == "error" and statuses["purchases_gold"] == "skipped"
    assert contents(account) == before
    assert account.query("select lo from retail.raw.transform_window") == [(lo,)]

    worker.do("run", target="snowflake", select=LIVE)
    after = contents(account)
    assert after["gold.purchases_gold"] != before["gold.purchases_gold"]
    assert account.query("select lo - hi from retail.raw.transform_window") == [(0,)]


def arrive(account: Account, event_id: str, source_object: str) -> None:
    """Has copies of the first loads' rows arrive, with that id and object."""
    kept = "ts, store_id, customer_id, product_id, category, price, quantity, total_amount, dt"
    account.query(
        f"""
        insert into retail.raw.raw_purchases_staging
            (event_id, _source_object, _source_line, _bronze_file, _scanned_at, {kept})
        select {event_id}, {source_object}, 1000000 + row_number() over (order by event_id),
            'bronze/dt=2026-03-14/late.parquet', current_timestamp(), {kept}
        from retail.raw.raw_purchases_staging where _load_seq <= 3
        """
    )


LIVE = ["tag:live"]


def contents(account: Account) -> dict[str, Counter[Row]]:
    """What the live tables hold."""
    return {
        name: Counter(typed(account.query(f"select * from retail.{name}")))
        for name in (
            *("silver.purchases_silver", "silver.purchase_losers_silver"),
            *("silver.products_silver", "gold.purchases_gold"),
        )
    }


def typed(rows: list[Row]) -> list[Row]:
    """Rows whose values also differ where their types do: 1 is not 1.00, and not true."""
    return [tuple((type(value).__name__, str(value)) for value in row) for row in rows]
