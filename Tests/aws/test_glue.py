"""`medallion bronze --engine glue` against an emulator, which takes a run and marks it as done.

It runs no job: that the job does its work is shown on Spark itself, in Tests/glue.
"""

from __future__ import annotations

import uuid
from pathlib import Path

import pytest
from command import Medallion
from s3_lakes import MakeLake
from servers import Server


@pytest.fixture
def job(ministack: Server) -> str:
    name = f"cleaner-{uuid.uuid4()}"
    ministack.client("glue").create_job(
        Name=name,
        Role="arn:aws:iam::000000000000:role/glue",
        Command={"Name": "glueetl", "ScriptLocation": "s3://scripts/glue_job_cleaner.py"},
    )
    return name


def test_a_run_is_started_and_followed(ministack: Server, new_lake: MakeLake, job: str) -> None:
    medallion = new_lake(ministack)
    medallion.run("simulate", "--events", 10)
    done = medallion.run("bronze", "--engine", "glue", "--glue-job", job)
    assert done.stdout.startswith("0 objects")
    run = ministack.client("glue").get_job_runs(JobName=job)["JobRuns"][0]
    assert run["Arguments"]["--INPUT_S3"] == f"{medallion.place}/raw/"
    assert run["Arguments"]["--OUTPUT_S3"] == f"{medallion.place}/bronze/"


def test_a_job_that_is_not_there_is_named(ministack: Server, new_lake: MakeLake) -> None:
    medallion = new_lake(ministack)
    medallion.run("simulate", "--events", 10)
    failed = medallion.run("bronze", "--engine", "glue", "--glue-job", "nobody", check=1)
    assert "the job nobody does not exist" in failed.stderr


def test_glue_wants_a_lake_in_s3(ministack: Server, tmp_path: Path) -> None:
    medallion = Medallion(
        tmp_path / "lake", scratch=tmp_path / "commands", environment=ministack.environment
    )
    medallion.run("simulate", "--events", 10)
    failed = medallion.run("bronze", "--engine", "glue", check=1)
    assert "Glue reads lakes in S3 only" in failed.stderr
