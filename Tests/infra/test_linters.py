"""What linters say of Terraform, policies, image and service: nothing, or it is justified in place."""

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

#: What parliament says of a policy, and why it stands.
JUSTIFIED: dict[str, dict[str, str]] = {}


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


@pytest.mark.parametrize("name", POLICIES)
def test_parliament_has_nothing_to_say_of_a_policy(name: str) -> None:
    done = subprocess.run(
        [tool("parliament"), "--json", "--string", rendered(name)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    findings = [json.loads(line) for line in done.stdout.splitlines()]
    assert not done.stderr, done.stderr
    said = {
        f["issue"]: f for f in findings if f["issue"] not in JUSTIFIED.get(name, {})
    }
    assert said == {}
    assert set(JUSTIFIED.get(name, {})) <= {f["issue"] for f in findings}


def test_cloudsplaining_finds_no_way_to_more_than_a_role_has(tmp_path: Path) -> None:
    for name in ROLE_POLICIES:
        file = tmp_path / name
        file.write_text(rendered(name))
        done = subprocess.run(
            [tool("cloudsplaining"), "scan-policy-file", "--input-file", str(file)],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert "no identified findings" in done.stdout.lower() or not done.stdout.strip(), (
            name,
            done.stdout,
        )


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
    for copied in re.findall(r"^COPY (?!--from)(.+) \S+$", (REPOSITORY / "Dockerfile").read_text(), re.M):
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
