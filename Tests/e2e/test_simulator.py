"""The simulator: its worlds, its clock, going on where it was, and the score of its answer key."""

from __future__ import annotations

import csv
import json
import random
import re
import signal
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from command import Medallion
from truth import assert_whole, raw_lines, raw_objects
from waiting import wait_until

WEEK = ("--from", "2026-11-01", "--until", "2026-11-08")
ALL = "all=0.4,line_too_long=0.0005,truncated=0.3"


def tree(medallion: Medallion, *folders: str) -> dict[str, bytes]:
    return {
        path.relative_to(medallion.lake).as_posix(): path.read_bytes()
        for folder in folders
        for path in (medallion.lake / folder).rglob("*")
        if path.is_file()
    }


def events(medallion: Medallion) -> list[dict[str, Any]]:
    return [json.loads(line) for _, text in raw_objects(medallion.lake) for line in raw_lines(text)]


def raw_count(medallion: Medallion) -> int:
    return sum(path.is_file() for path in medallion.raw.rglob("*"))


def has_objects(count: int, medallion: Medallion) -> bool:
    return raw_count(medallion) >= count


#: What some seconds of a run at full rate put: dbt, which is slow to start, is at work by then.
MOST_OBJECTS_BEFORE_A_KILL = 20


def table(medallion: Medallion, name: str) -> list[dict[str, str]]:
    with (medallion.lake / "dimensions" / f"{name}.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def records(answers: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in answers.read_text().splitlines()]


def assert_score(medallion: Medallion, answers: Path) -> Any:
    """The score is 1.000 throughout, with nothing left to compare."""
    score = medallion.verify(answer_key=answers)["answer_key"]
    assert score["perfect"] is True
    for match in [
        *score["reasons"].values(),
        score["duplicates"],
        score["conflicts"],
        score["gold"]["rows"],
    ]:
        assert match["expected"] == match["found"] == match["matched"]
    assert score["gold"]["expected_revenue"] == score["gold"]["found_revenue"]
    return score


# MARK: worlds


@pytest.mark.parametrize("pace", [("--rate", 0.02), ("--events", 9000), ("--step", "1h")])
def test_a_seed_and_a_clock_make_one_retail_world(
    new_medallion: Callable[[str], Medallion], tmp_path: Path, pace: tuple[str | float, ...]
) -> None:
    if pace[0] == "--step":
        pace = (*pace, "--rate", 0.02)

    def make(name: str, seed: int, zone: str) -> dict[str, bytes]:
        medallion = new_medallion(name)
        medallion.run(
            *("simulate", "--world", "retail", "--seed", seed, *WEEK, *pace, "--faults", ALL),
            *("--answer-key", tmp_path / f"{name}.answers"),
            environment={"TZ": zone},
        )
        return tree(medallion, "raw", "dimensions")

    first = make("first", 7, "UTC")
    assert len(first) > 3
    assert first == make("second", 7, "Asia/Tokyo")
    answers = [(tmp_path / f"{name}.answers").read_bytes() for name in ("first", "second")]
    assert answers[0] == answers[1]
    other = make("other", 8, "UTC")
    assert not set(first.values()) & set(other.values())


def test_the_retail_world_is_told_in_dimension_files(medallion: Medallion) -> None:
    medallion.run(
        *("simulate", "--world", "retail", "--seed", 3, *WEEK, "--events", 6000),
    )
    stores = {row["store_id"]: row for row in table(medallion, "stores")}
    assert len(stores) > 20
    assert list(next(iter(stores.values()))) == [
        *("store_id", "name", "region", "timezone", "opens", "closes", "opened_on")
    ]
    products: dict[str, list[dict[str, str]]] = {}
    for row in table(medallion, "products"):
        products.setdefault(row["product_id"], []).append(row)
        assert datetime.fromisoformat(row["valid_from"]).tzinfo == UTC
    aliases = {row["alias"]: row for row in table(medallion, "customer_identities")}
    canonical = re.compile(r"C\d{6}")
    assert all(canonical.fullmatch(row["customer_id"]) for row in aliases.values())
    assert {row["channel"] for row in aliases.values()} == {"web", "app"}
    resolved = 0
    for event in events(medallion):
        assert event["store_id"] in stores
        # RFC 3339 with one offset sorts as text.
        valid = [row for row in products[event["product_id"]] if row["valid_from"] <= event["ts"]]
        assert Decimal(str(event["price"])) == Decimal(valid[-1]["price"])
        assert event["category"] == valid[-1]["category"]
        if not canonical.fullmatch(event["customer_id"].strip().upper()):
            assert event["customer_id"] in aliases
            resolved += 1
    assert resolved > 50


def test_the_plain_world_has_no_dimension_files_and_is_what_simulate_makes(
    medallion: Medallion,
) -> None:
    medallion.run("simulate", "--events", 200)
    assert not (medallion.lake / "dimensions").exists()
    assert {event["product_id"] for event in events(medallion)} == {f"P10{n}" for n in range(4)}


def test_run_makes_a_retail_world_that_stays_the_same(medallion: Medallion) -> None:
    first = medallion.run("run", "--events", 50)
    assert "--faults none" in first.stderr
    before = tree(medallion, "dimensions")
    assert len(before) == 3
    # Another world in between does not make the lake forget it.
    medallion.run("simulate", "--seed", 9, "--events", 50)
    medallion.run("run", "--events", 50, "--faults", "none")
    assert tree(medallion, "dimensions") == before
    assert medallion.verify()["balanced"] is True


def test_a_world_is_a_setting(medallion: Medallion) -> None:
    medallion.run("simulate", "--events", 5, environment={"MEDALLION_WORLD": "retail"})
    assert len(tree(medallion, "dimensions")) == 3


def test_a_rate_is_the_mean_of_a_week(medallion: Medallion) -> None:
    report = medallion.run(
        *("simulate", "--world", "retail", "--seed", 5, "--json", "--rate", 0.05),
        *("--from", "2026-06-07", "--until", "2026-06-14"),
    ).json()
    assert 0.85 < report["events"] / (0.05 * 7 * 86400) < 1.1
    assert report["events_per_second"] == pytest.approx(
        report["events"] / report["elapsed_seconds"]
    )


# MARK: going on


@pytest.mark.parametrize("world", ["plain", "retail"])
def test_a_simulator_that_was_killed_goes_on_and_makes_what_it_would_have_made(
    new_medallion: Callable[[str], Medallion], tmp_path: Path, world: str
) -> None:
    def command(name: str) -> tuple[str | int | float | Path, ...]:
        return (
            *("simulate", "--world", world, "--seed", 7, *WEEK, "--rate", 0.5),
            *("--batch-size", 500, "--faults", ALL, "--answer-key", tmp_path / name),
        )

    whole = new_medallion("whole")
    whole.run(*command("whole.key"))
    killed = new_medallion("killed")
    for point in ("before-raw-put:9", "after-raw-put:30", "before-raw-put:200"):
        killed.crash(*command("killed.key"), at=point)
    killed.run(*command("killed.key"))
    assert tree(killed, "raw") == tree(whole, "raw")
    assert (tmp_path / "killed.key").read_bytes() == (tmp_path / "whole.key").read_bytes()
    # Once more: there is nothing left to do.
    report = killed.run(*command("killed.key"), "--json").json()
    assert report["events"] == 0
    assert (tmp_path / "killed.key").read_bytes() == (tmp_path / "whole.key").read_bytes()


def test_a_stopped_simulator_goes_on_from_what_it_remembers(
    new_medallion: Callable[[str], Medallion],
) -> None:
    week = ("simulate", "--world", "retail", "--seed", 7, *WEEK, "--rate", 0.2, "--batch-size", 50)
    whole = new_medallion("whole")
    made = whole.run(*week, "--json").json()["events"]
    stopped = new_medallion("stopped")
    running = stopped.start(*week, "--speed", 50000)
    running.wait_for(lambda: len(tree(stopped, "raw")) > 20, "some objects are there")
    assert running.stop(signal.SIGINT).code == 0
    already = len(events(stopped))
    rest = stopped.run(*week, "--json").json()["events"]
    assert already + rest == made
    assert 0 < already < made
    assert tree(stopped, "raw") == tree(whole, "raw")


def test_what_is_not_in_the_lake_or_the_key_is_made_again(
    medallion: Medallion, tmp_path: Path
) -> None:
    week = ("simulate", "--seed", 7, *WEEK, "--events", 1000, "--batch-size", 100)
    medallion.run(*week)
    made = tree(medallion, "raw")
    (medallion.lake / max(made)).unlink()
    medallion.run(*week)
    assert tree(medallion, "raw") == made
    report = medallion.run(*week, "--answer-key", tmp_path / "key", "--json").json()
    assert report["events"] == 1000
    assert sum(record["fault"] == "object" for record in records(tmp_path / "key")) == 10


def test_a_clock_without_an_end_fills_the_gap_and_goes_live(medallion: Medallion) -> None:
    begin = datetime.now(UTC) - timedelta(hours=2)
    words = ("simulate", "--seed", 7, "--from", begin.isoformat(timespec="seconds"))
    words = (*words, "--rate", "5", "--batch-size", "10")

    def newest() -> datetime:
        keys = sorted(tree(medallion, "raw"))
        if not keys:
            return begin
        return datetime.fromisoformat(
            json.loads(raw_lines((medallion.lake / keys[-1]).read_bytes())[-1])["ts"]
        )

    def is_live() -> bool:
        return newest() > datetime.now(UTC) - timedelta(seconds=10)

    running = medallion.start(*words)
    running.wait_for(is_live, "it has come to the present")
    objects = len(tree(medallion, "raw"))
    running.wait_for(lambda: len(tree(medallion, "raw")) > objects, "it goes on")
    running.kill()
    fillable = newest() + timedelta(seconds=2)
    wait_until(lambda: datetime.now(UTC) > fillable, "there is a gap to fill")
    running = medallion.start(*words)
    objects = len(tree(medallion, "raw"))
    running.wait_for(lambda: len(tree(medallion, "raw")) > objects and is_live(), "it goes on")
    assert running.stop().code == 0
    stamps = [datetime.fromisoformat(event["ts"]) for event in events(medallion)]
    # Five a second since the beginning, with no gap where it was dead.
    gaps = [(after - before).total_seconds() for before, after in pairwise(stamps)]
    assert max(gaps) < 1
    ids = {event["event_id"] for event in events(medallion)}
    assert len(ids) == len(stamps)


def test_a_seed_by_the_wall_clock_never_gives_two_events_one_id(medallion: Medallion) -> None:
    for world in ("plain", "retail", "plain"):
        medallion.run("simulate", "--seed", 4, "--events", 50, "--world", world)
    ids = [event["event_id"] for event in events(medallion)]
    assert len(set(ids)) == len(ids) == 150


# MARK: the answer key


def test_a_key_ends_with_what_is_true(medallion: Medallion, tmp_path: Path) -> None:
    answers = tmp_path / "answers.ndjson"
    command = ("run", "--events", 1500, "--faults", ALL, "--answer-key", answers)
    medallion.run(*command)
    medallion.run(*command)
    truth = assert_whole(medallion, answers)
    found = records(answers)
    totals = [record for record in found if record["fault"] == "total"]
    assert found[-len(totals) - 1 : -1] == totals
    gold = {
        (datetime.fromisoformat(each["day"]).date(), each["category"]): (
            each["transactions"],
            Decimal(each["revenue"]),
            each["units"],
        )
        for each in totals
    }
    assert gold == {
        key: (row.transactions, row.revenue, row.units_sold) for key, row in truth.gold.items()
    }
    last = found[-1]
    assert last["fault"] == "grand_total"
    assert (last["objects"], last["lines"]) == (truth.objects, truth.lines)
    assert Decimal(last["revenue"]) == truth.revenue
    score = assert_score(medallion, answers)
    assert set(score["reasons"]) == set(truth.reasons)


def test_objects_that_the_key_does_not_tell_of_are_left_out_of_the_score(
    medallion: Medallion, tmp_path: Path
) -> None:
    answers = tmp_path / "answers.ndjson"
    medallion.run("run", "--events", 300, "--faults", ALL)
    medallion.run("run", "--events", 300, "--faults", ALL, "--answer-key", answers)
    (medallion.raw / "mine.json").write_text('{"event_id": "mine", "ts": "2026-11-01T00:00:00Z"}')
    medallion.run("run", "--events", 0)
    assert assert_score(medallion, answers)["objects"] == 1


def test_the_score_is_perfect_after_kills_of_every_stage(
    medallion: Medallion, tmp_path: Path
) -> None:
    answers = tmp_path / "answers.ndjson"
    chance = random.Random(20261124)
    command = ("run", "--rate", 2000, "--faults", ALL, "--answer-key", answers)
    for _ in range(6):
        running = medallion.start(*command)
        # After so many objects: the later ones come while the first are on their way to gold.
        objects = raw_count(medallion) + chance.randrange(1, MOST_OBJECTS_BEFORE_A_KILL)
        running.wait_for(partial(has_objects, objects, medallion), "it works")
        running.kill()
        medallion.assert_nothing_left_behind()
        report = medallion.verify(answer_key=answers, check=None)
        assert report["balanced"] is True, report["findings"]
    # A torn last line, as a kill in the middle of writing leaves it.
    with answers.open("ab") as file:
        file.write(b'{"source_object": "raw/yyyy=2026')
    medallion.run("run", "--events", 500, "--faults", ALL, "--answer-key", answers)
    assert_whole(medallion, answers)
    score = assert_score(medallion, answers)
    assert score["objects"] > 6 and score["duplicates"]["found"] > 20


# MARK: bad input


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--faults", "lat=0.1"), "did you mean 'late'?"),
        (("--faults", "trunkated=0.1"), "did you mean 'truncated'?"),
        (("--faults", "late=1.5"), "'1.5' of 'late' is no number from 0 to 1"),
        (("--world", "flat"), "world"),
        (("--batch-size", "0"), "batch-size"),
        (("--step", "1h"), "--step needs --from"),
        (("--speed", "2"), "--speed needs --from"),
        ((*WEEK, "--events", "5", "--step", "1h"), "--step needs --rate"),
        ((*WEEK, "--rate", "max"), "--events"),
        (("--from", "2026-11-01", "--events", "5"), "--rate or --sleep"),
        (("--from", "2099-11-01", "--rate", "5"), "in the past"),
        (("--from", "1999-11-01", "--until", "2026-01-01", "--rate", "5"), "2000 to 2099"),
    ],
    ids=lambda words: " ".join(words) if isinstance(words, tuple) else "",
)
def test_what_cannot_be_simulated_is_told_in_a_sentence(
    medallion: Medallion, words: tuple[str, ...], told: str
) -> None:
    finished = medallion.run("simulate", *words, check=2)
    assert told in finished.stderr
    assert not medallion.lake.exists()


def test_a_catalogue_that_does_not_parse_is_told_and_nothing_is_written(
    medallion: Medallion, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    for name in ("contract/purchase_event.schema.json", "dbt/dbt_project.yml"):
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text("{}")
    catalogue = home / "contract" / "products.csv"
    catalogue.write_text("product_id,name,category,price,valid_from\nP1,a,b,dear,2020-01-01\n")
    finished = medallion.run(
        "simulate", "--events", 5, check=2, environment={"MEDALLION_HOME": str(home)}
    )
    assert f"{catalogue}: line 2: the price 'dear'" in finished.stderr
    assert not medallion.lake.exists()


def test_every_fault_is_explained(medallion: Medallion) -> None:
    listed = medallion.run("simulate", "--help", on_lake=False).stdout
    refused = medallion.run("simulate", "--faults", "x=1", check=2).stderr
    names = re.sub(r"\s+", " ", refused).split("these names: ")[1].strip().split(", ")
    assert len(names) == 27
    for name in names:
        assert re.search(rf"^  {name} +\S", listed, re.MULTILINE), name
