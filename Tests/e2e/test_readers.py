"""Bronze is read alike by everybody, and has no feature that some reader lacks."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import polars
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from command import Medallion
from template_lake import FAULTS
from truth import Purchase, bronze_files, truth_of

COLUMNS = {
    "event_id": pa.string(),
    "ts": pa.timestamp("us", tz="UTC"),
    "store_id": pa.string(),
    "customer_id": pa.string(),
    "product_id": pa.string(),
    "category": pa.string(),
    "price": pa.float64(),
    "quantity": pa.int32(),
    "total_amount": pa.float64(),
    "_rescued_data": pa.string(),
    "_source_object": pa.string(),
    "_source_line": pa.int64(),
}
#: What writer version 1 knows, as readers name it.
ENCODINGS = {
    "v1": {"PLAIN", "PLAIN_DICTIONARY", "RLE"},
    "v2": {"PLAIN", "PLAIN_DICTIONARY", "RLE", "DELTA_BINARY_PACKED", "DELTA_LENGTH_BYTE_ARRAY"},
}
REQUIRED = {"event_id", "ts", "_source_object", "_source_line"}


@dataclass(frozen=True)
class Bronze:
    medallion: Medallion
    files: list[Path]
    purchases: list[Purchase]
    encodings: str


@pytest.fixture(scope="module", params=["v1", "v2"])
def bronze(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Bronze]:
    directory = tmp_path_factory.mktemp("readers")
    medallion = Medallion(
        directory / "lake",
        scratch=directory / "commands",
        # Times are UTC whatever the machine's zone.
        environment={"TZ": "America/St_Johns"},
    )
    answers = directory / "answers.ndjson"
    medallion.run(
        *(
            "simulate",
            "--events",
            5000,
            "--seed",
            31,
            "--from",
            "2026-10-30",
            "--until",
            "2026-11-02",
        ),
        *("--faults", FAULTS, "--answer-key", answers),
    )
    medallion.run("bronze", "--once", "--parquet-encodings", request.param)
    purchases = truth_of(medallion.lake, answers).purchases
    yield Bronze(medallion, bronze_files(medallion.lake), purchases, request.param)
    medallion.end()


Key = tuple[str, int]


def by_place(rows: list[dict[str, Any]]) -> dict[Key, dict[str, Any]]:
    found = {(row["_source_object"], row["_source_line"]): row for row in rows}
    assert len(found) == len(rows)
    return found


def read_with_pyarrow(files: list[Path]) -> list[dict[str, Any]]:
    return [row for path in files for row in pq.ParquetFile(path).read().to_pylist()]


def read_with_duckdb(files: list[Path]) -> list[dict[str, Any]]:
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        result = connection.execute(
            "SELECT * REPLACE (ts AT TIME ZONE 'UTC' AS ts) "
            "FROM read_parquet($1, hive_partitioning = false)",
            [[str(path) for path in files]],
        )
        names = [column[0] for column in result.description or []]
        rows = [dict(zip(names, values, strict=True)) for values in result.fetchall()]
    return [{**row, "ts": row["ts"].replace(tzinfo=UTC)} for row in rows]


def read_with_polars(files: list[Path]) -> list[dict[str, Any]]:
    frames = [polars.read_parquet(path, hive_partitioning=False) for path in files]
    assert frames[0].schema["ts"] == polars.Datetime("us", "UTC")
    return [
        {**row, "ts": row["ts"].astimezone(UTC)}
        for row in polars.concat(frames).iter_rows(named=True)
    ]


def test_pyarrow_duckdb_and_polars_read_equal_rows_and_they_are_those_of_raw(
    bronze: Bronze,
) -> None:
    by_pyarrow = by_place(read_with_pyarrow(bronze.files))
    assert by_place(read_with_duckdb(bronze.files)) == by_pyarrow
    assert by_place(read_with_polars(bronze.files)) == by_pyarrow
    assert len(by_pyarrow) == len(bronze.purchases) > 4000
    names = list(COLUMNS)[:9]
    for purchase in bronze.purchases:
        row = by_pyarrow[purchase.place.object, purchase.place.line]
        # purchase.fields are the eight fields after the id, in the contract's order.
        ts, *rest = purchase.fields
        assert isinstance(ts, datetime)
        expected = [purchase.event_id, ts.replace(tzinfo=UTC), *rest]
        assert [row[name] for name in names] == expected, purchase.place


def test_clickhouse_reads_the_same_rows(bronze: Bronze) -> None:
    chdb = pytest.importorskip("chdb")
    columns = ", ".join(
        "toUnixTimestamp64Micro(ts) AS ts" if name == "ts" else name for name in COLUMNS
    )
    rows: list[dict[str, Any]] = []
    for path in bronze.files:
        text = chdb.query(
            f"SELECT {columns} FROM file('{path}', 'Parquet') "
            "SETTINGS output_format_json_quote_64bit_integers = 0",
            "JSONEachRow",
        ).bytes()
        rows += [json.loads(line) for line in text.splitlines()]
    expected = [micros(row) for row in read_with_pyarrow(bronze.files)]
    assert by_place(rows) == by_place(expected)


@pytest.mark.parametrize("vectorized", [True, False])
def test_spark_reads_the_same_rows_by_either_of_its_readers(
    bronze: Bronze, vectorized: bool
) -> None:
    sql = pytest.importorskip("pyspark.sql")
    if shutil.which("java") is None:
        pytest.skip("Spark needs Java, which is not installed")
    spark = (
        sql.SparkSession.builder.master("local[1]")
        .config("spark.ui.enabled", "false")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.sql.session.timeZone", "UTC")
        .getOrCreate()
    )
    spark.sparkContext.setLogLevel("ERROR")
    spark.conf.set("spark.sql.parquet.enableVectorizedReader", str(vectorized).lower())
    frame = spark.read.parquet(*(str(path) for path in bronze.files)).selectExpr(
        *("unix_micros(ts) AS ts" if name == "ts" else name for name in COLUMNS)
    )
    rows = [row.asDict() for row in frame.collect()]
    expected = [micros(row) for row in read_with_pyarrow(bronze.files)]
    assert by_place(rows) == by_place(expected)


def micros(row: dict[str, Any]) -> dict[str, Any]:
    """The row with its time as a number, which no reader moves to its own zone."""
    since = row["ts"] - datetime(1970, 1, 1, tzinfo=UTC)
    return {**row, "ts": since // timedelta(microseconds=1)}


def test_the_whole_of_bronze_is_read_by_a_glob_as_bi_tools_do(bronze: Bronze) -> None:
    pattern = f"{bronze.medallion.lake}/bronze/**/*.parquet"
    with duckdb.connect() as connection:
        found = connection.execute(
            f"SELECT count(*), count(DISTINCT dt) FROM read_parquet('{pattern}', "
            "hive_partitioning = true) WHERE dt = CAST(timezone('UTC', ts) AS DATE)"
        ).fetchone()
    days = {purchase.day for purchase in bronze.purchases}
    assert found == (len(bronze.purchases), len(days))
    assert len(days) > 3
    frame = polars.scan_parquet(pattern, hive_partitioning=True).select(polars.len()).collect()
    assert frame.item() == len(bronze.purchases)


def test_the_columns_have_their_types_and_only_the_required_ones_are_not_null(
    bronze: Bronze,
) -> None:
    for path in bronze.files:
        schema = pq.read_schema(path)
        assert {name: schema.field(name).type for name in schema.names} == COLUMNS
        assert list(schema.names) == list(COLUMNS)
        assert {field.name for field in schema if not field.nullable} == REQUIRED


def test_timestamps_are_micros_adjusted_to_utc(bronze: Bronze) -> None:
    column = pq.ParquetFile(bronze.files[0]).schema.column(1)
    assert column.physical_type == "INT64"
    logical = json.loads(column.logical_type.to_json())
    assert logical["Type"] == "Timestamp"
    assert logical["isAdjustedToUTC"] is True
    assert logical["timeUnit"] == "microseconds"
    # Readers that know no logical types go by the older annotation.
    assert column.converted_type == "TIMESTAMP_MICROS"


def test_files_say_who_made_them_and_use_nothing_beyond_version_1(bronze: Bronze) -> None:
    version = bronze.medallion.run("--version", on_lake=False).stdout.strip()
    for path in bronze.files:
        metadata = pq.ParquetFile(path).metadata
        assert metadata.created_by.startswith(f"medallion version {version}")
        assert metadata.format_version == "1.0"
        for group in range(metadata.num_row_groups):
            for ordinal in range(metadata.num_columns):
                column = metadata.row_group(group).column(ordinal)
                # What zstd does not make smaller is stored as it is.
                assert column.compression in ("ZSTD", "UNCOMPRESSED")
                assert set(column.encodings) <= ENCODINGS[bronze.encodings], column
                assert column.is_stats_set, column.path_in_schema
                assert column.statistics.has_null_count, column.path_in_schema


def test_columns_that_repeat_have_a_dictionary(bronze: Bronze) -> None:
    largest = max(bronze.files, key=lambda path: pq.ParquetFile(path).metadata.num_rows)
    group = pq.ParquetFile(largest).metadata.row_group(0)
    columns = [group.column(ordinal) for ordinal in range(group.num_columns)]
    with_dictionary = {each.path_in_schema for each in columns if each.has_dictionary_page}
    with_zstd = {each.path_in_schema for each in columns if each.compression == "ZSTD"}
    assert {"event_id", "customer_id", "_source_line"} <= with_zstd
    assert {"store_id", "category", "product_id", "_source_object"} <= with_dictionary
    assert "event_id" not in with_dictionary


def test_statistics_bound_what_is_there(bronze: Bronze) -> None:
    for path in bronze.files:
        file = pq.ParquetFile(path)
        for group in range(file.metadata.num_row_groups):
            table = file.read_row_group(group)
            for ordinal, name in enumerate(table.column_names):
                statistics = file.metadata.row_group(group).column(ordinal).statistics
                values = [value for value in table.column(name).to_pylist() if value is not None]
                assert statistics.null_count == table.num_rows - len(values), name
                if values and statistics.has_min_max:
                    # Bounds may be wider than the values, never narrower.
                    assert statistics.min <= min(values), name
                    assert statistics.max >= max(values), name
