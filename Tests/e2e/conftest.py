from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from command import BINARY, Medallion


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
