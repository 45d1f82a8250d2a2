from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import servers
from command import BINARY, REPOSITORY, Medallion
from medallion_glue.contract import Contract

SCHEMA = REPOSITORY / "contract" / "purchase_event.schema.json"


@pytest.fixture(scope="session")
def contract() -> Contract:
    return Contract.parse(SCHEMA.read_bytes())


@pytest.fixture
def new_medallion(tmp_path: Path) -> Iterator[Callable[[str], Medallion]]:
    """Makes lakes for the Swift engine by name."""
    if not BINARY.exists():
        pytest.skip(f"{BINARY} is not there: run 'make build', or set MEDALLION_BIN")
    made: list[Medallion] = []

    def make(name: str) -> Medallion:
        medallion = Medallion(tmp_path / name, scratch=tmp_path / f"{name}.commands")
        made.append(medallion)
        return medallion

    yield make
    for medallion in made:
        medallion.end()


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A client of a real S3 server; boto3 in the job, and in the executors, finds it by itself."""
    try:
        with servers.seaweedfs(tmp_path_factory.mktemp("s3")) as server:
            # Spark, and the Python that it starts, inherit these.
            os.environ.update(server.environment)
            yield server.client()
    except FileNotFoundError as problem:
        pytest.skip(str(problem))


# --- Spark ----------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def spark(s3: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The one Spark of all tests, of the version that Glue 5.1 has."""
    pyspark = pytest.importorskip("pyspark")
    if not shutil.which("java"):
        pytest.skip("Spark needs Java: install one (Glue has 17), such as openjdk-17-jre-headless")
    assert pyspark.__version__ == "3.5.6"
    os.environ["PYTHONPATH"] = str(REPOSITORY / "glue")
    os.environ["PYSPARK_PYTHON"] = sys.executable
    os.environ["SPARK_LOCAL_IP"] = "127.0.0.1"
    from pyspark.sql import SparkSession

    session = (
        SparkSession.builder.master("local[2]")
        .config("spark.ui.enabled", "false")
        .config("spark.ui.showConsoleProgress", "false")
        .config("spark.local.dir", str(tmp_path_factory.mktemp("spark")))
        .getOrCreate()
    )
    yield session
    session.stop()
