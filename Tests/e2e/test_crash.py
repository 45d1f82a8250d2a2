"""Killed at any moment, the pipeline loses nothing and doubles nothing.

All kills of a theme hit one lake, so each start recovers from the last before it meets its own.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from command import Medallion, handles
from template_lake import Template
from truth import assert_same, assert_whole, published_gold, truth_of
from waiting import wait_until

#: Several files a batch: events of some days, and some lines in quarantine.
FAULTS = (
    "late=0.05,duplicate=0.05,conflict=0.03,messy=0.05,rescue=0.05,corrupt=0.05,blank=0.02,"
    "offline=0.05,disorder=0.05,clock_skew=0.05,missing_field=0.05,drift=0.05,truncated=0.3"
)

#: Where `medallion run` is killed, and at which pass. Sources/CrashPoint names the points.
RUN_POINTS = [
    "before-raw-put",
    "before-raw-put:2",
    "after-raw-put",
    "before-work-file",
    "after-work-file",
    "before-commit",
    "after-commit",
    "before-publish",
    "after-publish",
    "after-publish:2",
    "before-load",
    "after-load",
    "before-quarantine-load",
    "after-quarantine-load",
    "before-dbt-run",
    "after-dbt-run",
    "before-gold-publish",
    "before-gold-switch",
    "after-gold-switch",
]

#: Where the stages are killed that run alone.
STAGE_POINTS = [
    ("simulate", "before-raw-put:3"),
    ("simulate", "after-raw-put:3"),
    ("bronze", "before-work-file"),
    ("bronze", "after-work-file"),
    ("bronze", "before-commit"),
    ("bronze", "after-commit"),
    ("bronze", "before-publish:2"),
    ("bronze", "after-publish:3"),
    ("ingest", "before-load"),
    ("ingest", "after-load"),
    ("transform", "before-dbt-run"),
    ("transform", "after-dbt-run"),
    ("transform", "before-gold-switch"),
    ("transform", "after-gold-switch"),
]


@dataclass
class Victim:
    """A lake that one kill after another hits, and the answer key of its simulators."""

    medallion: Medallion
    answer_key: Path | None = None

    @property
    def faults(self) -> list[str | Path]:
        if self.answer_key is None:
            return ["--faults", "none"]
        return ["--faults", FAULTS, "--answer-key", self.answer_key]

    def assert_sound_after_a_kill(self) -> None:
        """Balanced, pending allowed; nobody is left over; readers find a whole gold."""
        self.medallion.assert_nothing_left_behind()
        if not self.medallion.lake.joinpath("commits/0.json").exists():
            return
        report = self.medallion.verify(check=None)
        assert report["balanced"] is True, report["findings"]
        if self.medallion.lake.joinpath("gold/current.json").exists():
            published_gold(self.medallion.lake)

    def finish(self) -> None:
        """A clean run, and then every layer is compared with what raw says."""
        self.medallion.run("run", "--events", 100, *self.faults)
        truth = assert_whole(self.medallion, self.answer_key)
        assert truth.lines > 100
        if self.answer_key is None:
            # Clean events have ids of their own: each line is a row of silver.
            assert len(truth.silver) == truth.lines
        else:
            assert truth.quarantined and truth.duplicates and truth.conflicts and truth.blank
        litter = [path for path in (self.medallion.lake / "tmp").rglob("*") if path.is_file()]
        # A put that was cut short leaves its temporary file for a day; batches leave nothing.
        assert [path for path in litter if not path.name.startswith("put-")] == []


def victim(directory: Path, *, with_faults: bool) -> Iterator[Victim]:
    scratch = directory / "commands"
    scratch.mkdir(parents=True)
    medallion = Medallion(directory / "lake", scratch=scratch)
    yield Victim(medallion, scratch / "answers.ndjson" if with_faults else None)
    medallion.end()


@pytest.fixture(scope="module")
def clean_victim(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Victim]:
    yield from victim(tmp_path_factory.mktemp("clean"), with_faults=False)


@pytest.fixture(scope="module")
def faulty_victim(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Victim]:
    yield from victim(tmp_path_factory.mktemp("faulty"), with_faults=True)


@pytest.fixture(scope="module")
def random_victim(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Victim]:
    yield from victim(tmp_path_factory.mktemp("random"), with_faults=True)


# MARK: at the boundaries


@pytest.mark.parametrize("point", RUN_POINTS)
def test_a_run_that_is_killed_at_a_boundary_leaves_a_balanced_lake(
    faulty_victim: Victim, point: str
) -> None:
    faulty_victim.medallion.crash(
        "run", "--events", 300, "--batch-size", 100, *faulty_victim.faults, at=point
    )
    faulty_victim.assert_sound_after_a_kill()


def test_after_every_killed_run_one_clean_run_brings_each_line_to_gold(
    faulty_victim: Victim,
) -> None:
    faulty_victim.finish()


@pytest.mark.parametrize(("stage", "point"), STAGE_POINTS)
def test_a_stage_that_is_killed_at_a_boundary_leaves_a_balanced_lake(
    clean_victim: Victim, stage: str, point: str
) -> None:
    medallion = clean_victim.medallion
    if stage != "simulate":
        # Work for the stage: events of three days make three files.
        day = 1 + STAGE_POINTS.index((stage, point))
        medallion.run(
            *("simulate", "--events", 90, "--batch-size", 30, "--faults", "none"),
            *(
                "--from",
                f"2026-10-{day:02}T00:00:00Z",
                "--until",
                f"2026-10-{day + 3:02}T00:00:00Z",
            ),
        )
    if stage == "ingest":
        medallion.run("bronze", "--once")
    arguments: list[str | int] = [stage]
    if stage == "simulate":
        arguments += ["--events", 300, "--batch-size", 100]
    elif stage != "transform":
        arguments += ["--once"]
    medallion.crash(*arguments, at=point)
    clean_victim.assert_sound_after_a_kill()


def test_after_every_killed_stage_one_clean_run_brings_each_line_to_gold(
    clean_victim: Victim,
) -> None:
    clean_victim.finish()


# MARK: at random moments


def random_kills() -> list[float]:
    """Seconds from a start to its kill: the same in every run of the tests."""
    generator = random.Random(20261123)
    count = int(os.environ.get("E2E_RANDOM_KILLS", "8"))
    return [round(generator.uniform(0.1, 6.0), 3) for _ in range(count)]


@pytest.mark.parametrize("seconds", random_kills())
def test_a_run_that_is_killed_at_a_random_moment_leaves_a_balanced_lake(
    random_victim: Victim, seconds: float
) -> None:
    running = random_victim.medallion.start(
        "run", "--rate", 400, "--batch-size", 40, *random_victim.faults
    )
    with pytest.raises(subprocess.TimeoutExpired):
        running.process.wait(seconds)
    running.kill()
    random_victim.assert_sound_after_a_kill()


def test_after_every_random_kill_one_clean_run_brings_each_line_to_gold(
    random_victim: Victim,
) -> None:
    random_victim.finish()


# MARK: other work


@pytest.mark.parametrize("seconds", [1.2, 2.4, 3.6])
def test_a_full_refresh_that_is_killed_is_made_good_by_an_ordinary_one(
    settled: Medallion, template: Template, seconds: float
) -> None:
    running = settled.start("transform", "--full-refresh")
    with pytest.raises(subprocess.TimeoutExpired):
        running.process.wait(seconds)
    running.kill()
    settled.assert_nothing_left_behind()
    assert settled.verify()["balanced"] is True
    settled.run("transform")
    assert_whole(settled, template.answer_key)


def test_a_redrive_that_is_killed_at_a_boundary_is_finished_by_the_next(
    medallion: Medallion, tmp_path: Path
) -> None:
    """Quarantined ids of 257 bytes are accepted by a contract that allows 300."""
    contract = longer_ids(tmp_path / "longer.json", medallion.home)
    medallion.run(
        "simulate", "--events", 400, "--seed", 5, "--faults", "invalid_event_id=0.2,corrupt=0.1"
    )
    medallion.run("bronze", "--once")
    before = medallion.status()
    for point in ["before-commit", "after-commit", "before-publish", "after-publish"]:
        medallion.crash("redrive", "--contract", contract, at=point)
        report = medallion.verify(check=None)
        assert report["balanced"] is True, (point, report["findings"])
    medallion.run("redrive", "--contract", contract)
    after = medallion.status()
    gained = after["bronze"]["rows"] - before["bronze"]["rows"]
    assert gained > 0
    assert before["quarantine"]["lines"] - after["quarantine"]["lines"] == gained
    medallion.run("ingest", "--once", "--contract", contract)
    assert medallion.verify(deep=True)["balanced"] is True


def test_a_rebuild_that_is_killed_goes_on_where_it_was(
    medallion: Medallion, tmp_path: Path
) -> None:
    medallion.run("simulate", "--events", 300, "--batch-size", 50, "--seed", 6)
    medallion.run("bronze", "--once")
    rebuilt = Medallion(tmp_path / "rebuilt", scratch=tmp_path / "rebuilt.commands")
    for point in ["before-work-file", "after-commit", "before-load", "before-gold-switch"]:
        rebuilt.crash("rebuild", "--raw", medallion.lake, at=point)
        rebuilt.assert_nothing_left_behind()
    # Told to end, it ends in order, and the same command goes on.
    running = rebuilt.start("rebuild", "--raw", medallion.lake)
    lock = rebuilt.lake / "locks" / "transform.lock"
    running.wait_for(lambda: lock.read_text() == str(running.process.pid), "it has begun")
    wait_until(lambda: handles(running.process.pid, signal.SIGINT), "it heeds signals")
    assert running.stop(signal.SIGINT, within=20).code == 0
    rebuilt.assert_nothing_left_behind()
    rebuilt.run("rebuild", "--raw", medallion.lake)
    assert_whole(rebuilt)
    assert_same(truth_of(rebuilt.lake).gold, truth_of(medallion.lake).gold, "rebuilt gold")


def longer_ids(path: Path, home: Path) -> Path:
    """The contract with event ids of up to 300 bytes."""
    text = (home / "contract" / "purchase_event.schema.json").read_text()
    assert text.count("256") >= 2
    path.write_text(text.replace(": 256", ": 300"))
    return path
