"""The SQL in infra/snowflake: parsed as Snowflake's, equal to the contract, run on the emulator.

The emulator computes with DuckDB and lacks much of Snowflake (emulator.py); what it refuses is
listed in refused.txt.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest
from warehouse import REPOSITORY

if importlib.util.find_spec("fakesnow") is None:
    pytest.skip("the dependency group `snowflake` is not installed", allow_module_level=True)

import sqlglot
from account import Account, Row, emulator
from lakes import bronze_files, medallion, staged_lake
from snowflake.connector.errors import ProgrammingError
from sqlglot import exp
from statements import (
    FILES,
    VALUES,
    VARIABLE,
    copy_of,
    one_line,
    path_of,
    statement_of,
    statements_of,
    text_of,
)
from tools import TOOL_SECONDS, TOOLS, needs_tools, refused_by_parser

#: What the parser does not know although Snowflake documents it.
UNKNOWN_TO_THE_PARSER = "    storage_aws_external_id = 'a-phrase-of-your-own'\n"

CONTRACT: dict[str, Any] = json.loads(
    (REPOSITORY / "contract" / "purchase_event.schema.json").read_text()
)
STAGING = "retail.raw.raw_purchases_staging"
LAYERS_IN_STAGES = ("bronze", "quarantine", "commits", "dimensions")


# MARK: the parser


@needs_tools
def test_a_parser_of_snowflakes_sql_accepts_every_file(tmp_path: Path) -> None:
    assert {path_of(file) for file in FILES} == set(path_of(FILES[0]).parent.glob("*.sql"))
    files = {f"{file}.sql": text_of(file).replace(UNKNOWN_TO_THE_PARSER, "") for file in FILES}
    # To the parser a procedure's body is a text.
    [body] = re.findall(r"\$\$(.*)\$\$", text_of("merge_staging"), re.DOTALL)
    files["number_loads.sql"] = body
    assert refused_by_parser(files, tmp_path / "sql") == {}


@needs_tools
def test_the_parser_refuses_what_is_wrong(tmp_path: Path) -> None:
    wrong = {
        "stage.sql": "create stage s url = 's3://b/' storage_integration = ;",
        "pipe.sql": "create pipe p auto_ingest = true as copy into t (a, b from @s;",
        "grant.sql": "grant usage on schema to role r;",
        "task.sql": "create task t schedule = '5 minutes' call p();",
        "monitor.sql": "create resource monitor m with triggers on 75 do notify;",
        "user.sql": "create user u type = service rsa_public_key = ;",
        "merge.sql": "merge into t using s on t.a = s.a when matched then;",
        # Once it knows this, UNKNOWN_TO_THE_PARSER can go.
        "integration.sql": "create storage integration i type = external_stage "
        + UNKNOWN_TO_THE_PARSER.strip()
        + " storage_allowed_locations = ('s3://b/');",
    }
    assert refused_by_parser(wrong, tmp_path / "sql").keys() == wrong.keys()


def test_the_variables_are_those_that_each_file_names() -> None:
    for file in FILES:
        text = path_of(file).read_text()
        introduction = text.partition("\nuse ")[0]
        for name in VARIABLE.findall(text):
            assert name in VALUES and name in introduction, (file, name)
    instructions = (path_of(FILES[0]).parent / "snowpipe_auto_ingest_instructions.md").read_text()
    assert all(f"`{name}`" in instructions for name in VALUES)
    assert all(f"`{file}.sql`" in instructions for file in FILES)


# MARK: the contract


def staging_type(field: dict[str, Any]) -> str:
    """The column type of a field, by README.md of the contract."""
    kinds = field["type"] if isinstance(field["type"], list) else [field["type"]]
    [kind] = [kind for kind in kinds if kind != "null"]
    if kind == "string":
        return "timestamp_ltz(6)" if field.get("format") == "date-time" else "varchar"
    if kind == "integer":
        return "number(10, 0)" if field.get("maximum", 2**63) < 2**31 else "number(19, 0)"
    return {"number": "float", "boolean": "boolean"}[kind]


#: The contract's fields, and what bronze adds to them.
BRONZE_COLUMNS = {
    **{name: staging_type(field) for name, field in CONTRACT["properties"].items()},
    "_rescued_data": "varchar",
    "_source_object": "varchar",
    "_source_line": "number(19, 0)",
}
#: What is not in a bronze file, by how a COPY finds it.
LOAD_COLUMNS = {
    "dt": ("date", "split_part(split_part(metadata$filename, 'dt=', -1), '/', 1)::date"),
    "_bronze_file": ("varchar", "'bronze/dt=' || split_part(metadata$filename, 'dt=', -1)"),
    "_scanned_at": ("timestamp_ltz(9)", "metadata$start_scan_time"),
}


def types_of(definition: str) -> dict[str, str]:
    """The columns of a CREATE TABLE, with their types in one spelling."""
    parsed = sqlglot.parse_one(definition, read="snowflake")
    return {column.name: column.kind.sql("snowflake") for column in parsed.find_all(exp.ColumnDef)}


def test_staging_has_the_contracts_columns() -> None:
    expected = {
        **BRONZE_COLUMNS,
        **{name: kind for name, (kind, _) in LOAD_COLUMNS.items()},
        "_load_seq": "number(19, 0)",
    }
    columns = ", ".join(f"{name} {kind}" for name, kind in expected.items())
    created = statement_of(
        "create_stage_and_pipe", f"create transient table if not exists {STAGING}"
    )
    assert types_of(created) == types_of(f"create table t ({columns})")
    assert list(types_of(created)) == list(expected)


def copies() -> dict[str, str]:
    """Every COPY of bronze files, by where it is."""
    pipe = statement_of("create_stage_and_pipe", "create pipe")
    task = statement_of("copy_into", "create task")
    return {
        "pipe": copy_of(pipe),
        "by hand": statement_of("copy_into", "copy into"),
        "task": copy_of(task),
    }


def test_every_copy_has_the_contracts_columns() -> None:
    names = [*BRONZE_COLUMNS, *LOAD_COLUMNS]
    values = [
        *(f"$1:{name}::{kind}" for name, kind in BRONZE_COLUMNS.items()),
        *(value for _, value in LOAD_COLUMNS.values()),
    ]
    expected = (
        f"copy into {STAGING} ( {', '.join(names)} ) "
        f"from ( select {', '.join(values)} from @retail.raw.retail_bronze_stage ) "
        "file_format = (format_name = 'retail.raw.retail_bronze_format') "
        "pattern = '.*[.]parquet' on_error = skip_file"
    )
    for place, copy in copies().items():
        assert one_line(copy) == expected, place


def test_the_tables_are_those_that_the_models_read() -> None:
    """With the columns that sources.yml describes; what it does not is of no use to them."""
    import yaml

    sources = yaml.safe_load((REPOSITORY / "dbt" / "models" / "sources.yml").read_text())
    described = {
        table["name"]: {column["name"] for column in table["columns"]}
        for table in sources["sources"][0]["tables"]
    }
    created = {}
    for statement in statements_of("create_stage_and_pipe"):
        if match := re.match(
            r"create (?:transient )?table if not exists retail\.raw\.(\w+)", statement
        ):
            created[match[1]] = set(types_of(statement))
    # The rest is dbt's own, or of DuckDB alone.
    of_the_pipe = {name for name in described if not name.startswith("transform_")} - {
        "gold_export"
    }
    assert created.keys() == of_the_pipe | {"load_turn"}
    for name in of_the_pipe:
        only_duckdb = {"pipe_name"} if name == "load_history" else set()
        assert described[name] - only_duckdb <= created[name], name


# MARK: on the emulator


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("infra")


@pytest.fixture(scope="module")
def lake(scratch: Path) -> Path:
    return staged_lake(scratch / "lake")


@pytest.fixture(scope="module")
def account(scratch: Path, lake: Path) -> Iterator[Account]:
    """An account in which create_stage_and_pipe and merge_staging have run, and bronze's stage."""
    with emulator(scratch) as account:
        account.install()
        account.upload(lake, bronze_files(lake))
        yield account


@pytest.fixture
def loaded(account: Account) -> Account:
    """All of bronze in staging, as a COPY brings it: without numbers."""
    account.query(f"truncate table {STAGING}")
    account.query("truncate table retail.raw.load_history")
    account.query(f"{copies()['pipe']} force = true")
    return account


REFUSED = Path(__file__).with_name("refused.txt")


def refusal(file: str, statement: str) -> str:
    """How refused.txt names a statement."""
    return f"{file}: {one_line(statement)[:70].rstrip()}"


def test_what_the_emulator_refuses_is_known(
    scratch: Path, lake: Path, record_property: Callable[[str, object], None]
) -> None:
    """Written anew with UPDATE_GOLDEN=1."""
    refused = []
    with emulator(scratch) as account, account.connect() as cursor:
        account.make_stages()
        for layer in LAYERS_IN_STAGES:
            account.upload(lake, sorted(file for file in (lake / layer).rglob("*.*")))
        for file in FILES:
            for statement in statements_of(file):
                try:
                    cursor.execute(statement)
                except ProgrammingError:
                    refused.append(refusal(file, statement))
    record_property("refused by the emulator, and so only parsed", refused)
    text = "".join(f"{line}\n" for line in refused)
    if os.environ.get("UPDATE_GOLDEN") == "1":
        REFUSED.write_text(text)
    assert text == REFUSED.read_text()


def test_quarantine_is_what_the_embedded_pipe_loads(scratch: Path, lake: Path) -> None:
    """After a redrive, too, which supersedes files."""
    redriven = scratch / "redriven"
    shutil.copytree(lake, redriven)
    # Other years are taken now, and so their lines are quarantined no more.
    fields = CONTRACT["properties"]
    years = {
        "formatMinimum": "0001-01-01T00:00:00Z",
        "formatExclusiveMaximum": "9999-01-01T00:00:00Z",
    }
    contract = scratch / "contract.json"
    contract.write_text(
        json.dumps(CONTRACT | {"properties": fields | {"ts": fields["ts"] | years}})
    )
    medallion("redrive", "--lake", redriven, "--contract", contract)
    medallion("ingest", "--lake", redriven, "--once", "--contract", contract)
    with duckdb.connect(str(redriven / "warehouse.duckdb"), read_only=True) as connection:
        expected = connection.execute("select * from raw.raw_quarantine_staging").fetchall()
    with emulator(scratch) as account, account.connect() as cursor:
        account.install()
        for layer in ("quarantine", "commits"):
            account.upload(redriven, sorted((redriven / layer).rglob("*.*json")))
        # Twice: it replaces what is there.
        for statement in 2 * statements_of("copy_quarantine_and_dimensions"):
            if refusal("copy_quarantine_and_dimensions", statement) not in REFUSED.read_text():
                cursor.execute(statement)
        loaded = account.query("select * from retail.raw.raw_quarantine_staging")
    assert Counter(loaded) == Counter(expected)
    superseded = {
        key
        for commit in (redriven / "commits").glob("*.json")
        for key in json.loads(commit.read_text()).get("superseded", [])
    }
    assert superseded and not superseded & {row[-1] for row in loaded}


def bronze_rows(lake: Path) -> Counter[Row]:
    """The rows that the embedded pipe made of the same files."""
    columns = ", ".join([*BRONZE_COLUMNS, "dt"])
    with duckdb.connect(str(lake / "warehouse.duckdb"), read_only=True) as connection:
        rows = connection.execute(f"select {columns} from raw.raw_purchases_staging").fetchall()
    return Counter(map(comparable, rows))


def comparable(row: Row) -> Row:
    return tuple(value.astimezone(UTC) if isinstance(value, datetime) else value for value in row)


def load_history(lake: Path) -> dict[str, int]:
    with duckdb.connect(str(lake / "warehouse.duckdb"), read_only=True) as connection:
        return dict(connection.execute("select path, row_count from raw.load_history").fetchall())


def staged(account: Account) -> Counter[Row]:
    columns = ", ".join([*BRONZE_COLUMNS, "dt"])
    return Counter(map(comparable, account.query(f"select {columns} from {STAGING}")))


def loads(account: Account) -> list[Row]:
    """What staging and history say of each load, which must be the same."""
    in_staging = account.query(
        f"select _bronze_file, count(*), _load_seq from {STAGING} group by 1, 3 order by 3"
    )
    in_history = account.query(
        "select path, row_count, load_seq from retail.raw.load_history order by load_seq"
    )
    assert in_staging == in_history
    return in_history


def test_the_copy_loads_what_bronze_holds(loaded: Account, lake: Path) -> None:
    """Every column by name, dt from the path."""
    assert staged(loaded) == bronze_rows(lake)
    assert loaded.query(
        f"select count(*) from {STAGING} where dt <> cast(convert_timezone('UTC', ts) as date) "
        f"or dt is null or _load_seq is not null or _scanned_at is null"
    ) == [(0,)]
    files = {name for (name,) in loaded.query(f"select distinct _bronze_file from {STAGING}")}
    assert files == load_history(lake).keys()


def test_a_file_outside_of_every_partition_does_not_load(loaded: Account, lake: Path) -> None:
    rows = staged(loaded)
    loaded.query("create or replace stage retail.raw.misplaced_stage")
    loaded.query(
        f"put file://{bronze_files(lake)[0]} @retail.raw.misplaced_stage auto_compress=false"
    )
    with pytest.raises(ProgrammingError):
        loaded.query(copies()["pipe"].replace("retail_bronze_stage", "misplaced_stage"))
    assert staged(loaded) == rows


def test_the_format_reads_logical_types(lake: Path) -> None:
    """And bronze says of its times that they are moments, in microseconds."""
    created = statement_of("create_stage_and_pipe", "create file format")
    assert "use_logical_type = true" in one_line(created)
    for file in bronze_files(lake):
        kind = pq.read_schema(file).field("ts").type
        assert str(kind) == "timestamp[us, tz=UTC]"
        assert pq.ParquetFile(file).schema.column(1).physical_type == "INT64"


def is_read_by_snowflake(file: Path) -> bool:
    """Whether a Parquet file has the encodings of the format's writer version 1, and no other."""
    metadata = pq.ParquetFile(file).metadata
    chunks = [
        metadata.row_group(group).column(column)
        for group in range(metadata.num_row_groups)
        for column in range(metadata.num_columns)
    ]
    allowed = {"PLAIN", "PLAIN_DICTIONARY", "RLE", "RLE_DICTIONARY"}
    return all(
        set(chunk.encodings) <= allowed and chunk.compression in ("ZSTD", "UNCOMPRESSED")
        for chunk in chunks
    )


def test_bronze_has_only_what_snowflake_reads(lake: Path, scratch: Path) -> None:
    assert all(map(is_read_by_snowflake, bronze_files(lake)))
    other = scratch / "v2"
    medallion("simulate", "--lake", other, "--events", 100)
    medallion("bronze", "--lake", other, "--once", "--parquet-encodings", "v2")
    assert bronze_files(other) and not any(map(is_read_by_snowflake, bronze_files(other)))


def test_every_file_gets_one_number(loaded: Account, lake: Path) -> None:
    loaded.number_loads()
    history = loads(loaded)
    assert {path: rows for path, rows, _ in history} == load_history(lake)
    assert [number for *_, number in history] == list(range(1, len(history) + 1))
    assert staged(loaded) == bronze_rows(lake)
    # And keeps it.
    loaded.number_loads()
    assert loads(loaded) == history


def test_a_file_that_comes_again_changes_nothing(loaded: Account, lake: Path) -> None:
    loaded.number_loads()
    history = loads(loaded)
    loaded.query(f"{copies()['by hand']} force = true")
    assert staged(loaded).total() == 2 * bronze_rows(lake).total()
    loaded.number_loads()
    assert loads(loaded) == history
    assert staged(loaded) == bronze_rows(lake)


def test_a_file_that_came_twice_at_once_is_there_once(loaded: Account, lake: Path) -> None:
    loaded.query(f"{copies()['by hand']} force = true")
    loaded.number_loads()
    assert {path: rows for path, rows, _ in loads(loaded)} == load_history(lake)
    assert staged(loaded) == bronze_rows(lake)


def test_the_rest_of_a_file_gets_a_number_of_its_own(loaded: Account, lake: Path) -> None:
    """Snowpipe may commit a file in parts: what comes later must be in a later window. That other
    files come again with it leaves no gap in the numbers."""
    path = max(load_history(lake), key=lambda path: load_history(lake)[path])
    rest = f"_bronze_file = '{path}' and mod(_source_line, 2) = 0"
    loaded.query(f"create or replace table retail.raw.rest as select * from {STAGING} where {rest}")
    loaded.query(f"delete from {STAGING} where {rest}")
    loaded.number_loads()
    before = loads(loaded)
    loaded.query(f"insert into {STAGING} select * from retail.raw.rest")
    loaded.query(f"{copies()['by hand']} force = true")
    loaded.number_loads()
    assert loads(loaded)[:-1] == before
    *_, (later, rows, number) = loads(loaded)
    assert (later, number) == (path, len(before) + 1)
    assert rows + sum(rows for name, rows, _ in before if name == path) == load_history(lake)[path]
    assert staged(loaded) == bronze_rows(lake)


# MARK: Snowflake's own client


def snow(account: Account, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [
            *(str(TOOLS / "snow"), "sql", *arguments, "--format", "json"),
            *("--temporary-connection", "--account", "fakesnow", "--user", "medallion"),
            *("--authenticator", "SNOWFLAKE_JWT", "--private-key-file", str(account.key)),
            *("--host", "127.0.0.1", "--port", str(account.port), "--protocol", "http"),
            *("--database", "retail", "--schema", "raw"),
        ],
        capture_output=True,
        text=True,
        env=os.environ | {"SNOWFLAKE_HOME": str(account.key.parent)},
        timeout=TOOL_SECONDS,
    )


@needs_tools
def test_snowflakes_client_fills_in_the_variables(account: Account, lake: Path) -> None:
    told = snow(account, "-q", "select '&{lake}/bronze/' as url", "-D", "lake=s3://bucket/lake")
    assert json.loads(told.stdout) == [{"URL": "s3://bucket/lake/bronze/"}]
    told = snow(account, "-f", str(path_of("create_stage_and_pipe")), "-D", "lake=s3://bucket/lake")
    assert told.returncode != 0 and "SQL rendering error" in told.stderr


@needs_tools
def test_snowflakes_client_runs_a_file_up_to_what_is_refused(loaded: Account, lake: Path) -> None:
    told = snow(loaded, "-f", str(path_of("copy_into")))
    assert told.returncode != 0 and 'near "task"' in told.stderr
    assert {path: rows for path, rows, _ in loads(loaded)} == load_history(lake)
