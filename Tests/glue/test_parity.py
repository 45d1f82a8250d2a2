"""The job and the Swift engine, side by side and taking turns: every row, value and reason."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from command import Medallion
from comparison import assert_equal, bronze_of, clean, commits_of
from conftest import SCHEMA
from medallion_glue.contract import Contract
from servers import BUCKET
from test_verdict import mutations, read_corpus

#: Every fault that the simulator knows, often.
FAULTS = "all=0.02"
EVENTS = 200_000

NewMedallion = Callable[[str], Medallion]


def twin(medallion: Medallion, new_medallion: NewMedallion, name: str = "twin") -> Medallion:
    """Another lake with the same raw objects, sizes and times."""
    other = new_medallion(name)
    shutil.copytree(medallion.raw, other.raw)
    return other


def test_the_corpus_and_spoiled_lines_become_the_same(
    spark: Any, new_medallion: NewMedallion
) -> None:
    swift = new_medallion("swift")
    directory = swift.raw / "yyyy=2026/mm=11/dd=23/HH=17"
    directory.mkdir(parents=True)
    cases = read_corpus()
    assert len(cases) == 292
    (directory / "corpus.json").write_bytes(b"".join(line + b"\n" for _, line in cases))
    (directory / "spoiled.json").write_bytes(mutations(99, 4000))
    # A key without an arrival, with what JSON has to escape, and not all of it ASCII.
    (swift.raw / 'a "new" naïve name.json').write_bytes(mutations(100, 500))
    (swift.raw / "ignored.csv").write_bytes(b"1,2\n")
    glue = twin(swift, new_medallion)
    swift.run("bronze", "--once")
    report = clean(spark, glue.lake, SCHEMA.read_bytes())
    assert_equal(bronze_of(glue.lake), bronze_of(swift.lake))
    assert report.raw_objects == 3
    assert report.counts.lines == sum(commit["counts"]["lines"] for commit in swift.commits())
    # What the job quarantined is judged again like anything else, and the job goes on after it.
    schema = json.loads(SCHEMA.read_text())
    schema["properties"]["ts"]["formatMinimum"] = "1990-01-01T00:00:00Z"
    earlier = swift.scratch / "earlier.json"
    earlier.write_text(json.dumps(schema))
    redriven = [each.run("redrive", "--json", "--contract", earlier) for each in (swift, glue)]
    assert redriven[0].json() == redriven[1].json()
    assert redriven[1].json()["accepted"] > 0
    assert clean(spark, glue.lake, SCHEMA.read_bytes()).commits == []
    assert_equal(bronze_of(glue.lake), bronze_of(swift.lake))


def test_a_changed_contract_becomes_the_same(spark: Any, new_medallion: NewMedallion) -> None:
    schema = json.loads(SCHEMA.read_text())
    fields = schema["properties"]
    fields["coupon"] = {"type": ["string", "null"], "x-max-bytes": 1}
    fields["quantity"] = {"type": "integer", "exclusiveMinimum": 1}
    fields["price"] = {"type": "number", "exclusiveMinimum": 0, "maximum": 3}
    fields["paid"] = {"type": "boolean"}
    fields["delivered_at"] = {"type": "string", "format": "date-time"}
    fields["ts"]["formatMinimum"] = "1999-12-31T00:00:00Z"
    swift = new_medallion("swift")
    swift.raw.mkdir(parents=True)
    contract = swift.raw.parent.parent / "schema.json"
    contract.write_text(json.dumps(schema))
    extra = [
        ', "paid": true, "delivered_at": "0001-01-01T00:00:00Z", "quantity": 9223372036854775807}',
        ', "paid": "true", "delivered_at": "0000-12-31T23:59:59Z", "quantity": 1e18}',
        ', "paid": null, "delivered_at": "9999-12-31T23:59:59.9999999-23:59", "quantity": "2"}',
        ', "paid": false, "delivered_at": "2026-02-30T00:00:00Z", "quantity": 9223372036854775808}',
        ', "delivered_at": "1969-12-31T23:59:59.000001Z", "quantity": 9007199254740993}',
    ]
    start = '{"event_id": "x", "ts": "2026-11-20T13:45:10Z"'
    lines = [f"{start}{each}\n" for each in extra * 30]
    (swift.raw / "x.json").write_bytes("".join(lines).encode() + mutations(5, 2000))
    glue = twin(swift, new_medallion)
    swift.run("bronze", "--once", "--contract", contract)
    clean(spark, glue.lake, contract.read_bytes())
    assert_equal(bronze_of(glue.lake), bronze_of(swift.lake))
    assert commits_of(glue.lake)[0]["contract"] == swift.commits()[0]["contract"]


def test_simulated_lines_with_every_fault_become_the_same_and_the_engines_take_turns(
    spark: Any, new_medallion: NewMedallion
) -> None:
    schema = SCHEMA.read_bytes()
    shared = new_medallion("shared")
    answers = shared.scratch / "answers.ndjson"
    shared.scratch.mkdir()

    def simulate(seed: int, events: int) -> None:
        shared.run(
            *("simulate", "--events", events, "--batch-size", 5000, "--seed", seed),
            *("--faults", FAULTS, "--answer-key", answers, "--from", f"2026-10-0{seed}"),
            *("--until", f"2026-10-0{seed + 3}"),
        )

    simulate(1, EVENTS // 2)
    first = clean(spark, shared.lake, schema)
    assert first.commits == [1]
    simulate(2, EVENTS // 4)
    shared.run("bronze", "--once")
    simulate(3, EVENTS // 4)
    third = clean(spark, shared.lake, schema)
    assert third.commits == [len(shared.commits())]
    assert clean(spark, shared.lake, schema).commits == []
    shared.run("bronze", "--once")

    engines = [commit["engine"].split()[0] for commit in shared.commits()]
    assert [engine for engine, _ in groupby(engines)] == [
        *("medallion-glue", "medallion", "medallion-glue")
    ]
    together = bronze_of(shared.lake)
    assert len(together.rows) > 0.7 * EVENTS

    swift = twin(shared, new_medallion, "swift")
    swift.run("bronze", "--once")
    assert_equal(together, bronze_of(swift.lake))
    reasons = {key[1] for key in together.counts if key[0] == "quarantined"}
    assert len(reasons) == 11

    shared.run("ingest", "--once")
    shared.run("transform", within=180)
    verified = shared.verify(deep=True, answer_key=answers, within=180)
    assert verified["balanced"], verified["findings"]
    assert verified["pending"] == 0
    assert verified["answer_key"]["perfect"]


def test_files_are_what_the_formats_first_version_allows(
    spark: Any, new_medallion: NewMedallion, contract: Contract
) -> None:
    swift = new_medallion("swift")
    swift.run("simulate", "--events", 5000, "--seed", 4, "--faults", "rescue=0.1,late=0.2")
    glue = twin(swift, new_medallion)
    swift.run("bronze", "--once")
    clean(spark, glue.lake, SCHEMA.read_bytes())
    theirs = pq.ParquetFile(next(swift.lake.glob("bronze/*/*.parquet")))
    for path in glue.lake.glob("bronze/*/*.parquet"):
        ours = pq.ParquetFile(path)
        assert ours.schema.equals(theirs.schema)
        assert ours.metadata.format_version == "1.0"
        assert ours.metadata.metadata is None
        for group in range(ours.metadata.num_row_groups):
            for index in range(ours.metadata.num_columns):
                column = ours.metadata.row_group(group).column(index)
                assert column.compression == "ZSTD"
                assert set(column.encodings) <= {"PLAIN", "PLAIN_DICTIONARY", "RLE"}
                assert column.statistics.null_count is not None
    # Spark reads what its tasks wrote with Arrow.
    read = spark.read.parquet(str(glue.lake / "bronze"))
    assert read.count() == len(bronze_of(glue.lake).rows)
    assert dict(read.dtypes)["ts"] == "timestamp"


def test_a_lake_moves_from_the_machine_to_a_bucket_and_back(
    spark: Any, s3: Any, new_medallion: NewMedallion
) -> None:
    schema = SCHEMA.read_bytes()
    medallion = new_medallion("lake")
    simulate = ("simulate", "--events", 2000, "--batch-size", 100, "--faults", FAULTS, "--seed")
    medallion.run(*simulate, 6)
    medallion.run("bronze", "--once")
    medallion.run(*simulate, 7)
    for path in sorted(medallion.lake.glob("*/**/*")):
        if path.is_file():
            s3.upload_file(str(path), BUCKET, f"moved/{path.relative_to(medallion.lake)}")
    report = clean(spark, f"s3://{BUCKET}/moved", schema)
    assert report.commits == [len(medallion.commits()) + 1]
    assert report.raw_objects == 20
    assert report.changed == []
    assert clean(spark, f"s3://{BUCKET}/moved", schema).commits == []

    back = new_medallion("back")
    left: list[str] = []
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix="moved/"):
        for entry in page["Contents"]:
            target = back.lake / entry["Key"].removeprefix("moved/")
            target.parent.mkdir(parents=True, exist_ok=True)
            s3.download_file(BUCKET, entry["Key"], str(target))
            left += [entry["Key"]] if entry["Key"].startswith("moved/tmp/") else []
    assert left == []
    back.run("bronze", "--once")
    back.run("ingest", "--once")
    verified = back.verify(deep=True)
    assert verified["balanced"], verified["findings"]
    assert len(back.commits()) == len(medallion.commits()) + 1

    alone = twin(medallion, new_medallion)
    alone.run("bronze", "--once")
    ours, theirs = bronze_of(back.lake), bronze_of(alone.lake)
    assert ours.rows == theirs.rows
    assert ours.records == theirs.records
    assert ours.counts == theirs.counts


def test_the_engines_take_turns_in_a_bucket(
    spark: Any, s3: Any, new_medallion: NewMedallion
) -> None:
    schema = SCHEMA.read_bytes()
    place = f"s3://{BUCKET}/turns"
    host = replace(new_medallion("host"), place=place, state=new_medallion("state").lake)

    def simulate(seed: int) -> None:
        simulate = ("simulate", "--events", 1000, "--batch-size", 100, "--seed", seed)
        host.run(*simulate, "--faults", FAULTS)

    simulate(1)
    assert clean(spark, place, schema).raw_objects == 10
    simulate(2)
    host.run("bronze", "--once")
    simulate(3)
    assert clean(spark, place, schema).raw_objects == 10
    assert clean(spark, place, schema).commits == []
    host.run("bronze", "--once")
    host.run("ingest", "--once")
    verified = host.verify(deep=True)
    assert verified["balanced"], verified["findings"]
    assert len(verified["batches"]) == 3
    assert sum(batch["lines"] for batch in verified["batches"]) >= 3000
    raw = host.status()["raw"]
    assert [raw[name] for name in ("objects", "waiting", "changed", "ignored")] == [30, 0, 0, 0]


@pytest.mark.parametrize("file_bytes", [20_000])
def test_a_file_is_ended_at_its_size(
    spark: Any, new_medallion: NewMedallion, file_bytes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    medallion = new_medallion("lake")
    medallion.run("simulate", "--events", 300_000, "--batch-size", 300_000, "--seed", 8)
    clean(spark, medallion.lake, SCHEMA.read_bytes(), file_bytes=file_bytes)
    files = [file for commit in commits_of(medallion.lake) for file in commit["bronze"]]
    assert len(files) == 3
    assert all(Path(medallion.lake, file["key"]).stat().st_size == file["size"] for file in files)
    assert sum(file["rows"] for file in files) == 300_000
