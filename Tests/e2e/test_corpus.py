"""Every judged line of the corpus goes through the command as one raw object and is read back."""

from __future__ import annotations

import base64
import hashlib
import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest
from command import REPOSITORY, Medallion
from truth import bronze_files, quarantine_records

CORPUS = REPOSITORY / "contract" / "corpus" / "purchase_lines.jsonl"
KEY = "raw/yyyy=2026/mm=11/dd=23/HH=17/corpus.json"
FIELDS = [
    *("event_id", "ts", "store_id", "customer_id", "product_id", "category"),
    *("price", "quantity", "total_amount"),
]
#: How much of a line that is too long its record keeps.
KEPT_OF_TOO_LONG = 64 << 10

Row = dict[str, Any]


@dataclass(frozen=True)
class Case:
    """A line of the corpus, and what must become of it."""

    name: str
    text: bytes
    verdict: str
    expected: dict[str, Any]

    @staticmethod
    def read(line: str) -> Case:
        case = json.loads(line)
        if "line" in case:
            text = case["line"].encode()
        elif "line_base64" in case:
            text = base64.b64decode(case["line_base64"])
        else:
            text = zlib.decompress(base64.b64decode(case["line_zlib_base64"]))
        return Case(case["name"], text, case["verdict"], case)


def read_cases() -> list[Case]:
    with CORPUS.open() as file:
        return [Case.read(line) for line in file]


@dataclass(frozen=True)
class Consumed:
    """The corpus after bronze."""

    medallion: Medallion
    cases: list[Case]
    #: Where each line begins in the object.
    offsets: list[int]
    #: The rows as each reader gives them, by line.
    by_pyarrow: dict[int, Row]
    by_duckdb: dict[int, Row]
    records: dict[int, Row]


@pytest.fixture(scope="module")
def consumed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Consumed]:
    directory = tmp_path_factory.mktemp("corpus")
    medallion = Medallion(directory / "lake", scratch=directory / "commands")
    cases = read_cases()
    path = medallion.lake / KEY
    path.parent.mkdir(parents=True)
    path.write_bytes(b"".join(case.text + b"\n" for case in cases))
    offsets = [0]
    for case in cases:
        offsets.append(offsets[-1] + len(case.text) + 1)
    medallion.run("bronze", "--once")
    records = quarantine_records(medallion)
    yield Consumed(
        medallion,
        cases,
        offsets,
        by_pyarrow=rows_by_pyarrow(bronze_files(medallion.lake)),
        by_duckdb=rows_by_duckdb(bronze_files(medallion.lake)),
        records={record["line"]: record for record in records},
    )
    medallion.end()


def rows_by_pyarrow(paths: list[Path]) -> dict[int, Row]:
    rows: dict[int, Row] = {}
    for path in paths:
        for row in pq.ParquetFile(path).read().to_pylist():
            assert row["_source_line"] not in rows
            rows[row["_source_line"]] = {**row, "dt": partition(path)}
    return rows


def rows_by_duckdb(paths: list[Path]) -> dict[int, Row]:
    rows: dict[int, Row] = {}
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        for path in paths:
            # Not as TIMESTAMPTZ, which Python's DuckDB gives only with a package for zones.
            result = connection.execute(
                "SELECT * REPLACE (ts AT TIME ZONE 'UTC' AS ts) "
                "FROM read_parquet($1, hive_partitioning = false)",
                [str(path)],
            )
            names = [column[0] for column in result.description or []]
            for values in result.fetchall():
                row = dict(zip(names, values, strict=True))
                row["ts"] = row["ts"].replace(tzinfo=UTC)
                rows[row["_source_line"]] = {**row, "dt": partition(path)}
    return rows


def partition(path: Path) -> str:
    return path.parent.name.removeprefix("dt=")


def expected_row(case: Case, line: int) -> Row:
    row: Row = dict.fromkeys(FIELDS)
    row.update({name: case.expected["row"].get(name) for name in FIELDS})
    row["ts"] = datetime.fromisoformat(row["ts"].replace("Z", "+00:00"))
    for name in ("price", "total_amount"):
        row[name] = None if row[name] is None else float(row[name])
    row |= {
        "_rescued_data": case.expected["row"].get("_rescued_data"),
        "_source_object": KEY,
        "_source_line": line,
        "dt": case.expected["row"]["dt"],
    }
    return row


def test_the_corpus_has_all_its_lines(consumed: Consumed) -> None:
    assert len(consumed.cases) >= 292
    assert all(b"\n" not in case.text for case in consumed.cases)
    assert {case.verdict for case in consumed.cases} == {"accepted", "quarantined", "blank"}


def test_each_line_is_where_its_verdict_says(consumed: Consumed) -> None:
    where = {
        number: "accepted"
        if number in consumed.by_pyarrow
        else "quarantined"
        if number in consumed.records
        else "blank"
        for number in range(1, len(consumed.cases) + 1)
    }
    expected = {number: case.verdict for number, case in enumerate(consumed.cases, start=1)}
    assert where == expected
    assert not set(consumed.by_pyarrow) & set(consumed.records)
    assert consumed.medallion.status()["blank"]["lines"] == list(expected.values()).count("blank")


@pytest.mark.parametrize("reader", ["by_pyarrow", "by_duckdb"])
def test_each_accepted_line_has_the_row_that_the_contract_gives_it(
    consumed: Consumed, reader: str
) -> None:
    rows: dict[int, Row] = getattr(consumed, reader)
    wrong: list[tuple[str, str, object, object]] = []
    seen = 0
    for number, case in enumerate(consumed.cases, start=1):
        if case.verdict != "accepted":
            continue
        row, expected = rows[number], expected_row(case, number)
        if "rescued_sha256" in case.expected:
            rescued = row["_rescued_data"]
            digest = hashlib.sha256(rescued.encode()).hexdigest()
            assert digest == case.expected["rescued_sha256"], case.name
            expected["_rescued_data"] = rescued
        assert row.keys() == expected.keys(), case.name
        wrong += [
            (case.name, name, row[name], value)
            for name, value in expected.items()
            # The kind counts, too: 3 is no 3.0 and True is no 1.
            if row[name] != value or type(row[name]) is not type(value)
        ]
        seen += 1
    assert wrong == []
    assert seen == len(rows)


def test_each_quarantined_line_has_its_reason_place_and_very_bytes(consumed: Consumed) -> None:
    seen = 0
    for number, case in enumerate(consumed.cases, start=1):
        if case.verdict != "quarantined":
            continue
        record = consumed.records[number]
        assert record["reason"] == case.expected["reason"], case.name
        assert (record["source_object"], record["line"]) == (KEY, number), case.name
        # The carriage return before the line feed belongs to the line's end.
        text = case.text.removesuffix(b"\r")
        assert record["byte_offset"] == consumed.offsets[number - 1], case.name
        assert record["byte_length"] == len(text), case.name
        assert ("raw" in record) != ("raw_base64" in record), case.name
        assert set(record) - {"raw", "raw_base64"} == {
            *("reason", "source_object", "line", "byte_offset", "byte_length"),
        }
        kept = text[:KEPT_OF_TOO_LONG] if record["reason"] == "line_too_long" else text
        if "raw" in record:
            assert record["raw"].encode() == kept, case.name
        else:
            assert base64.b64decode(record["raw_base64"], validate=True) == kept, case.name
            with pytest.raises(UnicodeDecodeError):
                kept.decode()
        seen += 1
    assert seen == len(consumed.records)


def test_quarantine_stands_under_the_day_of_arrival_and_bronze_under_that_of_the_event(
    consumed: Consumed,
) -> None:
    lake = consumed.medallion.lake
    assert [path.parent.name for path in lake.glob("quarantine/*/*")] == ["dt=2026-11-23"]
    for row in consumed.by_pyarrow.values():
        assert row["dt"] == str(row["ts"].date())
        assert date(2000, 1, 1) <= row["ts"].date() < date(2100, 1, 1)


def test_the_corpus_balances(consumed: Consumed) -> None:
    consumed.medallion.run("ingest", "--once")
    report = consumed.medallion.verify(deep=True)
    assert report["balanced"] is True
    reasons: dict[str, int] = {}
    for case in consumed.cases:
        if case.verdict == "quarantined":
            reasons[case.expected["reason"]] = reasons.get(case.expected["reason"], 0) + 1
    assert consumed.medallion.status()["quarantine"]["reasons"] == reasons
