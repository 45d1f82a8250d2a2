"""What status tells and verify proves is so, and what is not so is loud."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from command import Medallion
from template_lake import Template
from truth import (
    Truth,
    assert_whole,
    bronze_files,
    published_gold,
    quarantine_records,
    raw_objects,
    truth_of,
)

# MARK: what is told is so


def test_status_agrees_with_what_is_counted_apart_from_it(template: Template) -> None:
    truth = truth_of(template.lake, template.answer_key)
    status = template.status
    files = bronze_files(template.lake)
    assert status["raw"]["objects"] == truth.objects
    assert status["raw"]["lines"] == truth.lines
    assert status["raw"]["bytes"] == sum(len(text) for _, text in raw_objects(template.lake))
    assert (status["raw"]["ignored"], status["raw"]["changed"]) == (0, 0)
    assert status["blank"]["lines"] == truth.blank
    assert status["quarantine"] == {
        "lines": len(truth.quarantined),
        "reasons": truth.reasons,
        "pending": 0,
    }
    assert status["bronze"]["files"] == len(files)
    assert status["bronze"]["rows"] == len(truth.purchases)
    assert status["bronze"]["rescued"] == truth.rescued
    assert status["staging"]["rows"] == len(truth.purchases)
    assert status["silver"] == {
        "rows": len(truth.silver),
        "duplicates": truth.duplicates,
        "conflicts": truth.conflicts,
    }
    assert status["gold"]["transactions"] == len(truth.silver)
    assert Decimal(status["gold"]["revenue"]) == truth.revenue
    assert (status["pipe"]["pending"], status["parked"], status["troubles"]) == (0, 0, [])
    assert status["dbt"]["ok"] is True
    # All of these kinds were met, so none of the above compares nothing with nothing.
    assert truth.blank and truth.rescued and truth.duplicates and truth.conflicts
    assert len(truth.reasons) > 5


def test_what_waits_in_raw_is_told_before_bronze_has_seen_it(medallion: Medallion) -> None:
    for objects in (4, 8):
        medallion.run("simulate", "--events", 100, "--batch-size", 25)
        raw = medallion.status()["raw"]
        assert (raw["objects"], raw["waiting"]) == (objects - 4, 4)
        assert raw["lag_seconds"] >= 0
        assert f"lines in {objects - 4} objects, 4 waiting" in medallion.run("status").stdout
        medallion.run("bronze", "--once")
        raw = medallion.status()["raw"]
        assert (raw["objects"], raw["waiting"], raw["lag_seconds"]) == (objects, 0, None)


def test_freshness_is_the_age_of_the_newest_event_in_gold(
    settled: Medallion, template: Template
) -> None:
    newest = max(row.latest_ts for row in published_gold(template.lake).values())
    before = datetime.now(UTC)
    told = settled.status()["freshness_seconds"]
    after = datetime.now(UTC)
    newest = newest.replace(tzinfo=UTC)
    assert (before - newest).total_seconds() - 0.01 <= told
    assert told <= (after - newest).total_seconds() + 0.01


def test_the_lake_of_these_tests_is_whole(settled: Medallion, template: Template) -> None:
    truth = assert_whole(settled, template.answer_key)
    assert truth.lines > 800


def test_status_and_verify_as_text_tell_the_same_numbers(settled: Medallion) -> None:
    text = settled.run("status").stdout
    status = settled.status()
    rows = dict(re.findall(r"^ *(\w+) {2,}(\d+)  ", text, re.MULTILINE))
    assert {name: int(count) for name, count in rows.items()} == {
        "raw": status["raw"]["lines"],
        "blank": status["blank"]["lines"],
        "quarantine": status["quarantine"]["lines"],
        "bronze": status["bronze"]["rows"],
        "staging": status["staging"]["rows"],
        "silver": status["silver"]["rows"],
        "duplicates": status["silver"]["duplicates"],
        "conflicts": status["silver"]["conflicts"],
        "gold": status["gold"]["transactions"],
    }
    reasons = re.findall(r"^quarantined (\d+)  (\w+)$", text, re.MULTILINE)
    assert {name: int(count) for count, name in reasons} == status["quarantine"]["reasons"]
    rescued = re.findall(r"^rescued (\d+)  (\w+)$", text, re.MULTILINE)
    assert {name: int(count) for count, name in rescued} == status["bronze"]["rescued"]
    report = settled.verify()
    verdict = settled.run("verify", "--batches").stdout
    for check in report["checks"]:
        assert re.search(
            rf"^{re.escape(check['name'])} +{check['left']} +{check['right']} +ok$",
            verdict,
            re.MULTILINE,
        ), verdict


def test_the_checks_of_verify_are_the_equation(settled: Medallion, template: Template) -> None:
    truth = truth_of(template.lake, template.answer_key)
    report = settled.verify(deep=True)
    sides = {check["name"]: (check["left"], check["right"]) for check in report["checks"]}
    rows = len(truth.purchases)
    revenue = f"{truth.revenue:.2f}"
    expected: dict[str, Any] = {
        "raw lines = accepted + quarantined + blank": truth.lines,
        "quarantined = quarantine records": len(truth.quarantined),
        "accepted = bronze rows": rows,
        "bronze rows = staging rows": rows,
        "staging rows = silver + duplicates + conflicts": rows,
        "silver rows = gold transactions": len(truth.silver),
        "silver revenue = gold revenue": revenue,
    }
    assert {name: sides[name] for name in expected} == {
        name: (value, value) for name, value in expected.items()
    }
    for batch in report["batches"]:
        assert batch["lines"] == batch["accepted"] + batch["quarantined"] + batch["blank"]
        assert batch["accepted"] == batch["bronze_rows"] == batch["staging_rows"]
        assert batch["ok"] is True
    assert sum(batch["lines"] for batch in report["batches"]) == truth.lines


def test_verify_is_true_while_the_pipeline_runs(medallion: Medallion) -> None:
    running = medallion.start("run", "--for", "6s", "--rate", 3000, "--batch-size", 100)
    running.wait_for(lambda: (medallion.lake / "commits" / "1.json").exists(), "the first commit")
    verdicts = 0
    while running.is_running():
        report = medallion.verify(check=None)
        assert report["balanced"] is True, report["findings"]
        verdicts += 1
    assert running.wait().code == 0
    assert verdicts > 5
    assert medallion.verify(deep=True)["pending"] == 0


# MARK: the answer key


def test_verify_scores_quarantine_against_the_answer_key(
    settled: Medallion, template: Template
) -> None:
    truth = truth_of(template.lake, template.answer_key)
    report = settled.verify(answer_key=template.answer_key)
    score = report["answer_key"]
    assert counts(score) == (len(truth.quarantined), 0, 0, 0)
    assert score["perfect"] is True
    assert score["objects"] == truth.objects
    assert score["reasons"] == {
        reason: perfect_match(count) for reason, count in truth.reasons.items()
    }
    assert score["duplicates"] == perfect_match(truth.duplicates)
    assert score["conflicts"] == perfect_match(truth.conflicts)
    assert score["gold"] == {
        "rows": perfect_match(len(truth.gold)),
        "expected_revenue": str(truth.revenue),
        "found_revenue": str(truth.revenue),
    }


def counts(score: dict[str, int]) -> tuple[int, int, int, int]:
    return score["matched"], score["missed"], score["wrong_reason"], score["unexpected"]


def perfect_match(count: int) -> dict[str, float]:
    return {"expected": count, "found": count, "matched": count, "precision": 1, "recall": 1}


def test_a_wrong_answer_key_is_scored_to_the_line(
    settled: Medallion, template: Template, tmp_path: Path
) -> None:
    records = [json.loads(line) for line in template.answer_key.read_text().splitlines()]
    bad = [record for record in records if record["verdict"] == "quarantined"]
    assert len(bad) > 20
    # One that the key does not know, two for another reason, three that are not in quarantine.
    # Neither the first nor the last, between which the key claims to know everything.
    unknown, *others = bad[5:]
    for record in others[:2]:
        record["reason"] = "too_deep" if record["reason"] != "too_deep" else "missing_ts"
    accepted = [record for record in records if record["verdict"] == "accepted"][:3]
    for record in accepted:
        record.update(verdict="quarantined", reason="missing_ts")
    key = tmp_path / "wrong.ndjson"
    key.write_text("".join(json.dumps(each) + "\n" for each in records if each is not unknown))
    report = settled.verify(answer_key=key, check=1)
    assert report["balanced"] is False
    score = report["answer_key"]
    assert counts(score) == (len(bad) - 3, 3, 2, 1)
    assert score["perfect"] is False
    # The truth is untouched, and gold is right by it.
    assert score["gold"]["rows"]["precision"] == score["gold"]["rows"]["recall"] == 1


def test_a_truth_that_gold_does_not_hold_is_told_by_day_and_category(
    settled: Medallion, template: Template, tmp_path: Path
) -> None:
    records = [json.loads(line) for line in template.answer_key.read_text().splitlines()]
    changed = next(record for record in records if record["fault"] == "object")["true"][0]
    changed["revenue"] = str(Decimal(changed["revenue"]) + Decimal("0.01"))
    key = tmp_path / "wrong.ndjson"
    key.write_text("".join(json.dumps(each) + "\n" for each in records))
    report = settled.verify(answer_key=key, check=1)
    score = report["answer_key"]
    assert (counts(score)[1:], score["perfect"]) == ((0, 0, 0), False)
    gold = score["gold"]
    assert gold["rows"]["expected"] - gold["rows"]["matched"] == 1
    assert Decimal(gold["expected_revenue"]) - Decimal(gold["found_revenue"]) == Decimal("0.01")
    day, category = changed["day"], changed["category"]
    assert [each for each in report["findings"] if f"gold of {day}, {category}" in each]


@pytest.mark.parametrize("content", [None, b"no key\n", b'{"source_object": 1}\n'])
def test_an_answer_key_that_cannot_be_read_is_named(
    settled: Medallion, tmp_path: Path, content: bytes | None
) -> None:
    key = tmp_path / "key.ndjson"
    if content is not None:
        key.write_bytes(content)
    finished = settled.run("verify", "--answer-key", key, check=1)
    assert str(key) in finished.stderr
    assert len(finished.stderr.splitlines()) == 1


# MARK: what is not so is loud


def assert_loud(medallion: Medallion, name: str, *, deep: bool = False) -> None:
    """Verify says no, and names what is wrong; so does its text."""
    report = medallion.verify(deep=deep, check=1)
    assert report["balanced"] is False
    assert any(name in finding for finding in report["findings"]), report["findings"]
    flags = ["--deep"] if deep else []
    finished = medallion.run("verify", *flags, check=1)
    assert "NOT BALANCED" in finished.stdout
    assert name in finished.stdout


def flip(path: Path, at: float) -> None:
    """Changes one bit, and neither the file's size nor its times."""
    before = path.stat()
    content = bytearray(path.read_bytes())
    content[int(len(content) * at)] ^= 1
    path.write_bytes(bytes(content))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def change_warehouse(medallion: Medallion, *statements: str) -> None:
    with duckdb.connect() as connection:
        connection.execute(f"ATTACH '{medallion.warehouse}' AS retail")
        for statement in statements:
            connection.execute(statement)


def key_of(medallion: Medallion, path: Path) -> str:
    return path.relative_to(medallion.lake).as_posix()


def test_a_raw_object_that_is_gone_is_loud(settled: Medallion) -> None:
    path = sorted(settled.raw.rglob("*.json"))[0]
    path.unlink()
    assert_loud(settled, key_of(settled, path), deep=True)


def test_a_bronze_file_that_is_gone_is_loud(settled: Medallion) -> None:
    path = bronze_files(settled.lake)[0]
    path.unlink()
    assert_loud(settled, key_of(settled, path))


@pytest.mark.parametrize("at", [0.0, 0.5, 0.999])
def test_a_flipped_bit_in_a_bronze_file_is_loud(settled: Medallion, at: float) -> None:
    path = max(bronze_files(settled.lake), key=lambda each: each.stat().st_size)
    flip(path, at)
    assert_loud(settled, key_of(settled, path), deep=True)


def test_a_bronze_file_in_anothers_place_is_loud(settled: Medallion) -> None:
    first, second = bronze_files(settled.lake)[:2]
    shutil.copyfile(second, first)
    assert_loud(settled, key_of(settled, first), deep=True)


def quarantine_files(medallion: Medallion) -> list[Path]:
    return sorted(medallion.lake.glob("quarantine/*/*.ndjson"))


def test_a_quarantine_file_that_is_gone_is_loud(settled: Medallion) -> None:
    path = quarantine_files(settled)[0]
    path.unlink()
    assert_loud(settled, key_of(settled, path))


def test_a_record_taken_out_of_quarantine_is_loud(settled: Medallion) -> None:
    path = quarantine_files(settled)[0]
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[1:]))
    assert_loud(settled, "quarantine")


def test_a_flipped_bit_in_a_quarantine_file_is_loud(settled: Medallion) -> None:
    path = quarantine_files(settled)[0]
    flip(path, 0.5)
    assert_loud(settled, key_of(settled, path), deep=True)


def test_a_quarantine_file_that_is_no_json_is_told_and_not_choked_on(
    settled: Medallion, template: Template
) -> None:
    path = quarantine_files(settled)[0]
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"no record\n" + b"".join(lines[1:]))
    report = settled.verify(deep=True, answer_key=template.answer_key, check=1)
    assert any(key_of(settled, path) in finding for finding in report["findings"])


def test_a_commit_that_is_gone_is_loud(settled: Medallion) -> None:
    (settled.lake / "commits" / "1.json").unlink()
    finished = settled.run("verify", "--json", check=1)
    told = finished.stderr or " ".join(finished.json()["findings"])
    assert "commit" in told


@pytest.mark.parametrize(
    ("statement", "name"),
    [
        (
            "DELETE FROM retail.raw.raw_purchases_staging WHERE event_id = (SELECT min(event_id) "
            "FROM retail.silver.purchases_silver)",
            "bronze rows = staging rows",
        ),
        (
            "INSERT INTO retail.raw.raw_purchases_staging SELECT * FROM "
            "retail.raw.raw_purchases_staging LIMIT 1",
            "bronze rows = staging rows",
        ),
        (
            "DELETE FROM retail.raw.load_history WHERE load_seq = 1",
            "staging",
        ),
        (
            "DELETE FROM retail.silver.purchases_silver WHERE event_id = (SELECT min(event_id) "
            "FROM retail.silver.purchases_silver)",
            "staging rows = silver + duplicates + conflicts",
        ),
        (
            "UPDATE retail.silver.purchases_silver SET total_amount = total_amount + 0.01 "
            "WHERE event_id = (SELECT min(event_id) FROM retail.silver.purchases_silver)",
            "silver revenue = gold revenue",
        ),
        (
            "DELETE FROM retail.silver.purchase_losers_silver WHERE verdict = 'conflict'",
            "staging rows = silver + duplicates + conflicts",
        ),
        (
            "UPDATE retail.gold.purchases_gold SET revenue = revenue + 0.01 "
            "WHERE (day, category) = (SELECT (day, category) FROM retail.gold.purchases_gold "
            "ORDER BY day, category LIMIT 1)",
            "silver revenue = gold revenue",
        ),
        (
            "DELETE FROM retail.gold.purchases_gold WHERE day = (SELECT min(day) FROM "
            "retail.gold.purchases_gold)",
            "silver rows = gold transactions",
        ),
    ],
    ids=[
        *("staging row gone", "staging row twice", "history row gone", "silver row gone"),
        *("a cent more in silver", "losers gone", "a cent more in gold", "gold day gone"),
    ],
)
def test_a_change_in_the_warehouse_is_loud(settled: Medallion, statement: str, name: str) -> None:
    change_warehouse(settled, statement)
    assert_loud(settled, name)


def break_pointer(lake: Path) -> None:
    (lake / "gold" / "current.json").write_text("{")


def lose_pointer(lake: Path) -> None:
    (lake / "gold" / "current.json").unlink()


def lose_file(lake: Path) -> None:
    pointer = json.loads((lake / "gold" / "current.json").read_text())
    (lake / pointer["tables"]["purchases_gold"]["files"][0]).unlink()


def point_to_the_one_before(lake: Path) -> None:
    """The pointer names the snapshot before the last, whose files are still there."""
    path = lake / "gold" / "current.json"
    pointer = json.loads(path.read_text())
    (current,) = pointer["tables"]["purchases_gold"]["files"]
    (older,) = [
        each.relative_to(lake).as_posix()
        for each in sorted(lake.glob("gold/purchases_gold/*.parquet"))
        if each.relative_to(lake).as_posix() != current
    ]
    pointer["tables"]["purchases_gold"]["files"] = [older]
    path.write_text(json.dumps(pointer))


@pytest.mark.parametrize(
    "change", [break_pointer, lose_pointer, lose_file, point_to_the_one_before]
)
def test_published_gold_that_is_not_the_warehouses_is_loud(
    settled: Medallion, change: Callable[[Path], None]
) -> None:
    """It is what BI readers see, so it has to be part of the proof."""
    change(settled.lake)
    assert_loud(settled, "gold", deep=True)


def test_quarantine_has_the_very_lines(settled: Medallion, template: Template) -> None:
    truth: Truth = truth_of(template.lake, template.answer_key)
    texts = dict(raw_objects(template.lake))
    records = quarantine_records(settled)
    assert Counter(record["reason"] for record in records) == truth.reasons
    for record in records:
        text = texts[record["source_object"]]
        line = text[record["byte_offset"] :][: record["byte_length"]]
        if "raw" in record:
            assert record["raw"].encode() == line
        assert text[record["byte_offset"] + len(line) :][:1] in (b"\n", b"\r", b"")
        assert text[: record["byte_offset"]].count(b"\n") == record["line"] - 1
