"""Events through Firehose, which lands them in raw by its own prefix expressions."""

from __future__ import annotations

import http.server
import json
import threading
from base64 import b64decode
from collections.abc import Iterator
from typing import Any

import pytest
from s3_lakes import MakeLake, keys, prefix
from servers import BUCKET, Server


@pytest.fixture
def landed(ministack: Server, new_lake: MakeLake) -> Any:
    """A lake, and the name of a stream that lands in its raw layer."""
    medallion = new_lake(ministack)
    hours = "yyyy=!{timestamp:yyyy}/mm=!{timestamp:MM}/dd=!{timestamp:dd}/HH=!{timestamp:HH}/"
    ministack.client("firehose").create_delivery_stream(
        DeliveryStreamName="retail-raw",
        ExtendedS3DestinationConfiguration={
            "RoleARN": "arn:aws:iam::000000000000:role/firehose",
            "BucketARN": f"arn:aws:s3:::{BUCKET}",
            "Prefix": f"{prefix(medallion)}raw/{hours}",
            "ErrorOutputPrefix": f"{prefix(medallion)}errors/",
            "FileExtension": ".json",
        },
    )
    return medallion


def test_events_go_through_firehose_to_bronze(ministack: Server, landed: Any) -> None:
    medallion = landed
    made = medallion.run(
        "simulate", "--firehose", "retail-raw", "--events", 120, "--seed", 3, on_lake=False
    )
    assert made.stdout.startswith("120 events")
    raw = keys(ministack, medallion, "raw/")
    assert raw and all(key.startswith("raw/yyyy=") and key.endswith(".json") for key in raw)
    medallion.run("bronze", "--once")
    assert medallion.status()["bronze"]["rows"] == 120


class Choosy(http.server.BaseHTTPRequestHandler):
    """Answers PutRecordBatch, and refuses every third record the first time it is sent."""

    taken: list[bytes]
    refused: set[bytes]
    calls: list[int]

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        records = [b64decode(record["Data"]) for record in request["Records"]]
        self.calls.append(len(records))
        responses = []
        for number, record in enumerate(records):
            if number % 3 == 0 and record not in self.refused:
                self.refused.add(record)
                responses.append({"ErrorCode": "ServiceUnavailableException"})
            else:
                self.taken.append(record)
                responses.append({"RecordId": str(len(self.taken))})
        failed = sum("ErrorCode" in response for response in responses)
        body = json.dumps({"FailedPutCount": failed, "RequestResponses": responses}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def choosy() -> Iterator[tuple[str, type[Choosy]]]:
    handler = type("Handler", (Choosy,), {"taken": [], "refused": set(), "calls": []})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", handler
    server.shutdown()


def test_only_refused_records_are_sent_again(
    ministack: Server, new_lake: MakeLake, choosy: tuple[str, type[Choosy]]
) -> None:
    endpoint, handler = choosy
    medallion = new_lake(ministack, AWS_ENDPOINT_URL_FIREHOSE=endpoint)
    medallion.run(
        *("simulate", "--firehose", "s", "--events", 1700, "--batch-size", 1700, "--seed", 3),
        on_lake=False,
    )
    ids = [json.loads(record)["event_id"] for record in handler.taken]
    assert len(ids) == len(set(ids)) == 1700
    assert max(handler.calls) <= 500
    assert all(record.endswith(b"\n") for record in handler.taken)


def test_says_which_stream_is_not_there(ministack: Server, new_lake: MakeLake) -> None:
    failed = new_lake(ministack).run(
        "simulate", "--firehose", "nowhere", "--events", 10, check=1, on_lake=False
    )
    assert "nowhere does not exist" in failed.stderr


def test_an_answer_key_needs_objects(ministack: Server, new_lake: MakeLake) -> None:
    failed = new_lake(ministack).run(
        *("simulate", "--firehose", "s", "--events", 10, "--answer-key", "key"),
        check=2,
        on_lake=False,
    )
    assert "--answer-key names objects" in failed.stderr
