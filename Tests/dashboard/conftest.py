from __future__ import annotations

import fcntl
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from command import BINARY, REPOSITORY, Medallion
from promtool import Promtool
from serving import FAULTS, NewLake


@pytest.fixture(scope="session", autouse=True)
def binary() -> Path:
    """The command must be built: without it there is nothing to test."""
    if not BINARY.exists():
        pytest.exit(f"{BINARY} is not there: run 'make build', or set MEDALLION_BIN", returncode=1)
    return BINARY


@pytest.fixture
def medallion(tmp_path: Path) -> Iterator[Medallion]:
    """The command on a lake that is not there yet."""
    medallion = Medallion(tmp_path / "lake", scratch=tmp_path / "commands")
    yield medallion
    medallion.end()


@pytest.fixture(scope="session")
def promtool() -> Promtool:
    path = REPOSITORY / ".deps" / "prometheus" / "promtool"
    if not path.exists():
        pytest.skip(f"{path} is missing: run Tests/dashboard/setup")
    return Promtool(path)


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Medallion:
    """A lake that went all the way to gold, made once for all processes that test.

    Tests look at it, and change copies.
    """
    directory = tmp_path_factory.getbasetemp()
    if worker_id != "master":
        directory = directory.parent
    medallion = Medallion(directory / "template", scratch=directory / f"template.{worker_id}")
    with (directory / "template.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not medallion.lake.exists():
            making = Medallion(directory / "template.made", scratch=medallion.scratch)
            making.run(
                *("simulate", "--events", 400, "--batch-size", 100, "--seed", 11),
                *("--faults", FAULTS),
            )
            making.run("bronze", "--once")
            making.run("ingest", "--once")
            making.run("transform")
            making.lake.rename(medallion.lake)
    return medallion


@pytest.fixture(scope="module")
def new_lake(template: Medallion, tmp_path_factory: pytest.TempPathFactory) -> Iterator[NewLake]:
    """Makes lakes, empty or as the template is, and ends what still runs on them."""
    made: list[Medallion] = []

    def make(*, settled: bool = True) -> Medallion:
        directory = tmp_path_factory.mktemp("lake")
        medallion = Medallion(directory / "lake", scratch=directory / "commands")
        made.append(medallion)
        if settled:
            # copytree keeps the files' times, as `cp -a` and a backup do.
            shutil.copytree(template.lake, medallion.lake)
        return medallion

    yield make
    for medallion in made:
        medallion.end()
