from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from command import BINARY, Medallion
from template_lake import FAULTS, Template


@pytest.fixture(scope="session", autouse=True)
def binary() -> Path:
    """The command must be built: without it there is nothing to test."""
    if not BINARY.exists():
        pytest.exit(f"{BINARY} is not there: run 'make build', or set MEDALLION_BIN", returncode=1)
    return BINARY


@pytest.fixture
def new_medallion(tmp_path: Path) -> Iterator[Callable[[str], Medallion]]:
    """Makes lakes by name, and ends at the test's end what still runs on them."""
    made: list[Medallion] = []

    def make(name: str) -> Medallion:
        medallion = Medallion(tmp_path / name, scratch=tmp_path / f"{name}.commands")
        made.append(medallion)
        return medallion

    yield make
    for medallion in made:
        medallion.end()


@pytest.fixture
def medallion(new_medallion: Callable[[str], Medallion]) -> Medallion:
    """The command on a lake that is not there yet."""
    return new_medallion("lake")


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Template]:
    directory = tmp_path_factory.mktemp("template")
    medallion = Medallion(directory / "lake", scratch=directory / "commands")
    answer_key = directory / "answers.ndjson"
    for seed in (11, 12):
        medallion.run(
            *("simulate", "--events", 400, "--batch-size", 100, "--seed", seed),
            *("--faults", FAULTS, "--answer-key", answer_key),
        )
        medallion.run("bronze", "--once")
        medallion.run("ingest", "--once")
        medallion.run("transform")
        if seed == 11:
            shutil.copy2(medallion.ledger, directory / "old-ledger.sqlite")
            shutil.copy2(medallion.warehouse, directory / "old-warehouse.duckdb")
    yield Template(
        medallion.lake,
        answer_key,
        directory / "old-ledger.sqlite",
        directory / "old-warehouse.duckdb",
        medallion.status(),
    )
    medallion.end()


@pytest.fixture
def settled(template: Template, medallion: Medallion) -> Medallion:
    """A copy of the lake that went all the way to gold."""
    return template.copy_to(medallion)
