from __future__ import annotations

import os
import random
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from command import BINARY, REPOSITORY, Medallion
from medallion_glue.contract import Contract
from waiting import wait_until

SCHEMA = REPOSITORY / "contract" / "purchase_event.schema.json"
BUCKET = "lakes"


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


# --- an S3 server ---------------------------------------------------------------------------------


def _free_port() -> int:
    """A port that is free, as is the one ten thousand above, which the server takes for itself."""
    while True:
        port = random.randint(20_000, 29_999)
        try:
            for each in (port, port + 10_000):
                with socket.socket() as probe:
                    probe.bind(("127.0.0.1", each))
            return port
        except OSError:
            continue


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A client of a real S3 server (SeaweedFS) with an empty bucket; boto3 finds it by itself."""
    boto3 = pytest.importorskip("boto3")
    weed = Path(sys.executable).with_name("weed")
    if not weed.exists():
        pytest.skip(f"{weed} is not there: run 'uv sync --all-groups'")
    directory = tmp_path_factory.mktemp("s3")
    (directory / "s3.json").write_text(
        '{"identities": [{"name": "test", "credentials": [{"accessKey": "test-key", '
        '"secretKey": "test-secret"}], "actions": ["Admin", "Read", "Write", "List"]}]}'
    )
    ports = {name: _free_port() for name in ("master", "volume", "filer", "s3")}
    with (directory / "log").open("wb") as log:
        server = subprocess.Popen(
            [
                *(weed, "server", "-dir=.", "-ip=127.0.0.1", "-ip.bind=127.0.0.1"),
                *(f"-{name}.port={port}" for name, port in ports.items()),
                *("-master.volumeSizeLimitMB=64", "-volume.max=50", "-filer", "-s3"),
                *("-s3.config=s3.json", "-s3.iam.readOnly=false"),
                # Services that nobody asks for, at ports of their own choice; and no word abroad.
                *("-s3.port.iceberg=0", "-s3.port.lance=0", "-master.telemetry=false"),
            ],
            cwd=directory,
            stdout=log,
            stderr=subprocess.STDOUT,
            env={**os.environ, "WEED_S3_SSE_KEY": "local"},
        )
    # The executors' Python inherits these from Spark.
    os.environ.update(
        AWS_ENDPOINT_URL=f"http://127.0.0.1:{ports['s3']}",
        AWS_ACCESS_KEY_ID="test-key",
        AWS_SECRET_ACCESS_KEY="test-secret",
        AWS_DEFAULT_REGION="us-east-1",
    )
    from botocore.exceptions import BotoCoreError, ClientError

    client = boto3.client("s3")

    def stores() -> bool:
        assert server.poll() is None, (directory / "log").read_text()[-2000:]
        try:
            # It names a bucket before it can store in it.
            client.create_bucket(Bucket=BUCKET)
            client.put_object(Bucket=BUCKET, Key="probe", Body=b"")
        except client.exceptions.BucketAlreadyOwnedByYou:
            client.put_object(Bucket=BUCKET, Key="probe", Body=b"")
        except (ClientError, BotoCoreError):
            return False
        client.delete_object(Bucket=BUCKET, Key="probe")
        return True

    try:
        wait_until(stores, "the S3 server takes objects", 60)
        yield client
    finally:
        server.send_signal(signal.SIGKILL)
        server.wait()


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
