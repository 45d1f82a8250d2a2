"""What a lake holds, in a form in which two lakes can be compared."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
from medallion_glue.job import Report, Settings, run

Row = tuple[Any, ...]


@dataclass(frozen=True)
class Bronze:
    """The bronze and the quarantine of a lake, whoever wrote them."""

    #: Names and types of the columns.
    columns: list[tuple[str, str]]
    #: By object and line, with the partition.
    rows: list[Row]
    #: Whole records, by their bytes.
    records: list[bytes]
    #: Counts over all commits.
    counts: Counter[tuple[str, ...]]
    #: Of each consumed object checksum, lines, size and time.
    sources: dict[str, Row]


def bronze_of(lake: Path) -> Bronze:
    files = [str(path) for path in sorted(lake.glob("bronze/dt=*/*.parquet"))]
    columns: list[tuple[str, str]] = []
    rows: list[Row] = []
    if files:
        found = duckdb.sql(
            f"""
            SELECT * EXCLUDE (filename), regexp_extract(filename, 'dt=([0-9-]+)', 1) AS dt
            FROM read_parquet({files}, filename = true, hive_partitioning = false)
            ORDER BY _source_object, _source_line
            """
        )
        columns = [(name, str(kind)) for name, kind in zip(found.columns, found.types, strict=True)]
        rows = found.fetchall()
    records = [
        line
        for path in lake.glob("quarantine/dt=*/*.ndjson")
        for line in path.read_bytes().splitlines()
    ]
    counts: Counter[tuple[str, ...]] = Counter()
    sources: dict[str, Row] = {}
    for commit in commits_of(lake):
        for name, value in commit["counts"].items():
            if isinstance(value, int):
                counts[(name,)] += value
            else:
                counts.update({(name, key): count for key, count in value.items()})
        for source in commit["raw"]:
            assert source["key"] not in sources, "an object was consumed twice"
            sources[source["key"]] = tuple(
                source[name] for name in ("checksum", "lines", "size", "modified")
            )
    return Bronze(columns, rows, sorted(records), counts, sources)


def commits_of(lake: Path) -> list[dict[str, Any]]:
    """Every commit but the lake's identity, in order."""
    numbers = sorted(int(path.stem) for path in lake.glob("commits/*.json"))
    commits = [json.loads((lake / f"commits/{number}.json").read_text()) for number in numbers]
    assert numbers == list(range(len(numbers)))
    return commits[1:]


def assert_equal(one: Bronze, other: Bronze) -> None:
    """Value by value, record by record, count by count; says where the first difference is."""
    assert one.columns == other.columns
    different = [pair for pair in zip(one.rows, other.rows, strict=False) if pair[0] != pair[1]]
    assert not different, f"{len(different)} rows differ: {different[0]}"
    assert len(one.rows) == len(other.rows)
    assert one.records == other.records
    assert one.counts == other.counts
    assert one.sources == other.sources


def clean(spark: Any, lake: Path | str, schema: bytes, **settings: Any) -> Report:
    """One run of the job over everything that waits."""
    return run(spark, Settings(str(lake), "raw/", schema, **settings))
