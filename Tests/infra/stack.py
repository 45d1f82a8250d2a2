"""What the tests of `infra/aws` share: the emulator, Terraform, and who asks for what."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import botocore
import botocore.config
import botocore.exceptions
import trustme
from waiting import wait_until

REPOSITORY = Path(__file__).resolve().parents[2]
INFRA = REPOSITORY / "infra" / "aws"
HERE = Path(__file__).resolve().parent

REGION = "eu-central-1"
#: MiniStack's account, and the keys of its root, which no policy binds.
ACCOUNT = "000000000000"
ROOT = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}

#: What the tests call what they make.
NAME = "test-lake"
BUCKET = "test-lake-bucket"
EXTERNAL_ID = "TEST_SFCRole=2_b+c/d="
SNOWPIPE_QUEUE = "sf-snowpipe-test"

PROVIDER = "registry.terraform.io/hashicorp/aws"
#: Where packages and images put a mirror of Terraform's providers.
MIRRORS = (
    "~/.terraform.d/plugins",
    "/usr/local/share/terraform/plugins",
    "/usr/share/terraform/plugins",
    "/opt/*",
)

Credentials = dict[str, str]


# MARK: emulator


@dataclass(frozen=True)
class Emulator:
    """A running MiniStack: one port with TLS, one without."""

    url: str
    url_without_tls: str
    #: The certificate that its own is signed with.
    authority: Path

    def client(self, service: str, credentials: Credentials, tls: bool = True) -> Any:
        return self._client(service, {}, credentials, self.url if tls else self.url_without_tls)

    def anonymous(self, service: str) -> Any:
        """A client that signs nothing."""
        return self._client(service, {"signature_version": botocore.UNSIGNED}, {}, self.url)

    def _client(
        self, service: str, more: dict[str, Any], credentials: Credentials, url: str
    ) -> Any:
        config = botocore.config.Config(
            s3={"addressing_style": "path"}, retries={"max_attempts": 1}, **more
        )
        return boto3.client(
            service,
            region_name=REGION,
            endpoint_url=url,
            verify=str(self.authority),
            config=config,
            **credentials,
        )


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


@contextlib.contextmanager
def emulator(directory: Path) -> Iterator[Emulator]:
    """Starts MiniStack, which checks who may do what, on 127.0.0.1."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(directory / "authority.pem"))
    certificate = authority.issue_cert("localhost", "127.0.0.1")
    certificate.private_key_pem.write_to_path(str(directory / "key.pem"))
    for part in certificate.cert_chain_pems:
        part.write_to_path(str(directory / "certificate.pem"), append=True)
    secure, plain = free_port(), free_port()
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("AWS_")},
        "AUTH": "true",
        "GATEWAY_PORT": str(secure),
        "MINISTACK_REGION": REGION,
        "PYTHONPATH": str(HERE),
        # Listeners of its own, on all addresses.
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
    }
    command = [sys.executable, "-m", "hypercorn", "ministack_server:app"]
    # In this very process, so that it ends with it.
    command += ["--workers", "0"]
    command += ["--bind", f"127.0.0.1:{secure}", "--insecure-bind", f"127.0.0.1:{plain}"]
    command += ["--certfile", str(directory / "certificate.pem")]
    command += ["--keyfile", str(directory / "key.pem")]
    log = directory / "emulator.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=directory, env=environment, stdout=output, stderr=subprocess.STDOUT
        )

    def answers() -> bool:
        assert process.poll() is None, log.read_text()
        for port in (secure, plain):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) != 0:
                    return False
        return True

    try:
        wait_until(answers, "MiniStack answers", within=60)
        yield Emulator(
            f"https://localhost:{secure}", f"http://localhost:{plain}", directory / "authority.pem"
        )
    finally:
        # Nothing of it is to last, and it takes its time to end by itself.
        process.kill()
        process.wait()


@contextlib.contextmanager
def without_own_tls(emulator: Emulator) -> Iterator[str]:
    """A port on 127.0.0.1 whose bytes go on to the emulator by TLS.

    For the command: it trusts the authorities of the system, and no others.
    """
    context = ssl.create_default_context(cafile=str(emulator.authority))
    target = int(emulator.url.rsplit(":", 1)[1])

    async def pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        try:
            while data := await source.read(1 << 16):
                sink.write(data)
                await sink.drain()
        except (ConnectionError, ssl.SSLError):
            pass
        finally:
            sink.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection(
            "127.0.0.1", target, ssl=context, server_hostname="localhost"
        )
        await asyncio.gather(pump(reader, far_writer), pump(far_reader, writer))

    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    server = asyncio.run_coroutine_threadsafe(
        asyncio.start_server(serve, "127.0.0.1", 0), loop
    ).result(10)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)


# MARK: Terraform


def provider_mirror() -> Path | None:
    """A directory that has the AWS provider, as `terraform init -plugin-dir` wants it."""
    if named := os.environ.get("TERRAFORM_PLUGIN_DIR"):
        return Path(named)
    for pattern in MIRRORS:
        expanded = Path(pattern).expanduser()
        for place in sorted(expanded.parent.glob(expanded.name)):
            if (place / PROVIDER).is_dir():
                return place
    return None


class TerraformError(Exception):
    pass


@dataclass(frozen=True)
class Terraform:
    """Terraform in a copy of `infra/aws`, so that the clone stays clean."""

    directory: Path
    environment: dict[str, str] = field(repr=False)

    @classmethod
    def in_copy(cls, target: Path, environment: dict[str, str] | None = None) -> Terraform:
        shutil.copytree(INFRA, target, ignore=shutil.ignore_patterns(".terraform*", "*.tfstate*"))
        inherited = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("AWS_", "TF_"))
        }
        return cls(target / "example", {**inherited, **(environment or {})})

    def run(
        self, *arguments: str, codes: tuple[int, ...] = (0,)
    ) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            ["terraform", *arguments],
            cwd=self.directory,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        if done.returncode not in codes:
            raise TerraformError(f"terraform {' '.join(arguments)}:\n{done.stdout}\n{done.stderr}")
        return done

    def init(self, mirror: Path) -> None:
        self.run("init", "-input=false", "-no-color", f"-plugin-dir={mirror}")

    def outputs(self) -> dict[str, Any]:
        shown = json.loads(self.run("output", "-json").stdout)
        return {name: output["value"] for name, output in shown.items()}


# MARK: the stack


@dataclass(frozen=True)
class Stack:
    """What Terraform made in the emulator, and the credentials of everybody who may come by."""

    emulator: Emulator
    terraform: Terraform
    bucket: str
    outputs: dict[str, Any]
    #: Users, and sessions of the roles.
    credentials: dict[str, Credentials] = field(repr=False)

    def client(self, service: str, who: str, tls: bool = True) -> Any:
        return self.emulator.client(service, self.credentials[who], tls)

    def root(self, service: str) -> Any:
        """A client that no policy binds: to put in place, and to look at what came of it."""
        return self.emulator.client(service, ROOT)


def create_user(emulator: Emulator, name: str, allowed: list[dict[str, Any]]) -> Credentials:
    iam = emulator.client("iam", ROOT)
    iam.create_user(UserName=name)
    iam.put_user_policy(
        UserName=name,
        PolicyName="all-that-it-may",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": allowed}),
    )
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return {
        "aws_access_key_id": key["AccessKeyId"],
        "aws_secret_access_key": key["SecretAccessKey"],
    }


def user_arn(name: str) -> str:
    return f"arn:aws:iam::{ACCOUNT}:user/{name}"


def role_arn(name: str) -> str:
    return f"arn:aws:iam::{ACCOUNT}:role/{name}"


def assume(
    emulator: Emulator, user: Credentials, role: str, external_id: str | None = None
) -> Credentials:
    """A session of the role, as STS gives it to the user, or not."""
    more = {"ExternalId": external_id} if external_id else {}
    session = emulator.client("sts", user).assume_role(
        RoleArn=role_arn(role), RoleSessionName="test", **more
    )["Credentials"]
    return {
        "aws_access_key_id": session["AccessKeyId"],
        "aws_secret_access_key": session["SecretAccessKey"],
        "aws_session_token": session["SessionToken"],
    }


REFUSALS = {"AccessDenied", "AccessDeniedException", "403", "AuthorizationError"}


@contextlib.contextmanager
def refused() -> Iterator[None]:
    """The block asks for what it must not get; any other failure is one of the test."""
    try:
        yield
    except botocore.exceptions.ClientError as failure:
        code = failure.response["Error"]["Code"]
        assert code in REFUSALS, failure
    else:
        raise AssertionError("what must be refused was granted")
