"""What the pipe loads beside purchases: the quarantined lines in force, and the dimensions."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest
from command import Medallion
from template_lake import Template
from truth import QUARANTINE_MEMBERS, assert_same, quarantine_records

QUARANTINE_CHECK = "quarantine records = quarantine staging rows"


def query(medallion: Medallion, sql: str) -> list[tuple[Any, ...]]:
    with duckdb.connect() as connection:
        path = str(medallion.warehouse).replace("'", "''")
        connection.execute(f"ATTACH '{path}' AS retail (READ_ONLY)")
        return connection.execute(sql).fetchall()


def assert_quarantine_in_force(medallion: Medallion) -> None:
    """The warehouse holds each record of the files in force once, and no other."""
    members = ", ".join(QUARANTINE_MEMBERS)
    rows = query(medallion, f"SELECT {members} FROM retail.raw.raw_quarantine_staging")
    records = Counter(
        tuple(record.get(member) for member in QUARANTINE_MEMBERS)
        for record in quarantine_records(medallion)
    )
    assert records
    assert_same(Counter(rows), records, "quarantine")


def longer_ids(path: Path, home: Path) -> Path:
    """The contract with event ids of up to 300 bytes."""
    text = (home / "contract" / "purchase_event.schema.json").read_text()
    assert text.count("256") >= 2
    path.write_text(text.replace(": 256", ": 300"))
    return path


@pytest.fixture
def quarantined(medallion: Medallion) -> Medallion:
    """A lake with some lines that only a later contract takes, up to the warehouse."""
    medallion.run(
        *("simulate", "--events", 400, "--seed", 5),
        *("--faults", "invalid_event_id=0.2,corrupt=0.1"),
    )
    medallion.run("bronze", "--once")
    medallion.run("ingest", "--once")
    assert_quarantine_in_force(medallion)
    return medallion


# MARK: quarantine


def test_what_a_redrive_supersedes_is_pending_until_the_pipe_takes_it_in(
    quarantined: Medallion, tmp_path: Path
) -> None:
    before = quarantined.status()["quarantine"]
    assert before["pending"] == 0
    contract = longer_ids(tmp_path / "longer.json", quarantined.home)
    accepted = quarantined.run("redrive", "--json", "--contract", contract).json()["accepted"]
    after = quarantined.status()["quarantine"]
    assert before["lines"] - after["lines"] == accepted > 0
    # One file to come, one to go; neither is an imbalance.
    assert after["pending"] == 2
    report = quarantined.verify(deep=True)
    assert report["balanced"] is True
    assert report["waiting"]["quarantine_rows"] == before["lines"] + after["lines"]
    told = quarantined.run("ingest", "--once", "--contract", contract).stdout
    assert told == f"{accepted} rows loaded, {after['lines']} quarantined lines\n"
    assert_quarantine_in_force(quarantined)
    report = quarantined.verify(deep=True)
    assert (
        report["waiting"]["quarantine_rows"] == quarantined.status()["quarantine"]["pending"] == 0
    )
    (check,) = [check for check in report["checks"] if check["name"] == QUARANTINE_CHECK]
    assert check["left"] == check["right"] == after["lines"]


@pytest.mark.parametrize("point", ["before-quarantine-load", "after-quarantine-load"])
def test_a_redrive_that_a_kill_kept_out_of_the_warehouse_gets_there_once(
    quarantined: Medallion, tmp_path: Path, point: str
) -> None:
    contract = longer_ids(tmp_path / "longer.json", quarantined.home)
    quarantined.run("redrive", "--contract", contract)
    quarantined.crash("ingest", "--once", "--contract", contract, at=point)
    assert quarantined.verify(deep=True)["balanced"] is True
    quarantined.run("ingest", "--once", "--contract", contract)
    assert_quarantine_in_force(quarantined)
    report = quarantined.verify(deep=True)
    assert (report["balanced"], report["waiting"]["quarantine_rows"]) == (True, 0)


def test_a_warehouse_of_an_older_build_takes_in_what_was_quarantined_before(
    settled: Medallion,
) -> None:
    with duckdb.connect() as connection:
        connection.execute(f"ATTACH '{settled.warehouse}' AS retail")
        for table in ("raw_quarantine_staging", "quarantine_history"):
            connection.execute(f"DROP TABLE retail.raw.{table}")
    report = settled.verify()
    assert report["balanced"] is True
    assert report["waiting"]["quarantine_rows"] == settled.status()["quarantine"]["lines"] > 0
    settled.run("ingest", "--once")
    assert_quarantine_in_force(settled)
    assert settled.verify()["pending"] == 0


def test_a_quarantine_file_with_other_bytes_than_committed_is_parked_and_loaded_once_mended(
    medallion: Medallion,
) -> None:
    medallion.run("simulate", "--events", 200, "--seed", 5, "--faults", "corrupt=0.2")
    medallion.run("bronze", "--once")
    (path,) = (medallion.lake / "quarantine").rglob("*.ndjson")
    good = path.read_bytes()
    path.write_bytes(good.replace(b"malformed_json", b"malformed_jsou", 1))
    finished = medallion.run("ingest", "--once", check=1)
    assert finished.stdout == f"{medallion.status()['bronze']['rows']} rows loaded\n"
    key = path.relative_to(medallion.lake).as_posix()
    assert f"pipe: {key} is not what commit 1 made" in finished.stderr
    assert query(medallion, "SELECT count(*) FROM retail.raw.raw_quarantine_staging") == [(0,)]
    assert medallion.verify(check=1)["balanced"] is False
    path.write_bytes(good)
    medallion.run("ingest", "--once")
    assert_quarantine_in_force(medallion)
    assert medallion.verify(deep=True)["balanced"] is True


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM retail.raw.raw_quarantine_staging WHERE line = "
        "(SELECT min(line) FROM retail.raw.raw_quarantine_staging)",
        "INSERT INTO retail.raw.raw_quarantine_staging "
        "SELECT * FROM retail.raw.raw_quarantine_staging LIMIT 1",
        "UPDATE retail.raw.raw_quarantine_staging SET _quarantine_file = 'quarantine/other'",
        "DELETE FROM retail.raw.quarantine_history",
    ],
)
def test_quarantine_in_the_warehouse_that_is_not_that_of_the_lake_is_named(
    settled: Medallion, statement: str
) -> None:
    with duckdb.connect() as connection:
        connection.execute(f"ATTACH '{settled.warehouse}' AS retail")
        connection.execute(statement)
    report = settled.verify(check=1)
    assert report["balanced"] is False
    assert any(QUARANTINE_CHECK in finding for finding in report["findings"])
    named = ("quarantine/", "rows without a quarantine history")
    assert any(finding.startswith(named) for finding in report["findings"])


# MARK: dimensions


PRODUCTS = "product_id,name,category,price,valid_from\nP1,Lamp,home,12.50,2026-01-01T00:00:00Z\n"


def write_products(medallion: Medallion, text: str) -> None:
    """As a person copies a file in: not in one step."""
    directory = medallion.lake / "dimensions"
    directory.mkdir(exist_ok=True)
    (directory / "products.csv").write_text(text)


def products(medallion: Medallion) -> list[tuple[Any, ...]]:
    return query(
        medallion,
        "SELECT product_id, CAST(price AS VARCHAR) FROM retail.raw.raw_products ORDER BY ALL",
    )


def test_the_retail_worlds_dimensions_are_loaded_whole(medallion: Medallion) -> None:
    medallion.run(
        *("simulate", "--world", "retail", "--events", 50, "--seed", 1),
        *("--from", "2026-03-01T00:00:00Z", "--until", "2026-03-02T00:00:00Z"),
    )
    medallion.run("bronze", "--once")
    assert medallion.run("ingest", "--once").stdout.endswith("3 dimension files\n")
    for name in ("products", "stores", "customer_identities"):
        text = (medallion.lake / "dimensions" / f"{name}.csv").read_text()
        (rows,) = query(medallion, f"SELECT count(*) FROM retail.raw.raw_{name}")
        assert rows[0] == len(text.splitlines()) - 1 > 0
    assert medallion.run("ingest", "--once").stdout == "0 rows loaded\n"


def test_a_dimension_file_that_changes_breaks_and_vanishes(settled: Medallion) -> None:
    write_products(settled, PRODUCTS)
    assert settled.run("ingest", "--once").stdout == "0 rows loaded, 1 dimension file\n"
    assert products(settled) == [("P1", "12.50")]
    write_products(settled, PRODUCTS + "P2,Chair,home,99,2026-01-01T00:00:00Z\n")
    settled.run("ingest", "--once")
    assert products(settled) == [("P1", "12.50"), ("P2", "99.00")]

    write_products(settled, PRODUCTS + "P3,Desk,home,dear,2026-01-01T00:00:00Z\n")
    finished = settled.run("ingest", "--once", check=1)
    sentence = (
        "in row 2 below its header price is not an amount; retail.raw.raw_products stays as it was"
    )
    assert f"dimension: dimensions/products.csv {sentence}" in finished.stderr
    assert "dear" not in finished.stderr
    assert products(settled) == [("P1", "12.50"), ("P2", "99.00")]
    assert settled.status()["troubles"] == [
        {"key": "dimensions/products.csv", "reason": sentence, "stage": "dimension"}
    ]
    # No line is missing, so the equation stands.
    assert settled.verify()["balanced"] is True

    (settled.lake / "dimensions" / "products.csv").unlink()
    settled.run("ingest", "--once")
    assert products(settled) == [("P1", "12.50"), ("P2", "99.00")]
    assert settled.status()["troubles"] == []


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_a_dimension_file_that_may_not_be_read_is_told_of_until_it_may(settled: Medallion) -> None:
    write_products(settled, PRODUCTS)
    path = settled.lake / "dimensions" / "products.csv"
    path.chmod(0)
    finished = settled.run("ingest", "--once", check=1)
    assert "give this user the right to it" in finished.stderr
    path.chmod(0o644)
    settled.run("ingest", "--once")
    assert products(settled) == [("P1", "12.50")]


def test_a_dimensions_directory_that_is_a_file_stops_nothing(settled: Medallion) -> None:
    (settled.lake / "dimensions").write_text("not a directory")
    settled.run("simulate", "--events", 10)
    settled.run("bronze", "--once")
    finished = settled.run("ingest", "--once", check=None)
    assert finished.stdout.startswith("10 rows loaded")


def test_a_running_pipeline_takes_in_a_dimension_file_and_survives_a_broken_one(
    medallion: Medallion,
) -> None:
    medallion.run("simulate", "--events", 5)
    write_products(medallion, PRODUCTS)
    running = medallion.start("run", "--world", "plain", "--rate", 100, "--faults", "none")
    running.wait_for(lambda: medallion.status()["gold"]["transactions"], "first gold")
    write_products(medallion, "nonsense\n")
    running.wait_for(lambda: medallion.status()["troubles"], "the broken file is told of")
    rows = medallion.status()["staging"]["rows"]
    running.wait_for(lambda: medallion.status()["staging"]["rows"] > rows, "loads go on")
    write_products(medallion, PRODUCTS.replace("12.50", "13.00"))
    running.wait_for(lambda: not medallion.status()["troubles"], "the mend is seen")
    finished = running.stop()
    assert finished.code == 0, str(finished)
    assert products(medallion) == [("P1", "13.00")]


@pytest.mark.parametrize("point", ["before-dimension-load", "after-dimension-load"])
def test_a_kill_as_a_dimension_is_loaded_leaves_the_old_table_or_the_new(
    settled: Medallion, template: Template, point: str
) -> None:
    write_products(settled, PRODUCTS)
    settled.run("ingest", "--once")
    write_products(settled, PRODUCTS.replace("12.50", "13.00"))
    settled.crash("ingest", "--once", at=point)
    expected = "12.50" if point.startswith("before") else "13.00"
    assert products(settled) == [("P1", expected)]
    settled.run("ingest", "--once")
    assert products(settled) == [("P1", "13.00")]
    assert settled.verify()["balanced"] is True


def test_a_lake_whose_path_looks_like_a_pattern_or_a_quotation_is_loaded(
    new_medallion: Callable[[str], Medallion],
) -> None:
    medallion = new_medallion("a lake's [ab]*{1} place")
    medallion.run("simulate", "--events", 100, "--seed", 5, "--faults", "corrupt=0.2")
    write_products(medallion, PRODUCTS)
    medallion.run("bronze", "--once")
    medallion.run("ingest", "--once")
    assert products(medallion) == [("P1", "12.50")]
    assert_quarantine_in_force(medallion)
