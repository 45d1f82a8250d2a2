from __future__ import annotations

from collections.abc import Iterator
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
def medallion(tmp_path: Path) -> Iterator[Medallion]:
    """The command on a lake that is not there yet."""
    medallion = Medallion(tmp_path / "lake", scratch=tmp_path / "commands")
    yield medallion
    medallion.end()
