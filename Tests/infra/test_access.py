"""Who may do what with which part of the lake, asked of a server that checks it."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import botocore.exceptions
import pytest
from stack import EXTERNAL_ID, NAME, Stack, assume, refused, role_arn

#: One stack serves all of them, whichever processes the other tests run in.
pytestmark = pytest.mark.xdist_group("stack")

#: A part of the lake, and the object by whose like it is tried.
PLACES = {
    "raw/": "raw/yyyy=2026/mm=11/dd=23/HH=17/there.json",
    "bronze/": "bronze/dt=2026-11-23/there-0.parquet",
    "quarantine/": "quarantine/dt=2026-11-23/there.ndjson",
    "commits/": "commits/1.json",
    "checkpoints/": "checkpoints/1000.ndjson",
    "dimensions/": "dimensions/products.csv",
    "gold/": "gold/purchases_gold/there.parquet",
    "tmp/": "tmp/batch/bronze/dt=2026-11-23/there-0.parquet",
    "code/": "code/there.py",
    "firehose-errors/": "firehose-errors/there",
}
#: `put` is put-if-absent of a new object, `overwrite` a plain put on one that is there.
ACTIONS = ("list", "get", "put", "overwrite", "delete")

NOTHING: dict[str, str] = {}
READS_AND_ADDS = "list get put"
HISTORY = ("raw/", "bronze/", "quarantine/", "commits/", "checkpoints/")
GRANTED: dict[str, dict[str, str]] = {
    "simulator": {"raw/": "get put"},
    "bronze worker": {
        "raw/": "list get",
        "bronze/": READS_AND_ADDS,
        "quarantine/": READS_AND_ADDS,
        "commits/": READS_AND_ADDS,
        "checkpoints/": READS_AND_ADDS,
        "dimensions/": "list get put overwrite",
        "gold/": "list get put overwrite delete",
        "tmp/": "list get put overwrite delete",
        "code/": "list",
        "firehose-errors/": "list",
    },
    "glue job": {
        "raw/": "list get",
        "bronze/": READS_AND_ADDS,
        "quarantine/": READS_AND_ADDS,
        "commits/": READS_AND_ADDS,
        "checkpoints/": READS_AND_ADDS,
        "dimensions/": "list",
        "gold/": "list",
        "tmp/": "list get put overwrite delete",
        "code/": "list get",
        "firehose-errors/": "list",
    },
    "firehose": {
        **dict.fromkeys(PLACES, "list"),
        "raw/": "list put overwrite",
        "firehose-errors/": "list put overwrite",
    },
    "snowflake": {"bronze/": "list get"},
    "administrator": {
        **dict.fromkeys(PLACES, "list get put overwrite delete"),
        **dict.fromkeys(HISTORY, READS_AND_ADDS),
    },
    # Allowed everything by a policy of its own, and yet no part of this lake.
    "stranger": NOTHING,
}

numbers = itertools.count()


def put_in_place(stack: Stack, key: str) -> None:
    stack.root("s3").put_object(Bucket=stack.bucket, Key=key, Body=b"as it was")


def content(stack: Stack, key: str) -> bytes | None:
    """What is there, to root's eyes."""
    try:
        body: bytes = stack.root("s3").get_object(Bucket=stack.bucket, Key=key)["Body"].read()
    except botocore.exceptions.ClientError as failure:
        assert failure.response["Error"]["Code"] == "NoSuchKey", failure
        return None
    return body


def is_granted(call: Callable[[], Any]) -> bool:
    try:
        call()
    except botocore.exceptions.ClientError as failure:
        assert failure.response["Error"]["Code"] in {"AccessDenied", "403"}, failure
        return False
    return True


def try_all(stack: Stack, who: str, where: str) -> dict[str, bool]:
    """Does all that can be done in a place, and makes sure that it was done, or was not."""
    s3, bucket = stack.client("s3", who), stack.bucket
    there = PLACES[where]
    directory, name = there.rsplit("/", 1)
    new = f"{directory}/{next(numbers)}-{name}"
    put_in_place(stack, there)
    granted = {}
    granted["list"] = is_granted(lambda: s3.list_objects_v2(Bucket=bucket, Prefix=where))
    granted["get"] = is_granted(lambda: s3.get_object(Bucket=bucket, Key=there)["Body"].read())
    granted["put"] = is_granted(
        lambda: s3.put_object(Bucket=bucket, Key=new, Body=b"new", IfNoneMatch="*")
    )
    assert content(stack, new) == (b"new" if granted["put"] else None)
    granted["overwrite"] = is_granted(
        lambda: s3.put_object(Bucket=bucket, Key=there, Body=b"other")
    )
    assert content(stack, there) == (b"other" if granted["overwrite"] else b"as it was")
    granted["delete"] = is_granted(lambda: s3.delete_object(Bucket=bucket, Key=there))
    assert (content(stack, there) is None) == granted["delete"]
    return granted


@pytest.mark.parametrize("where", PLACES)
@pytest.mark.parametrize("who", GRANTED)
def test_a_role_may_do_what_its_work_needs_and_nothing_else(
    applied: Stack, who: str, where: str, record_property: Callable[[str, object], None]
) -> None:
    granted = try_all(applied, who, where)
    marks = {action: "yes" if granted[action] else "-" for action in ACTIONS}
    record_property("access", {"who": who, "where": where, "found": marks})
    assert [action for action in ACTIONS if granted[action]] == GRANTED[who].get(where, "").split()


# MARK: single objects


def test_nobody_deletes_a_version_of_a_raw_object(applied: Stack) -> None:
    key = "raw/versions.json"
    version = applied.root("s3").put_object(Bucket=applied.bucket, Key=key, Body=b"1")["VersionId"]
    for who in GRANTED:
        with refused():
            applied.client("s3", who).delete_object(
                Bucket=applied.bucket, Key=key, VersionId=version
            )
    assert content(applied, key) == b"1"


def test_the_worker_removes_gold_files_and_never_the_pointer(applied: Stack) -> None:
    put_in_place(applied, "gold/current.json")
    worker = applied.client("s3", "bronze worker")
    worker.put_object(Bucket=applied.bucket, Key="gold/current.json", Body=b"{}")
    with refused():
        worker.delete_object(Bucket=applied.bucket, Key="gold/current.json")


def test_the_worker_is_told_that_an_object_is_missing(applied: Stack) -> None:
    with pytest.raises(botocore.exceptions.ClientError) as failure:
        applied.client("s3", "bronze worker").get_object(
            Bucket=applied.bucket, Key="commits/999999.json"
        )
    assert failure.value.response["Error"]["Code"] == "NoSuchKey"


@pytest.mark.parametrize("who", ["bronze worker", "glue job"])
def test_publishing_copies_from_tmp_if_nothing_is_there(applied: Stack, who: str) -> None:
    source, target = f"tmp/{who}/x.parquet", f"bronze/dt=2026-11-23/copied-by-{who}.parquet"
    put_in_place(applied, source)
    s3 = applied.client("s3", who)
    copy = {"Bucket": applied.bucket, "Key": target}
    copy_source = {"Bucket": applied.bucket, "Key": source}
    with refused():
        s3.copy_object(**copy, CopySource=copy_source)
    s3.copy_object(**copy, CopySource=copy_source, IfNoneMatch="*")
    assert content(applied, target) == b"as it was"


def test_an_upload_in_parts_is_completed_only_if_nothing_is_there(applied: Stack) -> None:
    s3 = applied.client("s3", "simulator")
    place = {"Bucket": applied.bucket, "Key": "raw/large.json"}
    upload = {**place, "UploadId": s3.create_multipart_upload(**place)["UploadId"]}
    tag = s3.upload_part(**upload, PartNumber=1, Body=b"{}\n")["ETag"]
    parts = {"Parts": [{"PartNumber": 1, "ETag": tag}]}
    with refused():
        s3.complete_multipart_upload(**upload, MultipartUpload=parts)
    s3.complete_multipart_upload(**upload, MultipartUpload=parts, IfNoneMatch="*")
    assert content(applied, "raw/large.json") == b"{}\n"
    abandoned = s3.create_multipart_upload(**place)["UploadId"]
    s3.abort_multipart_upload(**place, UploadId=abandoned)


# MARK: the bucket


def test_without_tls_nobody_is_served(applied: Stack) -> None:
    put_in_place(applied, "raw/tls.json")
    for who in ("simulator", "bronze worker", "administrator"):
        s3 = applied.client("s3", who, tls=False)
        with refused():
            s3.get_object(Bucket=applied.bucket, Key="raw/tls.json")
    with refused():
        applied.client("sqs", "bronze worker", tls=False).receive_message(
            QueueUrl=applied.outputs["queue_url"]
        )


def test_nobody_is_served_without_a_signature(applied: Stack) -> None:
    put_in_place(applied, "raw/anonymous.json")
    anonymous = applied.emulator.anonymous("s3")
    with refused():
        anonymous.get_object(Bucket=applied.bucket, Key="raw/anonymous.json")
    with refused():
        anonymous.list_objects_v2(Bucket=applied.bucket)


def test_a_wrong_signature_is_none(applied: Stack) -> None:
    forged = {**applied.credentials["simulator"], "aws_secret_access_key": "guessed"}
    with pytest.raises(botocore.exceptions.ClientError) as failure:
        applied.emulator.client("s3", forged).list_objects_v2(Bucket=applied.bucket)
    assert failure.value.response["Error"]["Code"] == "SignatureDoesNotMatch"


@pytest.mark.parametrize(
    "encryption",
    [
        {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": "alias/of-somebody"},
        {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": "k" * 32},
    ],
    ids=["a KMS key", "a key of the caller"],
)
def test_no_object_is_encrypted_by_a_key_that_the_lake_does_not_have(
    applied: Stack, encryption: dict[str, str]
) -> None:
    s3 = applied.client("s3", "simulator")
    with refused():
        s3.put_object(
            Bucket=applied.bucket, Key="raw/k.json", Body=b"", IfNoneMatch="*", **encryption
        )


# MARK: queue and stream


def test_only_the_worker_receives_and_only_the_bucket_sends(applied: Stack) -> None:
    queue = {"QueueUrl": applied.outputs["queue_url"]}
    applied.client("sqs", "bronze worker").receive_message(**queue)
    for who in ("simulator", "glue job", "firehose", "snowflake"):
        with refused():
            applied.client("sqs", who).receive_message(**queue)
    for who in ("bronze worker", "simulator", "glue job", "firehose", "snowflake"):
        with refused():
            applied.client("sqs", who).send_message(**queue, MessageBody="{}")


def test_only_the_simulator_puts_into_the_stream(applied: Stack) -> None:
    batch = {"DeliveryStreamName": applied.outputs["firehose"], "Records": [{"Data": b"{}\n"}]}
    assert applied.client("firehose", "simulator").put_record_batch(**batch)["FailedPutCount"] == 0
    for who in ("bronze worker", "glue job", "firehose", "snowflake"):
        with refused():
            applied.client("firehose", who).put_record_batch(**batch)


# MARK: who may take a role


@pytest.mark.parametrize(
    ("user", "role", "external_id"),
    [
        ("stranger", "simulator", None),
        ("stranger", "bronze-worker", None),
        ("snowflake-user", "bronze-worker", None),
        ("administrator", "glue", None),
        ("administrator", "firehose", None),
        ("host", "snowflake", EXTERNAL_ID),
        ("administrator", "snowflake", EXTERNAL_ID),
        ("snowflake-user", "snowflake", None),
        ("snowflake-user", "snowflake", EXTERNAL_ID.lower()),
    ],
)
def test_a_role_is_taken_by_nobody_else(
    applied: Stack, user: str, role: str, external_id: str | None
) -> None:
    with refused():
        assume(applied.emulator, applied.credentials[user], f"{NAME}-{role}", external_id)


def test_no_role_may_change_policies_or_take_another(applied: Stack) -> None:
    for who in ("simulator", "bronze worker", "glue job", "firehose", "snowflake"):
        with refused():
            applied.client("s3", who).delete_bucket_policy(Bucket=applied.bucket)
        with refused():
            applied.client("iam", who).attach_role_policy(
                RoleName=f"{NAME}-simulator",
                PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess",
            )
        with refused():
            applied.client("sts", who).assume_role(
                RoleArn=role_arn(f"{NAME}-bronze-worker"), RoleSessionName="other"
            )
