"""The programs themselves, each with the role that it has on AWS and nothing more."""

from __future__ import annotations

import importlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from stack import REGION, REPOSITORY, Stack, refused, without_own_tls
from waiting import wait_until

#: One stack serves all of them, whichever processes the other tests run in.
pytestmark = pytest.mark.xdist_group("stack")

BINARY = Path(os.environ.get("MEDALLION_BIN") or REPOSITORY / "bin" / "medallion")
EVENTS = 500


@pytest.fixture(scope="module")
def endpoint(applied: Stack) -> Iterator[str]:
    if not BINARY.exists():
        pytest.skip(f"{BINARY} is missing: `make build` makes it")
    listed = subprocess.run([BINARY, "bronze", "--help"], capture_output=True, text=True)
    if "--queue" not in listed.stdout:
        pytest.skip("this medallion knows no lake in S3")
    with without_own_tls(applied.emulator) as url:
        yield url


def environment(applied: Stack, who: str, endpoint: str) -> dict[str, str]:
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "MEDALLION_"))}
    keys = {name.upper(): value for name, value in applied.credentials[who].items()}
    return {
        **inherited,
        **keys,
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def medallion(
    applied: Stack, who: str, endpoint: str, state: Path, *arguments: str, code: int = 0
) -> str:
    done = subprocess.run(
        [BINARY, *arguments, "--state", state / who],
        env=environment(applied, who, endpoint),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
    return done.stdout + done.stderr


def keys(applied: Stack, prefix: str) -> list[str]:
    listed = applied.root("s3").list_objects_v2(Bucket=applied.bucket, Prefix=prefix)
    return [entry["Key"] for entry in listed.get("Contents", [])]


@pytest.fixture(scope="module")
def clean(applied: Stack) -> None:
    """No objects, as in a bucket that was just made: other tests may have left some."""
    s3 = applied.root("s3")
    for prefix in ("raw/", "bronze/", "quarantine/", "commits/", "checkpoints/", "tmp/"):
        for key in keys(applied, prefix):
            s3.delete_object(Bucket=applied.bucket, Key=key)


def test_simulator_worker_and_snowflake_carry_events_to_bronze(
    applied: Stack, clean: None, endpoint: str, tmp_path: Path
) -> None:
    def run(who: str, *arguments: str) -> str:
        return medallion(applied, who, endpoint, tmp_path, *arguments)

    lake = applied.outputs["lake"]
    run("simulator", "simulate", "--bucket", lake, "--events", str(EVENTS), "--batch-size", "50")
    assert len(keys(applied, "raw/")) == EVENTS / 50

    run("bronze worker", "bronze", "--once", "--lake", lake)
    made = keys(applied, "bronze/")
    assert made
    assert keys(applied, "tmp/") == []
    assert len(keys(applied, "commits/")) > 1
    snowflake = applied.client("s3", "snowflake")
    for key in made:
        body = snowflake.get_object(Bucket=applied.bucket, Key=key)["Body"].read()
        assert body[:4] == body[-4:] == b"PAR1"


def test_the_simulator_streams(applied: Stack, endpoint: str, tmp_path: Path) -> None:
    before = len(keys(applied, "raw/"))
    stream = applied.outputs["firehose"]
    medallion(
        applied, "simulator", endpoint, tmp_path, "simulate", "--firehose", stream, "--events", "20"
    )
    wait_until(lambda: len(keys(applied, "raw/")) > before, "records in raw", within=60)


def test_the_worker_may_not_simulate(applied: Stack, endpoint: str, tmp_path: Path) -> None:
    simulate = ("simulate", "--bucket", applied.outputs["lake"], "--events", "1")
    said = medallion(applied, "bronze worker", endpoint, tmp_path, *simulate, code=1)
    assert "s3:PutObject" in said


def test_the_jobs_store_puts_and_publishes(applied: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    if not (REPOSITORY / "glue" / "medallion_glue").is_dir():
        pytest.skip("glue/medallion_glue is missing")
    monkeypatch.syspath_prepend(str(REPOSITORY / "glue"))
    for name, value in applied.credentials["glue job"].items():
        monkeypatch.setenv(name.upper(), value)
    monkeypatch.setenv("AWS_ENDPOINT_URL", applied.emulator.url)
    monkeypatch.setenv("AWS_CA_BUNDLE", str(applied.emulator.authority))
    monkeypatch.setenv("AWS_REGION", REGION)
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    store = importlib.import_module("medallion_glue.store").open_store(f"s3://{applied.bucket}")
    assert store.put(b"{}", "commits/77.json")
    assert not store.put(b"{}", "commits/77.json")
    work, final = "tmp/job/bronze/dt=2026-11-23/x-0.parquet", "bronze/dt=2026-11-23/x-0.parquet"
    applied.root("s3").put_object(Bucket=applied.bucket, Key=work, Body=b"PAR1")
    store.publish(work, final)
    store.publish(work, final)
    assert keys(applied, final) == [final]
    assert keys(applied, work) == []
    with refused():
        applied.client("s3", "glue job").put_object(
            Bucket=applied.bucket, Key="raw/of-the-job.json", Body=b"", IfNoneMatch="*"
        )
