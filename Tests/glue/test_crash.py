"""A driver that is killed at each boundary: nothing is lost, doubled, or seen by a reader."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from command import REPOSITORY, Medallion
from comparison import assert_equal, bronze_of, clean, commits_of
from conftest import SCHEMA
from test_parity import twin

NewMedallion = Callable[[str], Medallion]

#: Each point; in the middle of a publication once some of the files have their keys.
KILLS = ("before-commit", "after-commit", "after-publish:2")


def crash(lake: Path, point: str) -> None:
    """Runs the job in a process of its own, which must die by SIGKILL at a crash point."""
    finished = subprocess.run(
        [
            *(sys.executable, REPOSITORY / "glue" / "glue_job_cleaner.py", "--JOB_NAME", "crash"),
            *("--INPUT_S3", f"{lake}/raw/", "--OUTPUT_S3", f"{lake}/bronze/"),
        ],
        env={
            **os.environ,
            "MEDALLION_CRASH_AT": point,
            "PYTHONPATH": str(REPOSITORY / "glue"),
            "PYSPARK_PYTHON": sys.executable,
            "PYSPARK_SUBMIT_ARGS": "--master local[1] --conf spark.ui.enabled=false pyspark-shell",
        },
        capture_output=True,
        text=True,
    )
    assert finished.returncode == -signal.SIGKILL, f"{point} was not reached: {finished.stderr}"


@pytest.fixture(scope="module")
def crashed(spark: Any, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A lake for each point, with the job killed there; the starts of Spark overlap."""
    directory = tmp_path_factory.mktemp("crash")
    whole = Medallion(directory / "whole", scratch=directory / "commands")
    whole.run("simulate", "--events", 1000, "--seed", 5, "--faults", "all=0.05")
    lakes = {point: directory / point for point in KILLS}
    for lake in lakes.values():
        twin(whole, lambda _, place=lake: Medallion(place, scratch=directory))
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(crash, lakes.values(), lakes))
    return {"whole": whole.lake, **lakes}


@pytest.mark.parametrize("point", KILLS)
@pytest.mark.parametrize("follower", ["glue", "swift"])
def test_a_killed_run_is_finished_by_either_engine(
    spark: Any,
    crashed: dict[str, Path],
    new_medallion: NewMedallion,
    point: str,
    follower: str,
) -> None:
    left = new_medallion("left")
    subprocess.run(["cp", "-a", crashed[point], left.lake], check=True)
    if point == "before-commit":
        # Files are written, and no reader finds any.
        assert list((left.lake / "tmp").rglob("*.parquet"))
        assert commits_of(left.lake) == []
        assert bronze_of(left.lake).rows == []
        assert bronze_of(left.lake).records == []
    else:
        assert len(commits_of(left.lake)) == 1
    if follower == "swift":
        left.run("bronze", "--once")
    else:
        clean(spark, left.lake, SCHEMA.read_bytes())
    alone = new_medallion("alone")
    subprocess.run(["cp", "-a", f"{crashed['whole']}/.", alone.lake], check=True)
    alone.run("bronze", "--once")
    assert_equal(bronze_of(left.lake), bronze_of(alone.lake))
    for commit in commits_of(left.lake):
        for file in [*commit["bronze"], *commit["quarantine"]]:
            assert (left.lake / file["key"]).stat().st_size == file["size"]
    named = {
        file["key"]
        for commit in commits_of(left.lake)
        for file in [*commit["bronze"], *commit["quarantine"]]
    }
    there = {
        str(path.relative_to(left.lake))
        for layer in ("bronze", "quarantine")
        for path in (left.lake / layer).glob("*/*")
    }
    assert there == named
