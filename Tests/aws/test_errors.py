"""What goes wrong with S3 is said in one sentence, with the mend and without a secret."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator

import pytest
from s3_lakes import MakeLake
from servers import BUCKET, SECRET, Server


def sentence(medallion_output: str) -> str:
    lines = [line for line in medallion_output.splitlines() if line.strip()]
    assert len(lines) == 1, medallion_output
    return lines[0]


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        ("s3://", "does not name a bucket"),
        ("s3://a", "does not name a bucket"),
        ("s3:/bucket", "as s3://bucket/prefix"),
        ("S3://bucket", "as s3://bucket/prefix"),
        (f"s3://{BUCKET}//a", "no key can begin with"),
        ("gs://bucket/a", "directories and in S3"),
        ("s3://no-such-bucket-anywhere", "there is no bucket no-such-bucket-anywhere"),
        (f"s3://{BUCKET}/nothing-here", "there is no lake at"),
    ],
)
def test_names_what_is_wrong_with_a_place(
    seaweedfs: Server, new_lake: MakeLake, place: str, expected: str
) -> None:
    failed = new_lake(seaweedfs, place).run("status", check=1)
    assert expected in sentence(failed.stderr)


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}, "there are no AWS credentials"),
        ({"AWS_SECRET_ACCESS_KEY": "wrong-secret"}, "does not take the credentials"),
        ({"AWS_ACCESS_KEY_ID": "AKIANOBODY"}, "does not take the credentials"),
        ({"AWS_PROFILE": "nobody"}, "there is no profile 'nobody'"),
        ({"AWS_ENDPOINT_URL": "127.0.0.1:1"}, "is not the address of a server"),
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:99999"}, "is not the address of a server"),
        ({"AWS_REGION": "eu west"}, "it must be like eu-west-1"),
    ],
)
def test_names_what_is_wrong_with_a_setting(
    seaweedfs: Server, new_lake: MakeLake, environment: dict[str, str], expected: str
) -> None:
    failed = new_lake(seaweedfs, **environment).run("status", check=1)
    assert expected in sentence(failed.stderr)
    assert SECRET not in failed.stderr and "wrong-secret" not in failed.stderr


@pytest.fixture
def web_site() -> Iterator[str]:
    """A server that is none of S3."""

    class Page(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = b"<html><body>It works!<br></body></html>"
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


def test_knows_what_is_no_s3(seaweedfs: Server, new_lake: MakeLake, web_site: str) -> None:
    failed = new_lake(seaweedfs, AWS_ENDPOINT_URL=web_site).run("status", check=1)
    assert "as S3" in sentence(failed.stderr) and "check" in failed.stderr


def test_knows_what_is_no_queue(seaweedfs: Server, new_lake: MakeLake) -> None:
    medallion = new_lake(seaweedfs)
    medallion.run("simulate", "--events", 5)
    for queue, expected in {
        "retail-raw": "is not a queue: give its URL",
        f"{seaweedfs.endpoint}/1/retail-raw": "as AWS does: check the endpoint",
    }.items():
        failed = medallion.run("bronze", "--follow", "--queue", queue, check=1)
        assert expected in sentence(failed.stderr)


def test_rebuilds_from_no_place_without_raw_objects(seaweedfs: Server, new_lake: MakeLake) -> None:
    nowhere = f"s3://{BUCKET}/nothing-here"
    failed = new_lake(seaweedfs).run("rebuild", "--raw", nowhere, check=1)
    assert f"there is no lake at {nowhere}" in sentence(failed.stderr)


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [
        (301, "PermanentRedirect", "is in the region eu-central-1, and was asked for in us-east-1"),
        (400, "AuthorizationHeaderMalformed", "set AWS_REGION=eu-central-1"),
        (403, "AccessDenied", "s3:GetObject on arn:aws:s3:::{bucket}/"),
        (403, "RequestTimeTooSkewed", "the clocks of this host and of"),
        (403, "SignatureDoesNotMatch", "does not take the credentials"),
    ],
)
def test_says_why_s3_refuses(
    seaweedfs: Server, new_lake: MakeLake, status: int, code: str, expected: str
) -> None:
    """What only AWS says, by a server that says nothing else."""

    class Refusal(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = f"<Error><Code>{code}</Code><Message>no</Message></Error>".encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            if status < 403:
                self.send_header("x-amz-bucket-region", "eu-central-1")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Refusal)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        endpoint = f"http://127.0.0.1:{server.server_port}"
        failed = new_lake(seaweedfs, AWS_ENDPOINT_URL=endpoint).run("status", check=1)
    finally:
        server.shutdown()
    assert expected.format(bucket=BUCKET) in sentence(failed.stderr)
    assert SECRET not in failed.stderr


def test_says_who_does_not_answer(seaweedfs: Server, new_lake: MakeLake) -> None:
    failed = new_lake(seaweedfs, AWS_ENDPOINT_URL="http://127.0.0.1:9").run(
        "status", check=1, within=150
    )
    assert "127.0.0.1:9 does not answer" in sentence(failed.stderr)


def test_no_secret_is_logged(seaweedfs: Server, new_lake: MakeLake) -> None:
    medallion = new_lake(seaweedfs)
    done = medallion.run("simulate", "--events", 50, "--log-level", "debug")
    done2 = medallion.run("bronze", "--once", "--log-level", "debug")
    for text in (done.stdout, done.stderr, done2.stdout, done2.stderr):
        assert SECRET not in text and "Signature=" not in text
