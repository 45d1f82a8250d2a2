"""What linters say of Terraform, policies, image and service; exceptions stand in place."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from stack import ACCOUNT, INFRA, REGION, REPOSITORY

TOOLS = Path(__file__).resolve().parent / ".venv" / "bin"

#: What the placeholders of the policies stand for.
VALUES = {
    "account_id": ACCOUNT,
    "administrator_arn": f"arn:aws:iam::{ACCOUNT}:role/admin",
    "bucket_arn": "arn:aws:s3:::a-lake",
    "firehose_arn": f"arn:aws:firehose:{REGION}:{ACCOUNT}:deliverystream/raw",
    "lake_arn": "arn:aws:s3:::a-lake/lakes/retail",
    "lake_prefix": "lakes/retail/",
    "log_bucket_arn": "arn:aws:s3:::a-lake-logs",
    "log_group_arn": f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/aws/kinesisfirehose/raw",
    "queue_arn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:events",
    "region": REGION,
    **{
        f"{role}_role_arn": f"arn:aws:iam::{ACCOUNT}:role/{role}"
        for role in ("bronze_worker", "firehose", "glue", "simulator", "snowflake")
    },
}

POLICIES = sorted(file.name for file in INFRA.glob("*.json"))
ROLE_POLICIES = [
    name
    for name in POLICIES
    if name not in {"s3_bucket_policy.json", "log_bucket_policy.json", "queue_policy.json"}
]


def tool(name: str) -> str:
    """A linter; where it was not installed the test is skipped with the reason."""
    if (TOOLS / name).exists():
        return str(TOOLS / name)
    pytest.skip(f"{name} is missing: Tests/infra/setup installs it")


def rendered(name: str) -> str:
    """A policy as Terraform makes it."""
    text = (INFRA / name).read_text()
    for placeholder, value in VALUES.items():
        text = text.replace(f"${{{placeholder}}}", value)
    assert "${" not in text, text
    return text


def test_checkov_has_nothing_to_say_of_the_configuration() -> None:
    environment = {**os.environ, "BC_SKIP_MAPPING": "TRUE", "LOG_LEVEL": "ERROR"}
    command = [tool("checkov"), "--directory", str(INFRA), "--framework", "terraform"]
    command += ["--skip-download", "--output", "json", "--download-external-modules", "false"]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=120, env=environment, check=False
    )
    assert done.stdout.startswith(("{", "[")), done.stderr
    report = json.loads(done.stdout)
    failed = [
        f"{check['check_id']} {check['resource']}: {check['check_name']}"
        for check in report["results"]["failed_checks"]
    ]
    assert failed == []
    assert report["summary"]["passed"] > 50
    assert report["summary"]["parsing_errors"] == 0
    # Each exception stands beside what it excepts, with its reason.
    for check in report["results"]["skipped_checks"]:
        assert len(check["check_result"]["suppress_comment"]) > 20, check["check_id"]


def findings_of_parliament(policy: str) -> list[str]:
    done = subprocess.run(
        [tool("parliament"), "--json", "--string", policy],
        stdin=subprocess.DEVNULL,
        # Of a module that it imports, not of the policy.
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert not done.stderr, done.stderr
    return done.stdout.splitlines()


def findings_of_cloudsplaining(policy: str, directory: Path) -> str:
    file = directory / "policy.json"
    file.write_text(policy)
    done = subprocess.run(
        [tool("cloudsplaining"), "scan-policy-file", "--input-file", str(file)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.replace("There were no results found.", "").strip()


@pytest.mark.parametrize("name", POLICIES)
def test_parliament_has_nothing_to_say_of_a_policy(name: str) -> None:
    assert findings_of_parliament(rendered(name)) == []


@pytest.mark.parametrize("name", ROLE_POLICIES)
def test_cloudsplaining_finds_no_way_to_more_than_a_role_has(name: str, tmp_path: Path) -> None:
    assert findings_of_cloudsplaining(rendered(name), tmp_path) == ""


def test_the_linters_of_policies_do_find_what_is_wrong(tmp_path: Path) -> None:
    policy = rendered("simulator_policy.json")
    assert "UNKNOWN_ACTION" in findings_of_parliament(policy.replace(":PutObject", ":PutObjct"))[0]
    too_much = policy.replace('"firehose:PutRecordBatch"', '"iam:PutRolePolicy"')
    assert findings_of_cloudsplaining(too_much.replace(VALUES["firehose_arn"], "*"), tmp_path)


def test_hadolint_has_nothing_to_say_of_the_image() -> None:
    done = subprocess.run(
        [tool("hadolint"), str(REPOSITORY / "Dockerfile")],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "")


def test_the_image_copies_what_is_there() -> None:
    for copied in re.findall(
        r"^COPY (?!--from)(.+) \S+$", (REPOSITORY / "Dockerfile").read_text(), re.M
    ):
        for path in copied.split():
            assert (REPOSITORY / path).exists(), path


# MARK: the service

UNIT = REPOSITORY / "infra" / "systemd" / "medallion.service"


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """The unit with a command that is there, whatever this machine has in /opt."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is missing: apt-get install systemd")
    copy = tmp_path / UNIT.name
    program = shutil.which("true")
    assert program is not None
    copy.write_text(UNIT.read_text().replace("/opt/medallion/bin/medallion", program))
    return copy


def test_systemd_understands_the_unit(unit: Path) -> None:
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", str(unit)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_the_unit_is_hardened(unit: Path) -> None:
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--threshold=15", str(unit)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:]
