"""Writes signatures.json: what botocore, the vendor's own signer, makes of requests.

    python Tests/AWSTests/make_signatures.py

Run it by a Python that has botocore. The keys are those of AWS's published test suite.
"""

from __future__ import annotations

import datetime
import json
from pathlib import Path
from typing import Any
from unittest import mock
from urllib.parse import quote

from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

DATE = datetime.datetime(2015, 8, 30, 12, 36, 0, tzinfo=datetime.UTC)
EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
HOST = ["host", "example.amazonaws.com"]
KEY = "AKIDEXAMPLE"
SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"


def case(name: str, service: str = "service", **changes: Any) -> dict[str, Any]:
    request: dict[str, Any] = {
        "name": name,
        "service": service,
        "region": "us-east-1",
        "method": "GET",
        "path": "/",
        "query": [],
        "headers": [HOST],
        "payload_hash": EMPTY,
        "token": None,
        "date": "20150830T123600Z",
        **changes,
    }
    query = "&".join(
        f"{quote(k, safe='-_.~')}={quote(v, safe='-_.~')}" for k, v in request["query"]
    )
    url = f"https://example.amazonaws.com{request['path']}" + (f"?{query}" if query else "")
    sent = AWSRequest(method=request["method"], url=url, data=b"")
    for header, value in request["headers"]:
        if header.lower() != "host":
            sent.headers.add_header(header, value)
    signer_class = S3SigV4Auth if service == "s3" else SigV4Auth
    signer = signer_class(Credentials(KEY, SECRET, request["token"]), service, request["region"])
    now = mock.Mock(return_value=DATE.replace(tzinfo=None))
    with (
        mock.patch("botocore.auth.get_current_datetime", now),
        mock.patch.object(signer_class, "payload", lambda *_: request["payload_hash"]),
    ):
        signer.add_auth(sent)
    request["authorization"] = sent.headers["Authorization"]
    return request


def main() -> None:
    unreserved = "-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
    cases = [
        case("vanilla"),
        case("vanilla post", method="POST"),
        case("unreserved in the path", path=f"/{unreserved}"),
        case("unreserved in the query", query=[[unreserved, unreserved]]),
        case("blank in the path", path="/example%20space/"),
        case("beyond ASCII in the path", path="/%E1%88%B4"),
        case("beyond ASCII in the query", query=[["ሴ", "bar"]]),
        case("plus, equals and slash in the query", query=[["a+b=c", "d/e f&g"]]),
        case("query in another order", query=[["Param2", "value2"], ["Param1", "value1"]]),
        case("one name with several values", query=[["a", "2"], ["a", "1"], ["A", "0"]]),
        case(
            "a value that begins as another's name", query=[["p-1", "x"], ["p", "y"], ["p.", "z"]]
        ),
        case("empty value", query=[["uploads", ""]]),
        case("relative path", path="/example/.."),
        case("relative path of two parts", path="/example1/example2/../.."),
        case("dot in the path", path="/./"),
        case("dot and name", path="/./example"),
        case("slash", path="//"),
        case("slashes", path="//example//"),
        case("header in capitals", headers=[HOST, ["My-Header1", "VALUE1"]]),
        case("header with blanks", headers=[HOST, ["My-Header1", "  a   b   c  "]]),
        case("headers in another order", headers=[HOST, ["Zoo", "z"], ["apple", "a"]]),
        case(
            "session token",
            token="6e86291e8372ff2a2260956d9b8aae1d763fbf315fa00fa31553b73ebf194267",
        ),
        case(
            "content type",
            method="POST",
            headers=[HOST, ["content-type", "application/x-amz-json-1.0"]],
        ),
        case("S3 vanilla", "s3"),
        case("S3 keeps dots", "s3", path="/bucket/a/../b"),
        case("S3 keeps slashes", "s3", path="/bucket//a//b/"),
        case("S3 encodes a key once", "s3", path="/bucket/yyyy%3D2026/a%20b%2Bc%25.json"),
        case("S3 with a token", "s3", token="token/with+signs==", path="/bucket/key"),
        case(
            "S3 lists",
            "s3",
            path="/bucket/",
            query=[
                ["prefix", "raw/yyyy=2026/"],
                ["list-type", "2"],
                ["continuation-token", "a/b+c=="],
            ],
        ),
        case(
            "S3 with a hash",
            "s3",
            method="PUT",
            path="/bucket/key",
            payload_hash="44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072",
            headers=[HOST, ["if-none-match", "*"], ["x-amz-checksum-crc64nvme", "AAAAAAAAAAA="]],
        ),
        case("another region", region="eu-central-1", service="sqs", method="POST"),
    ]
    path = Path(__file__).with_name("signatures.json")
    path.write_text(json.dumps(cases, indent=1, ensure_ascii=False, sort_keys=True) + "\n")
    print(f"{len(cases)} cases in {path}")


if __name__ == "__main__":
    main()
