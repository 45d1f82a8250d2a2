from __future__ import annotations

import json
import shutil
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import stack
from stack import (
    ACCOUNT,
    BUCKET,
    EXTERNAL_ID,
    NAME,
    REGION,
    SNOWPIPE_QUEUE,
    Emulator,
    Stack,
    Terraform,
)

ASSUME_ANY_ROLE = {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}
EVERYTHING = {"Effect": "Allow", "Action": "*", "Resource": "*"}
USERS = {
    # Who runs simulator and worker, and takes their roles.
    "host": [ASSUME_ANY_ROLE],
    # The user in whose name Snowflake comes.
    "snowflake-user": [ASSUME_ANY_ROLE],
    # Who runs Terraform, and may touch objects.
    "administrator": [EVERYTHING],
    # Somebody else of the account, who is allowed everything, also any role.
    "stranger": [EVERYTHING],
}


@pytest.fixture(scope="session")
def mirror() -> Path:
    if shutil.which("terraform") is None:
        pytest.skip(
            "terraform is missing: install it from https://developer.hashicorp.com/terraform"
        )
    if (found := stack.provider_mirror()) is None:
        pytest.skip(
            "no mirror with Terraform's AWS provider: make one by `terraform providers mirror DIR`"
            " in infra/aws/example, and name it in TERRAFORM_PLUGIN_DIR"
        )
    return found


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    with stack.emulator(tmp_path_factory.mktemp("emulator")) as running:
        yield running


@pytest.fixture(scope="session")
def applied(mirror: Path, emulator: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Stack:
    """The stack as `terraform apply` makes it of infra/aws/example, by an administrator's keys."""
    users = {name: stack.create_user(emulator, name, may) for name, may in USERS.items()}
    # Snowpipe's own queue is in Snowflake's account; its policy lets any bucket send.
    snowpipe_arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{SNOWPIPE_QUEUE}"
    send = {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": "*"}
    emulator.client("sqs", stack.ROOT).create_queue(
        QueueName=SNOWPIPE_QUEUE,
        Attributes={"Policy": json.dumps({"Version": "2012-10-17", "Statement": [send]})},
    )

    directory = tmp_path_factory.mktemp("terraform")
    keys = users["administrator"]
    terraform = Terraform.in_copy(
        directory / "aws",
        {
            "AWS_ACCESS_KEY_ID": keys["aws_access_key_id"],
            "AWS_SECRET_ACCESS_KEY": keys["aws_secret_access_key"],
            "AWS_CA_BUNDLE": str(emulator.authority),
            "AWS_ENDPOINT_URL": emulator.url,
            "AWS_EC2_METADATA_DISABLED": "true",
        },
    )
    # The one thing that is not as it is on AWS, and has no variable in the environment.
    (terraform.directory / "emulator_override.tf").write_text(
        'provider "aws" {\n  s3_use_path_style = true\n}\n'
    )
    job = job_files(directory)
    variables: dict[str, Any] = {
        "region": REGION,
        "name": NAME,
        "bucket": BUCKET,
        "administrator_arn": stack.user_arn("administrator"),
        "simulator_trusted_arns": [stack.user_arn("host")],
        "bronze_worker_trusted_arns": [stack.user_arn("host")],
        "glue_script": str(job / "glue_job_cleaner.py"),
        "glue_requirements": str(job / "glue_job_requirements.txt"),
        "glue_package": str(directory / "medallion_glue.zip"),
        "snowflake_user_arn": stack.user_arn("snowflake-user"),
        "snowflake_external_id": EXTERNAL_ID,
        "snowpipe_queue_arn": snowpipe_arn,
    }
    (terraform.directory / "terraform.tfvars.json").write_text(json.dumps(variables))
    terraform.init(mirror)
    terraform.run("apply", "-auto-approve", "-input=false", "-no-color", "-parallelism=30")

    sessions = {
        "simulator": stack.assume(emulator, users["host"], f"{NAME}-simulator"),
        "bronze worker": stack.assume(emulator, users["host"], f"{NAME}-bronze-worker"),
        "snowflake": stack.assume(
            emulator, users["snowflake-user"], f"{NAME}-snowflake", EXTERNAL_ID
        ),
        "glue job": session_of_service(emulator, users["stranger"], f"{NAME}-glue"),
        "firehose": session_of_service(emulator, users["stranger"], f"{NAME}-firehose"),
    }
    return Stack(emulator, terraform, BUCKET, terraform.outputs(), {**users, **sessions})


def job_files(directory: Path) -> Path:
    """The job's script and requirements, and beside them what stands for its package."""
    job, source = directory / "glue", stack.REPOSITORY / "glue"
    if source.is_dir():
        shutil.copytree(source, job)
    else:
        job.mkdir()
        (job / "glue_job_cleaner.py").write_text("# stands for the job\n")
        (job / "glue_job_requirements.txt").write_text("boto3==1.43.106\nxxhash==4.1.0\n")
    # As an empty zip begins and ends.
    (directory / "medallion_glue.zip").write_bytes(b"PK\x05\x06" + bytes(18))
    return job


def session_of_service(emulator: Emulator, user: stack.Credentials, role: str) -> stack.Credentials:
    """A session of a role that only a service of AWS may take: for a moment the user may, too."""
    with stack.refused():
        stack.assume(emulator, user, role)
    iam = emulator.client("iam", stack.ROOT)
    trust = iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"]
    anybody = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
    iam.update_assume_role_policy(
        RoleName=role,
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [anybody]}),
    )
    session = stack.assume(emulator, user, role)
    iam.update_assume_role_policy(RoleName=role, PolicyDocument=json.dumps(trust))
    return session


# MARK: the matrix of who may do what, as the tests found it


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    # The tests may have run in other processes: what they found comes with their reports.
    found: dict[str, dict[str, dict[str, str]]] = defaultdict(dict)
    actions: list[str] = []
    for report in (*terminalreporter.getreports("passed"), *terminalreporter.getreports("failed")):
        for name, value in report.user_properties:
            if name == "access":
                actions = list(value["found"])
                found[value["who"]][value["where"]] = value["found"]
    if not found:
        return
    terminalreporter.section("who may do what, on the server")
    heading = "".join(f"{action:>11}" for action in actions)
    terminalreporter.write_line(f"{'role':<15}{'prefix':<18}{heading}")
    for who, places in found.items():
        for where, marks in places.items():
            cells = "".join(f"{mark:>11}" for mark in marks.values())
            terminalreporter.write_line(f"{who:<15}{where:<18}{cells}")
