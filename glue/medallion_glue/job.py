"""The driver: raw objects that nobody consumed → batches of Spark tasks → commits."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from pyspark import TaskContext
from pyspark.sql import SparkSession

from medallion_glue import ENGINE
from medallion_glue.cleaner import Cleaned, Cleaner, Fault, QuarantinePart, clean_all
from medallion_glue.committer import Committer
from medallion_glue.contract import Contract
from medallion_glue.lake import (
    FORMAT,
    QUARANTINE,
    Commit,
    Lake,
    is_raw_object,
    new_batch,
    now_text,
)
from medallion_glue.plan import plan_batch, share_out
from medallion_glue.store import ObjectInfo, Store, open_store
from medallion_glue.verdict import Counts
from medallion_glue.work_file import WorkFile

#: A file is ended at this size: warehouses load files of 100 to 250 MB best.
FILE_BYTES = 192 << 20
#: Stored bytes of one batch: what a crash makes a run do again.
BATCH_BYTES = 16 << 30
#: Text of one task: about a file of 100 MB, and a minute.
TASK_BYTES = 512 << 20

logger = logging.getLogger("medallion")


@dataclass(frozen=True)
class Settings:
    """What a run is to do."""

    #: `s3://bucket/prefix` or a directory.
    lake: str
    #: Only raw objects whose keys begin so: `raw/`, or one of its folders.
    input_prefix: str
    #: The bytes of the contract's schema.
    contract: bytes
    file_bytes: int = FILE_BYTES
    batch_bytes: int = BATCH_BYTES
    task_bytes: int = TASK_BYTES


@dataclass
class Report:
    """What a run did."""

    lake: str
    commits: list[int] = field(default_factory=list)
    raw_objects: int = 0
    raw_bytes: int = 0
    counts: Counts = field(default_factory=Counts)
    bronze_files: int = 0
    bronze_bytes: int = 0
    #: Objects that could not be consumed: the next run tries them again.
    faults: list[Fault] = field(default_factory=list)
    #: Consumed objects that have another size now: an alarm; they are never consumed again.
    changed: list[str] = field(default_factory=list)
    elapsed_seconds: float = 0.0

    def add(self, commit: Commit, counts: Counts) -> None:
        self.commits.append(commit["number"])
        self.raw_objects += len(commit["raw"])
        self.raw_bytes += sum(source["size"] for source in commit["raw"])
        self.counts += counts
        self.bronze_files += len(commit["bronze"])
        self.bronze_bytes += sum(file["size"] for file in commit["bronze"])

    def as_json(self) -> dict[str, Any]:
        return {
            "lake": self.lake,
            "commits": self.commits,
            "raw": {"objects": self.raw_objects, "bytes": self.raw_bytes},
            "counts": self.counts.as_json(),
            "bronze": {"files": self.bronze_files, "bytes": self.bronze_bytes},
            "faults": [{"key": each.key, "reason": each.reason} for each in self.faults],
            "changed": self.changed,
            "elapsed_seconds": round(self.elapsed_seconds, 3),
        }


def run(spark: SparkSession, settings: Settings) -> Report:
    """Consumes every raw object that waits, batch by batch, and says what it did."""
    began = time.monotonic()
    contract = Contract.parse(settings.contract)
    store = open_store(settings.lake)
    report = Report(store.location)
    # A mistyped name must not become a lake.
    has_raw = next(iter(store.list(settings.input_prefix)), None) is not None
    lake = Lake.open(store, creating=has_raw)
    if lake is not None:
        committer = Committer(lake)
        committer.recover()
        _work_off(spark, settings, contract, lake, committer, report)
    report.elapsed_seconds = time.monotonic() - began
    return report


def _work_off(
    spark: SparkSession,
    settings: Settings,
    contract: Contract,
    lake: Lake,
    committer: Committer,
    report: Report,
) -> None:
    waiting = _find_waiting(lake, settings.input_prefix, report)
    faulty: set[str] = set()
    while waiting:
        plan = plan_batch(waiting, settings.batch_bytes)
        batch = new_batch()
        try:
            prepared, counts, faults = _write_batch(spark, settings, batch, plan)
        except BaseException:
            # What the tasks wrote was never committed.
            committer.abandon(batch)
            raise
        for fault in faults:
            logger.warning("%s %s: it is left for the next run", fault.key, fault.reason)
            faulty.add(fault.key)
        report.faults += faults
        commit = None
        if prepared is not None and prepared["raw"]:
            commit = committer.commit(prepared)
        if commit is None:
            committer.abandon(batch)
        else:
            committer.publish(batch)
            report.add(commit, counts)
            logger.info(
                "commit %d: %d objects, %d lines: %d accepted, %d quarantined, %d blank",
                *(commit["number"], len(commit["raw"]), counts.lines, counts.accepted),
                *(counts.quarantined_total, counts.blank),
            )
        waiting = [
            each for each in waiting if each.key not in lake.consumed and each.key not in faulty
        ]


def _find_waiting(lake: Lake, prefix: str, report: Report) -> list[ObjectInfo]:
    """The raw objects that nobody consumed, by key; of files of others, once they rest."""
    while True:
        waiting: list[ObjectInfo] = []
        report.changed = []
        for listed in lake.store.list(prefix):
            if not is_raw_object(listed.key):
                continue
            consumed = lake.consumed.get(listed.key)
            if consumed is None:
                waiting.append(listed)
            elif consumed.size_bytes != listed.size_bytes:
                report.changed.append(listed.key)
        now = time.time()
        ages = [now - each.modified_nanos / 1e9 for each in waiting]
        # A time in the future, from a clock that is ahead, says nothing.
        youngest = min((age for age in ages if age >= 0), default=lake.store.settle_seconds)
        if youngest >= lake.store.settle_seconds:
            break
        # Nothing announces that a file rests: its time has to pass.
        time.sleep(lake.store.settle_seconds - youngest)
    for key in report.changed:
        logger.error("%s changed after it was consumed: it is never consumed again", key)
    return sorted(waiting, key=lambda each: each.key.encode())


def _write_batch(
    spark: SparkSession, settings: Settings, batch: str, plan: Sequence[ObjectInfo]
) -> tuple[Commit | None, Counts, list[Fault]]:
    """Writes a batch's files below `tmp/`; what its commit has to say, or None if it is void."""
    context = spark.sparkContext
    shares = share_out(plan, context.defaultParallelism, settings.task_bytes)
    context.setJobDescription(f"bronze {batch}: {len(plan)} raw objects")
    results: list[Cleaned] = (
        context.parallelize(shares, len(shares))
        .map(lambda share: _clean_share(share, batch, settings))
        .collect()
    )
    faults = [fault for result in results for fault in result.faults]
    counts = Counts()
    for result in results:
        counts += result.counts
    if any(result.is_void for result in results):
        return None, counts, faults
    parts = sorted((part for result in results for part in result.parts), key=lambda each: each.day)
    by_day = [(day, list(some)) for day, some in groupby(parts, key=lambda each: each.day)]
    quarantine: list[dict[str, Any]] = []
    if by_day:
        context.setJobDescription(f"bronze {batch}: quarantine of {len(by_day)} days")
        quarantine = (
            context.parallelize(by_day, len(by_day))
            .map(lambda each: _join_parts(each[0], each[1], batch, open_store(settings.lake)))
            .collect()
        )
    sources = [source for result in results for source in result.sources]
    commit: Commit = {
        "batch": batch,
        "bronze": sorted(
            (file for result in results for file in result.files), key=lambda each: each["key"]
        ),
        "committed_at": now_text(),
        "contract": Contract.parse(settings.contract).sha256,
        "counts": counts.as_json(),
        "engine": ENGINE,
        "format": FORMAT,
        "kind": "bronze",
        "number": 0,
        "quarantine": quarantine,
        "raw": sorted(sources, key=lambda each: each["key"].encode()),
        "superseded": [],
    }
    return commit, counts, faults


# --- on the executors -----------------------------------------------------------------------------


def _clean_share(share: list[ObjectInfo], batch: str, settings: Settings) -> Cleaned:
    context = TaskContext.get()
    attempt = context.taskAttemptId() if context else 0
    cleaner = Cleaner(
        batch,
        attempt,
        Contract.parse(settings.contract),
        open_store(settings.lake),
        settings.file_bytes,
    )
    return clean_all(share, cleaner)


def _join_parts(day: str, parts: list[QuarantinePart], batch: str, store: Store) -> dict[str, Any]:
    """Makes one file of the records of a day of arrival."""
    file = WorkFile(f"{QUARANTINE}dt={day}/{batch}.ndjson", batch, store)
    for part in parts:
        reader = store.open(part.key)
        while piece := reader.read(1 << 20):
            file.write(piece)
        reader.close()
    return file.finish(sum(part.records for part in parts))
