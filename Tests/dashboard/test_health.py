"""/healthz says whether the stages move, /readyz whether what they made can be relied on."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pytest
from command import Medallion, copy_home
from serving import NewLake, Server, serving

WELL: tuple[int, list[str]] = (200, [])


def failing(*checks: str) -> tuple[int, list[str]]:
    return 503, list(checks)


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Keeps a lock as another process would that hangs."""
    with path.open("r+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@pytest.fixture(scope="module")
def settled(new_lake: NewLake) -> Medallion:
    return new_lake()


@pytest.fixture(scope="module")
def server(settled: Medallion) -> Iterator[Server]:
    """On a lake in which all went well; a stage is stuck after a second."""
    with serving(settled, "--stuck-after", "1s") as server:
        yield server


def test_all_is_well(server: Server) -> None:
    server.waits_for(WELL, WELL)


def test_a_warehouse_that_one_process_keeps_is_not_ready(
    server: Server, settled: Medallion
) -> None:
    server.waits_for(WELL, WELL)
    with held(settled.warehouse.with_name("warehouse.lease")):
        server.waits_for(WELL, failing("warehouse"))
        assert server.metrics()['healthy{check="warehouse"}'] == 0
    server.waits_for(WELL, WELL)


def test_a_pipe_that_cannot_open_the_warehouse_is_stuck(server: Server, settled: Medallion) -> None:
    with duckdb.connect(str(settled.warehouse)):
        # Nothing waits; all the same the pipe does not start.
        ingest = settled.start("ingest", "--follow")
        server.waits_for(failing("pipe"), failing("pipe"))
        assert server.metrics()['healthy{check="pipe"}'] == 0
        # The page says why.
        holder = f"another program (process {os.getpid()}) has the warehouse"
        assert holder in server.get("/")[1]
    server.waits_for(WELL, WELL)
    assert ingest.stop().code == 0


def test_a_file_that_nobody_loads_is_a_pipe_that_is_stuck_unless_it_is_paused(
    new_lake: NewLake,
) -> None:
    medallion = new_lake()
    medallion.run("simulate", "--events", 10, "--seed", 12)
    medallion.run("bronze", "--once")
    with serving(medallion, "--stuck-after", "1s") as server:
        server.waits_for(failing("pipe"), failing("pipe"))
        metrics = server.metrics()
        assert metrics["pipe_pending_files"] > 0
        assert metrics["pipe_oldest_seconds"] > 1
        medallion.run("pipe", "pause")
        server.waits_for(WELL, WELL)
        assert server.metrics()["pipe_paused"] == 1
        medallion.run("pipe", "resume")
        server.waits_for(failing("pipe"), failing("pipe"))
        medallion.run("ingest", "--once")
        # Now dbt has to take them in.
        server.waits_for(failing("transform"), failing("transform"))


def test_a_model_that_fails_is_not_ready_while_the_stages_move(
    new_lake: NewLake, tmp_path: Path
) -> None:
    medallion = new_lake()
    home = copy_home(tmp_path, with_python=True)
    (home / "dbt" / "models" / "gold" / "dates_gold.sql").write_text("select nonsense\n")
    broken = Medallion(medallion.lake, scratch=tmp_path / "commands", home=home)
    with serving(medallion) as server:
        server.waits_for(WELL, WELL)
        assert broken.run("transform", "--select", "dates_gold", check=1).stderr
        server.waits_for(WELL, failing("dbt"))
        metrics = server.metrics()
        assert (metrics["dbt_ok"], metrics["refreshes_failed_total"]) == (0, 1)
        assert "dates_gold" in server.status()["dbt"]["failure"]


def test_a_lake_without_a_run_is_not_ready(new_lake: NewLake) -> None:
    medallion = new_lake(settled=False)
    medallion.raw.mkdir(parents=True)
    with serving(medallion) as server:
        server.waits_for(WELL, failing("gold"))
        metrics = server.metrics()
        # What is not known has no value.
        assert {"medallion_dbt_ok", "medallion_gold_age_seconds"}.isdisjoint(metrics.values)
        assert metrics["balanced"] == 1


def test_what_is_parked_is_not_ready(new_lake: NewLake) -> None:
    medallion = new_lake()
    with serving(medallion, "--stuck-after", "1s") as server:
        server.waits_for(WELL, WELL)
        (medallion.raw / "broken.json.gz").write_bytes(b"no gzip")
        # Nobody consumes it.
        server.waits_for(failing("bronze"), failing("bronze"))
        assert medallion.run("bronze", "--once", check=1).stderr
        server.waits_for(WELL, failing("balance"))
        metrics = server.metrics()
        assert (metrics["parked"], metrics["balanced"]) == (1, 0)
        assert metrics['retries_total{stage="bronze"}'] == 3


def test_a_lake_that_cannot_be_read_is_neither_alive_nor_measured(new_lake: NewLake) -> None:
    medallion = new_lake()
    broken = medallion.lake / "commits" / "2.json"
    with serving(medallion) as server:
        server.waits_for(WELL, WELL)
        broken.write_text("no commit\n")
        server.waits_for(failing("ledger"), failing("ledger"))
        # To Prometheus the target is down: old numbers would look like standstill.
        assert server.get("/metrics")[0] == 500
        assert server.get("/")[0] == 200
        broken.unlink()
        server.waits_for(WELL, WELL)
        assert server.get("/metrics")[0] == 200
