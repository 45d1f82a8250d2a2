"""The job's arguments: those of the first sketch, and options."""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from pkgutil import get_data

from medallion_glue.contract import Contract
from medallion_glue.job import BATCH_BYTES, FILE_BYTES, TASK_BYTES, Settings
from medallion_glue.lake import BRONZE, QUARANTINE, RAW
from medallion_glue.store import StoreError, open_store, read_all

SCHEMA = "purchase_event.schema.json"

EXAMPLES = """\
On this machine, in a lake of the command medallion:
  spark-submit --py-files dist/medallion_glue.zip glue/glue_job_cleaner.py \\
    --JOB_NAME bronze --INPUT_S3 lake/raw/ --OUTPUT_S3 lake/bronze/

In a bucket (credentials and region as boto3 finds them):
  … --INPUT_S3 s3://bucket/lake/raw/ --OUTPUT_S3 s3://bucket/lake/bronze/

Only one day of arrival:
  … --INPUT_S3 s3://bucket/lake/raw/yyyy=2026/mm=11/dd=23/ --OUTPUT_S3 s3://bucket/lake/bronze/
"""


class UsageError(Exception):
    """What is wrong with the arguments; the message says the mend."""


@dataclass(frozen=True)
class Arguments:
    job_name: str
    settings: Settings
    #: The namespace of CloudWatch that gets the run's metrics; with None they are not sent.
    metrics_namespace: str | None


def parse_arguments(words: Sequence[str]) -> Arguments:
    """Reads the arguments, the contract among them. Throws `UsageError` or `ContractError`.

    Glue adds arguments of its own, in lower case or beginning with JOB_ or TempDir: these are
    passed over, and what else is not known is refused.
    """
    parser = argparse.ArgumentParser(
        prog="glue_job_cleaner.py",
        description="Raw → bronze on Spark: judges lines, writes Parquet and quarantine, commits.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("--JOB_NAME", required=True, help="the job's name, in logs and metrics")
    add("--INPUT_S3", required=True, help="the lake's raw/, or a folder of it")
    add("--OUTPUT_S3", required=True, help="the lake's bronze/")
    add("--QUARANTINE_S3", help="the lake's quarantine/ (default: beside bronze/)")
    add("--CONTRACT", help="the contract's file (default: the one in the package)")
    add("--FILE_BYTES", type=int, default=FILE_BYTES, help="a file is ended at this size")
    add("--BATCH_BYTES", type=int, default=BATCH_BYTES, help="stored bytes of one commit")
    add("--TASK_BYTES", type=int, default=TASK_BYTES, help="text of one Spark task")
    add("--METRICS_NAMESPACE", help="CloudWatch namespace of the run's metrics (default: none)")
    known, others = parser.parse_known_args(list(words))
    for word in others:
        if re.match(r"--(?!JOB_|TempDir)[A-Z]", word):
            parser.error(f"there is no argument {word}")
    for name in ("FILE_BYTES", "BATCH_BYTES", "TASK_BYTES"):
        if getattr(known, name) < 1:
            parser.error(f"--{name} must be a number of bytes, at least 1")
    contract = _read_contract(known.CONTRACT)
    # Before Spark starts: a broken one is no task's fault.
    Contract.parse(contract)
    lake, prefix = place_of(known.INPUT_S3, known.OUTPUT_S3, known.QUARANTINE_S3)
    settings = Settings(
        lake,
        prefix,
        contract,
        known.FILE_BYTES,
        known.BATCH_BYTES,
        known.TASK_BYTES,
    )
    return Arguments(known.JOB_NAME, settings, known.METRICS_NAMESPACE)


def place_of(raw: str, bronze: str, quarantine: str | None) -> tuple[str, str]:
    """The lake, and which of its raw objects are meant.

    The three places belong to one lake: its commits name all keys from its root on.
    """
    raw, bronze = raw.rstrip("/") + "/", bronze.rstrip("/") + "/"
    if bronze.startswith(BRONZE):
        bronze = f"./{bronze}"
    lake = bronze.removesuffix(BRONZE)
    if lake == bronze or not lake.endswith("/"):
        raise UsageError(
            f"--OUTPUT_S3 {bronze} is no lake's bronze/: name LAKE/bronze/, such as "
            "s3://bucket/lake/bronze/"
        )
    if raw.startswith(RAW):
        raw = f"./{raw}"
    if not raw.startswith(lake + RAW):
        raise UsageError(
            f"--INPUT_S3 {raw} is not in {lake}{RAW}: raw and bronze belong to one lake, whose "
            f"commits name both; name {lake}{RAW} or a folder of it"
        )
    if quarantine is not None:
        quarantine = quarantine.rstrip("/") + "/"
        if quarantine.startswith(QUARANTINE):
            quarantine = f"./{quarantine}"
        if quarantine != lake + QUARANTINE:
            raise UsageError(
                f"--QUARANTINE_S3 {quarantine} is not {lake}{QUARANTINE}: what is refused stays in "
                "the lake, where redrive and verify find it; leave the argument out"
            )
    return lake.rstrip("/") or "/", raw[len(lake) :]


def _read_contract(place: str | None) -> bytes:
    if place is None:
        # In the package as it is built, and in the project as it is cloned.
        try:
            packed = get_data("medallion_glue", SCHEMA)
        except OSError:
            packed = None
        if packed is not None:
            return packed
        place = str(Path(__file__).parents[2] / "contract" / SCHEMA)
    folder, _, name = place.rpartition("/")
    try:
        if "://" in place:
            return read_all(open_store(folder), name)
        return Path(place).read_bytes()
    except (OSError, StoreError) as problem:
        raise UsageError(f"--CONTRACT {place} cannot be read: {problem}") from None
