from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
import servers
from command import BINARY, Medallion
from s3_lakes import MakeLake
from servers import BUCKET, Server


@pytest.fixture(scope="session", autouse=True)
def binary() -> Path:
    if not BINARY.exists():
        pytest.exit(f"{BINARY} is not there: run 'make build', or set MEDALLION_BIN", returncode=1)
    return BINARY


@pytest.fixture(scope="session")
def seaweedfs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    try:
        with servers.seaweedfs(tmp_path_factory.mktemp("seaweedfs")) as server:
            yield server
    except FileNotFoundError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def ministack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    try:
        with servers.ministack(tmp_path_factory.mktemp("ministack")) as server:
            yield server
    except FileNotFoundError as error:
        pytest.skip(str(error))


@pytest.fixture
def new_lake(tmp_path: Path) -> Iterator[MakeLake]:
    """Makes hosts of lakes in S3, and ends at the test's end what still runs on them."""
    made: list[Medallion] = []

    def make(server: Server, place: str | None = None, **environment: str) -> Medallion:
        number = len(made)
        medallion = Medallion(
            lake=tmp_path / f"host{number}",
            state=tmp_path / f"host{number}",
            scratch=tmp_path / f"host{number}.commands",
            place=place or f"s3://{BUCKET}/{uuid.uuid4()}",
            environment=server.environment | environment,
        )
        made.append(medallion)
        return medallion

    yield make
    for medallion in made:
        medallion.end()
