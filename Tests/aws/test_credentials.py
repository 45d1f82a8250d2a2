"""Credentials come from wherever the AWS command line would find them.

The agents that give a role its keys are stood in for here: they exist on AWS only.
"""

from __future__ import annotations

import datetime
import http.server
import json
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs

import pytest
from s3_lakes import MakeLake
from servers import KEY, SECRET, Server

NO_KEYS = {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}


class Agent(http.server.BaseHTTPRequestHandler):
    """The metadata services of instances and containers, and the token service."""

    asked: Counter[str]
    lifetime_seconds: int

    @property
    def expiration(self) -> str:
        end = datetime.datetime.now(datetime.UTC) + datetime.timedelta(
            seconds=self.lifetime_seconds
        )
        return end.strftime("%Y-%m-%dT%H:%M:%SZ")

    def _answer(self, body: str, status: int = 200) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def _keys(self) -> str:
        keys = {"AccessKeyId": KEY, "SecretAccessKey": SECRET, "Expiration": self.expiration}
        return json.dumps(keys | {"Code": "Success"})

    def do_PUT(self) -> None:
        self.asked["token"] += 1
        assert self.headers["X-aws-ec2-metadata-token-ttl-seconds"]
        self._answer("a-token")

    def do_GET(self) -> None:
        roles = "/latest/meta-data/iam/security-credentials/"
        if self.path.startswith(roles):
            if self.headers["X-aws-ec2-metadata-token"] != "a-token":
                return self._answer("", 401)
            self.asked["instance"] += 1
            return self._answer("the-role" if self.path == roles else self._keys())
        if self.path == "/container":
            self.asked["container"] += 1
            if self.headers["Authorization"] != "secret-of-the-agent":
                return self._answer("", 401)
            return self._answer(self._keys())
        self._answer("", 404)

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        form = {k: v[0] for k, v in parse_qs(self.rfile.read(length).decode()).items()}
        action = form["Action"]
        self.asked[action] += 1
        is_right = (
            form.get("WebIdentityToken") == "token-of-the-pod"
            if action == "AssumeRoleWithWebIdentity"
            else form.get("ExternalId") == "an-id" and "Signature=" in self.headers["Authorization"]
        )
        if not is_right or form["RoleArn"] != "arn:aws:iam::000000000000:role/r":
            code = "<Error><Code>AccessDenied</Code><Message>not you</Message></Error>"
            return self._answer(f"<ErrorResponse>{code}</ErrorResponse>", 403)
        self._answer(
            f"<{action}Response><{action}Result><Credentials><AccessKeyId>{KEY}</AccessKeyId>"
            f"<SecretAccessKey>{SECRET}</SecretAccessKey><Expiration>{self.expiration}</Expiration>"
            f"</Credentials></{action}Result></{action}Response>"
        )

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def agent() -> Iterator[tuple[str, type[Agent]]]:
    handler = type("Handler", (Agent,), {"asked": Counter(), "lifetime_seconds": 3600})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", handler
    server.shutdown()


def sources(url: str, directory: Path) -> dict[str, dict[str, str]]:
    token = directory / "token"
    token.write_text("token-of-the-pod\n")
    secret = directory / "agent-secret"
    secret.write_text("secret-of-the-agent\n")
    config = directory / "config"
    config.write_text(
        "[profile work]\nrole_arn = arn:aws:iam::000000000000:role/r\nsource_profile = base\n"
        "external_id = an-id\n[profile base]\naws_access_key_id = AKIDBASE\n"
        "aws_secret_access_key = base\n"
    )
    return {
        "instance": {
            "AWS_EC2_METADATA_DISABLED": "false",
            "AWS_EC2_METADATA_SERVICE_ENDPOINT": url,
        },
        "container": {
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{url}/container",
            "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": str(secret),
        },
        "AssumeRoleWithWebIdentity": {
            "AWS_WEB_IDENTITY_TOKEN_FILE": str(token),
            "AWS_ROLE_ARN": "arn:aws:iam::000000000000:role/r",
            "AWS_ENDPOINT_URL_STS": url,
        },
        "AssumeRole": {
            "AWS_PROFILE": "work",
            "AWS_CONFIG_FILE": str(config),
            "AWS_ENDPOINT_URL_STS": url,
        },
    }


@pytest.mark.parametrize(
    "source", ["instance", "container", "AssumeRoleWithWebIdentity", "AssumeRole"]
)
def test_takes_the_keys_of_a_role(
    seaweedfs: Server,
    new_lake: MakeLake,
    agent: tuple[str, type[Agent]],
    tmp_path: Path,
    source: str,
) -> None:
    url, handler = agent
    environment = NO_KEYS | sources(url, tmp_path)[source]
    medallion = new_lake(seaweedfs, **environment)
    medallion.run("simulate", "--events", 100, "--batch-size", 25)
    assert medallion.run("bronze", "--once").stdout.startswith("4 objects, 100 lines")
    # One answer serves a whole command: the role's name and its keys are two questions.
    assert handler.asked[source] == (4 if source == "instance" else 2)


def test_fetches_them_anew_before_they_end(
    seaweedfs: Server, new_lake: MakeLake, agent: tuple[str, type[Agent]], tmp_path: Path
) -> None:
    url, handler = agent
    # Less than the margin before their end at which new ones are asked for.
    handler.lifetime_seconds = 200
    medallion = new_lake(seaweedfs, **NO_KEYS, **sources(url, tmp_path)["container"])
    medallion.run("simulate", "--events", 100, "--batch-size", 25)
    assert handler.asked["container"] > 4


def test_says_which_role_was_refused(
    seaweedfs: Server, new_lake: MakeLake, agent: tuple[str, type[Agent]], tmp_path: Path
) -> None:
    url, _ = agent
    environment = sources(url, tmp_path)["AssumeRoleWithWebIdentity"]
    (tmp_path / "token").write_text("another")
    failed = new_lake(seaweedfs, **NO_KEYS, **environment).run("status", check=1)
    assert "sts:AssumeRoleWithWebIdentity on arn:aws:iam::000000000000:role/r" in failed.stderr
    assert "another" not in failed.stderr
