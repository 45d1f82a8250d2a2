"""What one task does: reads raw objects, judges their lines, writes files below `tmp/`."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from medallion_glue.columns import DayBuffers, bronze_schema
from medallion_glue.contract import Contract
from medallion_glue.decoder import Decoder, Rows
from medallion_glue.lake import BRONZE, arrival_day, work_key
from medallion_glue.raw_object import RawObjectFault, RawObjectReader, check_gzip
from medallion_glue.store import ObjectInfo, ObjectWriter, Store
from medallion_glue.verdict import Counts
from medallion_glue.work_file import BronzeFile

#: Rows in memory; beyond it the largest days are written out as row groups.
MOST_BUFFERED_BYTES = 64 << 20
ROW_GROUP_ROWS = 128 << 10
MOST_OPEN_FILES = 64


@dataclass(frozen=True)
class Fault:
    """A raw object that could not be consumed, and why."""

    key: str
    reason: str


@dataclass(frozen=True)
class QuarantinePart:
    """A task's records of one day of arrival; the parts of a batch become one file a day."""

    day: str
    key: str
    records: int


@dataclass
class Cleaned:
    """What a task made of its objects."""

    sources: list[dict[str, Any]] = field(default_factory=list)
    counts: Counts = field(default_factory=Counts)
    files: list[dict[str, Any]] = field(default_factory=list)
    parts: list[QuarantinePart] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    #: An object changed after some of its rows were taken: nothing of the batch counts.
    is_void: bool = False


class Cleaner:
    """Cleans raw objects one after another, in memory that does not grow with them.

    After an exception the batch is void, and what was written is removed with its folder.
    """

    def __init__(
        self, batch: str, attempt: int, contract: Contract, store: Store, file_bytes: int
    ) -> None:
        """
        `attempt` is a number that no other attempt of any task of the batch has: what it writes is
        never written by another, so a task may be tried again while its first try goes on.
        """
        self._batch = batch
        self._attempt = attempt
        self._store = store
        self._file_bytes = file_bytes
        self._schema = bronze_schema(contract)
        self._decoder = Decoder(contract, self._take_rows, self._take_record)
        self._buffers = DayBuffers(contract)
        self._files: dict[int, BronzeFile] = {}
        self._file_count = 0
        self._parts: dict[str, tuple[QuarantinePart, ObjectWriter]] = {}
        self._source_object = ""
        self._day = ""
        self._cleaned = Cleaned()

    def clean(self, listed: ObjectInfo) -> None:
        """Reads one object to its end. One that is not to be read is a fault, and no row of it."""
        try:
            check_gzip(listed, self._store)
            reader = RawObjectReader(listed, self._store)
        except RawObjectFault as fault:
            self._cleaned.faults.append(Fault(listed.key, str(fault)))
            return
        self._source_object = listed.key
        self._day = arrival_day(listed)
        self._decoder.begin(listed.key)
        for chunk in reader:
            self._decoder.feed(chunk)
        counts = self._decoder.finish()
        self._cleaned.counts += counts
        self._cleaned.sources.append(
            {
                "checksum": reader.checksum,
                "key": listed.key,
                "lines": counts.lines,
                "modified": listed.modified_nanos,
                "size": listed.size_bytes,
            }
        )

    def finish(self) -> Cleaned:
        """Writes what is still in memory and ends the files."""
        for day in self._buffers.days():
            self._write(day)
        for day in list(self._files):
            self._close(day)
        for part, writer in self._parts.values():
            writer.finish()
            self._cleaned.parts.append(part)
        return self._cleaned

    # --- rows and records -------------------------------------------------------------------------

    def _take_rows(self, rows: Rows) -> None:
        self._buffers.add(rows, self._source_object)
        for day in self._buffers.days():
            if self._buffers.row_count(day) >= ROW_GROUP_ROWS:
                self._write(day)
        if self._buffers.size_bytes > MOST_BUFFERED_BYTES:
            for day in self._buffers.days():
                if self._buffers.size_bytes <= MOST_BUFFERED_BYTES // 2:
                    break
                self._write(day)
            self._buffers.compact()

    def _write(self, day: int) -> None:
        if day not in self._files:
            if len(self._files) == MOST_OPEN_FILES:
                self._close(min(self._files))
            text = (date(1970, 1, 1) + timedelta(day)).isoformat()
            # Numbers that no other attempt has.
            number = self._attempt * 10_000 + self._file_count
            self._file_count += 1
            key = f"{BRONZE}dt={text}/{self._batch}-{number}.parquet"
            self._files[day] = BronzeFile(key, self._batch, self._store, self._schema)
        self._files[day].append(self._buffers.take(day))
        if self._files[day].size_bytes >= self._file_bytes:
            self._close(day)

    def _close(self, day: int) -> None:
        self._cleaned.files.append(self._files.pop(day).finish())

    def _take_record(self, record: bytes) -> None:
        if self._day not in self._parts:
            key = work_key(self._batch, f"parts/dt={self._day}/{self._attempt}.ndjson")
            part = QuarantinePart(self._day, key, 0)
            self._parts[self._day] = (part, self._store.create_work_object(key))
        part, writer = self._parts[self._day]
        writer.write(record)
        self._parts[self._day] = (QuarantinePart(part.day, part.key, part.records + 1), writer)


def clean_all(objects: list[ObjectInfo], cleaner: Cleaner) -> Cleaned:
    """What one task does with the objects that are its."""
    for listed in objects:
        try:
            cleaner.clean(listed)
        except RawObjectFault as fault:
            return Cleaned(faults=[Fault(listed.key, str(fault))], is_void=True)
    return cleaner.finish()
