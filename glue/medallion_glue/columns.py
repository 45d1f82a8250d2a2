"""Rows in Arrow's columns, by the UTC day of their timestamp."""

from __future__ import annotations

import pyarrow as pa

from medallion_glue.contract import MICROS_PER_DAY, Contract
from medallion_glue.decoder import Rows

_TYPES = {
    "string": pa.string(),
    "timestamp": pa.timestamp("us", tz="UTC"),
    "double": pa.float64(),
    "int32": pa.int32(),
    "int64": pa.int64(),
    "boolean": pa.bool_(),
}


def bronze_schema(contract: Contract) -> pa.Schema:
    """The contract's fields, then what bronze adds. `dt` is in the path."""
    fields = [
        pa.field(field.name, _TYPES[field.kind], nullable=not field.is_required)
        for field in contract.fields
    ]
    return pa.schema(
        [
            *fields,
            pa.field("_rescued_data", pa.string()),
            pa.field("_source_object", pa.string(), nullable=False),
            pa.field("_source_line", pa.int64(), nullable=False),
        ]
    )


class DayBuffers:
    """Rows that wait to be written, by day."""

    def __init__(self, contract: Contract) -> None:
        self._schema = bronze_schema(contract)
        self._timestamp_index = contract.timestamp_index
        self._batches: dict[int, list[pa.RecordBatch]] = {}
        self._rows: dict[int, int] = {}
        self._bytes: dict[int, int] = {}

    def add(self, rows: Rows, source_object: str) -> None:
        count = len(rows.lines)
        columns = [*rows.values, rows.rescued_data]
        arrays = [
            pa.array(column, each.type) for column, each in zip(columns, self._schema, strict=False)
        ]
        arrays.append(pa.repeat(pa.scalar(source_object), count))
        arrays.append(pa.array(rows.lines, pa.int64()))
        batch = pa.RecordBatch.from_arrays(arrays, schema=self._schema)
        instants = rows.values[self._timestamp_index]
        if min(instants) // MICROS_PER_DAY == max(instants) // MICROS_PER_DAY:
            self._append(instants[0] // MICROS_PER_DAY, batch)
            return
        days = [micros // MICROS_PER_DAY for micros in instants]
        order = sorted(range(count), key=days.__getitem__)
        batch = batch.take(pa.array(order))
        start = 0
        for end in range(1, count + 1):
            if end == count or days[order[end]] != days[order[start]]:
                self._append(days[order[start]], batch.slice(start, end - start))
                start = end

    @property
    def size_bytes(self) -> int:
        return sum(self._bytes.values())

    def days(self) -> list[int]:
        """The largest first."""
        return sorted(self._bytes, key=lambda day: -self._bytes[day])

    def row_count(self, day: int) -> int:
        return self._rows[day]

    def take(self, day: int) -> pa.Table:
        del self._rows[day], self._bytes[day]
        return pa.Table.from_batches(self._batches.pop(day), self._schema)

    def compact(self) -> None:
        """Copies what is left, so that slices hold no memory of rows that are gone."""
        for day, batches in self._batches.items():
            table = pa.Table.from_batches(batches, self._schema).combine_chunks()
            self._batches[day] = table.to_batches()

    def _append(self, day: int, batch: pa.RecordBatch) -> None:
        self._batches.setdefault(day, []).append(batch)
        self._rows[day] = self._rows.get(day, 0) + batch.num_rows
        self._bytes[day] = self._bytes.get(day, 0) + batch.nbytes
