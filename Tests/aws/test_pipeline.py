"""The whole pipeline on a lake in S3: a real server, the real command."""

from __future__ import annotations

import json
import random
from collections import Counter
from pathlib import Path
from typing import Any

import duckdb
import pytest
from command import Medallion
from s3_lakes import MakeLake, keys, prefix
from servers import BUCKET, Server
from waiting import wait_until

FAULTS = "late=0.05,duplicate=0.05,conflict=0.03,messy=0.05,corrupt=0.08,blank=0.02,drift=0.05"
WORLD = ("--seed", 7, "--from", "2026-11-01", "--until", "2026-11-03", "--faults", FAULTS)


def test_runs_from_event_to_gold(seaweedfs: Server, new_lake: MakeLake) -> None:
    medallion = new_lake(seaweedfs)
    ran = medallion.run("run", "--events", 3000, "--rate", 1000, within=180)
    assert "every line accounted for; nothing pending" in ran.stdout
    report = medallion.verify(deep=True)
    assert report["balanced"] and report["pending"] == 0
    status = medallion.status()
    assert status["raw"]["lines"] >= 3000
    assert status["silver"]["rows"] == status["gold"]["transactions"]
    below = Counter(key.partition("/")[0] for key in keys(seaweedfs, medallion))
    assert {"raw", "bronze", "quarantine", "commits", "gold", "dimensions"} <= below.keys()
    # Work in progress is published or removed.
    assert "tmp" not in below
    # Started again, it goes on.
    medallion.run("run", "--events", 500, "--rate", 500, within=180)
    assert medallion.verify()["balanced"]
    assert medallion.status()["raw"]["lines"] > status["raw"]["lines"]


def gold(rows: str) -> list[Any]:
    return duckdb.sql(f"SELECT * FROM read_parquet({rows}) ORDER BY ALL").fetchall()


def test_is_the_same_as_in_a_directory(
    seaweedfs: Server, new_lake: MakeLake, tmp_path: Path
) -> None:
    remote = new_lake(seaweedfs)
    local = Medallion(tmp_path / "lake", scratch=tmp_path / "lake.commands")
    for medallion in (remote, local):
        medallion.run("simulate", *WORLD, "--events", 4000, "--batch-size", 200)
        medallion.run("bronze", "--once")
        medallion.run("ingest", "--once")
        medallion.run("transform")
        assert medallion.verify(deep=True)["balanced"]
    raw = sorted(str(path.relative_to(local.lake)) for path in local.raw.rglob("*.json*"))
    assert keys(seaweedfs, remote, "raw/") == raw
    pointer = json.loads((local.lake / "gold/current.json").read_text())
    client = seaweedfs.client()

    def fetch(key: str) -> bytes:
        body: bytes = client.get_object(Bucket=BUCKET, Key=prefix(remote) + key)["Body"].read()
        return body

    there = json.loads(fetch("gold/current.json"))
    assert pointer["tables"].keys() == there["tables"].keys()
    for name, table in pointer["tables"].items():
        files = []
        for number, file in enumerate(there["tables"][name]["files"]):
            copy = tmp_path / f"{name}-{number}.parquet"
            copy.write_bytes(fetch(file))
            files.append(str(copy))
        here = [str(local.lake / file) for file in table["files"]]
        assert gold(repr(files)) == gold(repr(here)), name


def waits(report: Any) -> dict[str, int]:
    """What has not gone its way up to staging."""
    waiting: dict[str, int] = report["waiting"]
    return {name: count for name, count in waiting.items() if count and name != "staging_rows"}


@pytest.mark.parametrize("point", ["before-commit", "after-commit", "after-publish"])
def test_another_host_finishes_what_a_killed_one_began(
    seaweedfs: Server, new_lake: MakeLake, point: str
) -> None:
    first = new_lake(seaweedfs)
    first.run("simulate", *WORLD, "--events", 2000, "--batch-size", 100)
    first.crash("bronze", "--once", at=point)
    second = new_lake(seaweedfs, first.place)
    second.run("bronze", "--once")
    second.run("ingest", "--once")
    assert second.verify(deep=True)["balanced"]
    # And the first, when it comes back, agrees.
    first.run("bronze", "--once")
    first.run("ingest", "--once")
    assert first.verify(deep=True)["balanced"]
    assert first.status()["staging"]["rows"] == second.status()["staging"]["rows"]
    assert not keys(seaweedfs, first, "tmp/")


def test_two_hosts_share_a_lake_under_kills(seaweedfs: Server, new_lake: MakeLake) -> None:
    luck = random.Random(20)
    source = new_lake(seaweedfs)
    hosts = [new_lake(seaweedfs, source.place) for _ in range(2)]
    source.run("simulate", *WORLD, "--events", 400, "--batch-size", 20)
    simulator = source.start("simulate", "--world", "plain", "--rate", 400, "--batch-size", 20)
    running = [host.start("bronze", "--follow") for host in hosts]

    def committed() -> int:
        return len(keys(seaweedfs, source, "commits/"))

    for _ in range(6):
        # Somewhere in the middle of their work, which the number of commits tells.
        target = committed() + luck.randint(1, 4)
        wait_until(lambda target=target: committed() >= target, f"{target} commits")  # type: ignore[misc]
        victim = luck.randrange(2)
        running[victim].kill()
        running[victim] = hosts[victim].start("bronze", "--follow")
    simulator.stop()
    for process in running:
        process.stop()
    for host in hosts:
        host.run("bronze", "--once")
        host.run("ingest", "--once")
        report = host.verify(deep=True)
        assert report["balanced"] and not waits(report), report
    commits = [host.status() for host in hosts]
    assert commits[0]["raw"] == commits[1]["raw"]
    assert commits[0]["staging"] == commits[1]["staging"]
    consumed: Counter[str] = Counter()
    client = seaweedfs.client()
    for key in keys(seaweedfs, source, "commits/"):
        body = client.get_object(Bucket=BUCKET, Key=prefix(source) + key)["Body"].read()
        consumed.update(entry["key"] for entry in json.loads(body).get("raw", []))
    assert sorted(consumed) == keys(seaweedfs, source, "raw/")
    assert max(consumed.values()) == 1


def test_a_bucket_is_what_the_original_script_writes_to(
    seaweedfs: Server, new_lake: MakeLake
) -> None:
    bucket = "retail-streaming-bucket"
    seaweedfs.client().create_bucket(Bucket=bucket)
    medallion = new_lake(seaweedfs, f"s3://{bucket}")
    made = medallion.run(
        *("simulate", "--bucket", bucket, "--prefix", "raw", "--batch-size", 25),
        *("--sleep", 0.05, "--events", 100),
        on_lake=False,
    )
    assert made.stdout.count(f"Uploaded 25 events to s3://{bucket}/raw/") == 4
    # No lake is made by whoever may only put into raw; the first other command makes it one.
    medallion.run("bronze", "--once")
    medallion.run("ingest", "--once")
    assert medallion.status()["staging"]["rows"] == 100


def test_rebuilds_from_one_place_into_another(
    seaweedfs: Server, new_lake: MakeLake, tmp_path: Path
) -> None:
    old = new_lake(seaweedfs)
    old.run("simulate", *WORLD, "--events", 500, "--batch-size", 100)
    local = Medallion(
        tmp_path / "rebuilt", scratch=tmp_path / "commands", environment=old.environment
    )
    assert old.place
    local.run("rebuild", "--raw", old.place, within=180)
    assert local.verify(deep=True)["balanced"]
    assert local.status()["raw"]["objects"] == len(keys(seaweedfs, old, "raw/"))
