"""What Terraform makes of infra/aws: that it is whole, settled, and does what it is there for."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from stack import INFRA, NAME, SNOWPIPE_QUEUE, Stack, Terraform, TerraformError
from waiting import wait_until

#: One stack serves all of them, whichever processes the other tests run in.
pytestmark = pytest.mark.xdist_group("stack")

HOUR = r"yyyy=\d{4}/mm=\d\d/dd=\d\d/HH=\d\d"


def test_the_files_are_in_terraforms_own_format(mirror: Path, tmp_path: Path) -> None:
    terraform = Terraform.in_copy(tmp_path / "aws")
    terraform.run("fmt", "-check", "-recursive", "-diff", "..")


def test_the_configuration_is_valid(mirror: Path, tmp_path: Path) -> None:
    terraform = Terraform.in_copy(tmp_path / "aws")
    terraform.init(mirror)
    terraform.run("validate", "-no-color")


#: What MiniStack keeps to itself when it is asked again, so that Terraform would set it once more.
UNTOLD = {
    "aws_kinesis_firehose_delivery_stream.raw": {"extended_s3_configuration"},
    "aws_glue_job.cleaner": {"execution_property", "tags_all"},
    "aws_glue_trigger.cleaner": {"predicate"},
}


def test_after_apply_there_is_nothing_left_to_change(applied: Stack) -> None:
    applied.terraform.run("plan", "-out=again", "-input=false", "-no-color")
    planned = json.loads(applied.terraform.run("show", "-json", "again").stdout)
    for change in planned["resource_changes"]:
        before, after = change["change"]["before"], change["change"]["after"]
        assert change["change"]["actions"] in (["no-op"], ["update"]), change["address"]
        differs = {name for name in after if before.get(name) != after[name]}
        assert differs <= UNTOLD.get(f"{change['type']}.{change['name']}", set()), change["address"]


def test_a_wrong_variable_is_answered_with_what_it_must_be(applied: Stack) -> None:
    wrong = {
        "lake_prefix": ("lakes/retail", "end with a slash"),
        "administrator_arn": ("arn:aws:sts::123456789012:assumed-role/a/b", "a user or a role"),
        "bronze_engine": ("spark", "medallion or glue"),
        "snowflake_external_id": (None, "or neither"),
    }
    file = applied.terraform.directory / "wrong.tfvars.json"
    file.write_text(json.dumps({name: value for name, (value, _) in wrong.items()}))
    said = plan_is_refused(applied.terraform, file)
    for _, says in wrong.values():
        assert says in said


def test_nobody_is_trusted_by_a_pattern_or_as_a_whole_account(applied: Stack) -> None:
    file = applied.terraform.directory / "trusting.tfvars.json"
    trusting = {
        "bronze_worker_trusted_arns": ["arn:aws:iam::123456789012:role/*"],
        "snowflake_user_arn": "arn:aws:iam::123456789012:root",
    }
    file.write_text(json.dumps(trusting))
    said = plan_is_refused(applied.terraform, file)
    assert "by their exact ARNs" in said
    assert "exact ARN of one user" in said


def plan_is_refused(terraform: Terraform, variables: Path) -> str:
    """What Terraform says of these variables, on one line."""
    with pytest.raises(TerraformError) as failure:
        terraform.run(
            "plan", "-input=false", "-no-color", "-refresh=false", f"-var-file={variables}"
        )
    return re.sub(r"\s+", " ", str(failure.value))


# MARK: the buckets


@pytest.mark.parametrize("suffix", ["", "-logs"])
def test_the_buckets_are_closed_owned_and_encrypted(applied: Stack, suffix: str) -> None:
    s3, bucket = applied.root("s3"), {"Bucket": applied.bucket + suffix}
    assert all(s3.get_public_access_block(**bucket)["PublicAccessBlockConfiguration"].values())
    owned = s3.get_bucket_ownership_controls(**bucket)["OwnershipControls"]["Rules"]
    assert owned == [{"ObjectOwnership": "BucketOwnerEnforced"}]
    rules = s3.get_bucket_encryption(**bucket)["ServerSideEncryptionConfiguration"]["Rules"]
    assert [rule["ApplyServerSideEncryptionByDefault"] for rule in rules] == [
        {"SSEAlgorithm": "AES256"}
    ]


def test_the_lake_keeps_versions_and_logs_accesses(applied: Stack) -> None:
    s3, bucket = applied.root("s3"), {"Bucket": applied.bucket}
    assert s3.get_bucket_versioning(**bucket)["Status"] == "Enabled"
    logging = s3.get_bucket_logging(**bucket)["LoggingEnabled"]
    assert (logging["TargetBucket"], logging["TargetPrefix"]) == (
        f"{applied.bucket}-logs",
        "access/",
    )


def test_the_lifecycle_cools_raw_and_expires_nothing_of_the_history(applied: Stack) -> None:
    rules = applied.root("s3").get_bucket_lifecycle_configuration(Bucket=applied.bucket)["Rules"]
    by_id = {rule["ID"]: rule for rule in rules}
    assert by_id["abort-uploads"]["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 7}
    assert by_id["cool-raw"]["Filter"] == {"Prefix": "raw/"}
    assert [move["StorageClass"] for move in by_id["cool-raw"]["Transitions"]] == [
        "STANDARD_IA",
        "GLACIER_IR",
    ]
    assert not [rule for rule in rules if "Days" in rule.get("Expiration", {})]
    forgetting = [rule for rule in rules if "NoncurrentVersionExpiration" in rule]
    assert {rule["Filter"]["Prefix"] for rule in forgetting} == {"tmp/", "gold/", "dimensions/"}


# MARK: what tells of new objects


def received(stack: Stack, queue: str) -> list[dict[str, Any]]:
    """The S3 events that wait in a queue, each taken from it."""
    sqs = stack.root("sqs")
    messages = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10, WaitTimeSeconds=1)
    events = []
    for message in messages.get("Messages", []):
        sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
        events += json.loads(message["Body"]).get("Records", [])
    return events


def hears_of(stack: Stack, queue: str, key: str) -> dict[str, Any]:
    # A key in an event is encoded as in a form.
    encoded = key.replace("=", "%3D")

    def events() -> list[dict[str, Any]]:
        return [e for e in received(stack, queue) if e["s3"]["object"]["key"] == encoded]

    return wait_until(events, f"an event of {key}", within=30)[0]


def test_the_queue_hears_of_raw_and_snowpipe_of_bronze(applied: Stack) -> None:
    ours = applied.outputs["queue_url"]
    snowpipes = applied.root("sqs").get_queue_url(QueueName=SNOWPIPE_QUEUE)["QueueUrl"]
    raw, bronze = "raw/yyyy=2026/heard.json", "bronze/dt=2026-11-23/heard.parquet"
    put = {"Bucket": applied.bucket, "IfNoneMatch": "*", "Body": b"{}\n"}
    applied.client("s3", "bronze worker").put_object(**put, Key=bronze)
    applied.client("s3", "bronze worker").put_object(**put, Key="quarantine/unheard.ndjson")
    applied.client("s3", "simulator").put_object(**put, Key=raw)
    assert hears_of(applied, ours, raw)["eventName"] == "ObjectCreated:Put"
    assert hears_of(applied, snowpipes, bronze)["s3"]["bucket"]["name"] == applied.bucket
    # The raw object was put last: an event of the others would have been there by now.
    assert not [
        e for e in received(applied, ours) if not e["s3"]["object"]["key"].startswith("raw")
    ]


def test_a_message_that_cannot_be_worked_off_becomes_a_dead_letter(applied: Stack) -> None:
    sqs = applied.root("sqs")
    attributes = sqs.get_queue_attributes(
        QueueUrl=applied.outputs["queue_url"], AttributeNames=["All"]
    )["Attributes"]
    redrive = json.loads(attributes["RedrivePolicy"])
    assert redrive["deadLetterTargetArn"].endswith(f":{NAME}-events-dead-letters")
    assert int(redrive["maxReceiveCount"]) == 5
    assert attributes["SqsManagedSseEnabled"] == "true"
    assert attributes["ReceiveMessageWaitTimeSeconds"] == "20"
    sqs.send_message(QueueUrl=applied.outputs["queue_url"], MessageBody="poison")
    dead = applied.outputs["dead_letter_queue_url"]

    def dead_letter() -> bool:
        # Received and hidden for no time, time and again.
        sqs.receive_message(
            QueueUrl=applied.outputs["queue_url"],
            VisibilityTimeout=0,
            MaxNumberOfMessages=10,
            WaitTimeSeconds=0,
        )
        letters = sqs.receive_message(QueueUrl=dead, WaitTimeSeconds=0).get("Messages", [])
        return any(letter["Body"] == "poison" for letter in letters)

    wait_until(dead_letter, "a dead letter", within=30)


# MARK: stream and job


def test_what_goes_into_the_stream_lands_in_raw_in_the_lakes_layout(applied: Stack) -> None:
    line = b'{"event_id":"streamed","ts":"2026-11-23T10:00:00Z"}\n'
    sent = applied.client("firehose", "simulator").put_record_batch(
        DeliveryStreamName=applied.outputs["firehose"], Records=[{"Data": line}]
    )
    assert sent["FailedPutCount"] == 0
    s3 = applied.root("s3")

    def landed() -> str | None:
        listed = s3.list_objects_v2(Bucket=applied.bucket, Prefix="raw/").get("Contents", [])
        for entry in listed:
            body = s3.get_object(Bucket=applied.bucket, Key=entry["Key"])["Body"].read()
            if b'"streamed"' in body:
                return str(entry["Key"])
        return None

    key = wait_until(landed, "the record in raw", within=60)
    assert key is not None
    assert re.fullmatch(rf"raw/{HOUR}/[^/]+\.json", key), key
    assert s3.get_object(Bucket=applied.bucket, Key=key)["Body"].read() == line


def test_what_the_stream_cannot_deliver_stays_out_of_raw(applied: Stack) -> None:
    described = applied.root("firehose").describe_delivery_stream(
        DeliveryStreamName=applied.outputs["firehose"]
    )["DeliveryStreamDescription"]["Destinations"][0]["ExtendedS3DestinationDescription"]
    assert described["ErrorOutputPrefix"].startswith("firehose-errors/")
    assert described["Prefix"] == (
        "raw/yyyy=!{timestamp:yyyy}/mm=!{timestamp:MM}/dd=!{timestamp:dd}/HH=!{timestamp:HH}/"
    )
    assert described["CompressionFormat"] == "UNCOMPRESSED"


def test_the_job_reads_and_writes_the_lakes_prefixes(applied: Stack) -> None:
    glue, lake = applied.root("glue"), f"s3://{applied.bucket}"
    job = glue.get_job(JobName=applied.outputs["glue_job"])["Job"]
    arguments = job["DefaultArguments"]
    assert job["GlueVersion"] == "5.1"
    assert arguments["--INPUT_S3"] == f"{lake}/raw/"
    assert arguments["--OUTPUT_S3"] == f"{lake}/bronze/"
    assert arguments["--QUARANTINE_S3"] == f"{lake}/quarantine/"
    files = applied.terraform.directory.parents[1] / "glue"
    modules = (files / "glue_job_requirements.txt").read_text().split()
    assert arguments["--additional-python-modules"] == ",".join(modules)
    for path in (job["Command"]["ScriptLocation"], arguments["--extra-py-files"]):
        key = path.removeprefix(f"{lake}/")
        applied.client("s3", "glue job").get_object(Bucket=applied.bucket, Key=key)
    trigger = glue.get_trigger(Name=applied.outputs["glue_job"])["Trigger"]
    assert [action["JobName"] for action in trigger["Actions"]] == [applied.outputs["glue_job"]]


def test_every_policy_file_is_one_that_terraform_reads() -> None:
    read = " ".join(file.read_text() for file in INFRA.rglob("*.tf"))
    for policy in INFRA.glob("*.json"):
        json.loads(policy.read_text())
        assert f"/{policy.name}" in read
