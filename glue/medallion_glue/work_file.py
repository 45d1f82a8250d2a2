"""Files below `tmp/` that a commit will name, with their size and SHA-256 taken on the way."""

from __future__ import annotations

import hashlib
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from medallion_glue.lake import work_key
from medallion_glue.store import Store

#: As the Swift engine has it.
ZSTD_LEVEL = 1


class WorkFile:
    """One file being written. Arrow takes it for a Python file."""

    closed = False

    def __init__(self, key: str, batch: str, store: Store) -> None:
        self._key = key
        self._writer = store.create_work_object(work_key(batch, key))
        self._hash = hashlib.sha256()
        self.size_bytes = 0

    def write(self, data: Any) -> int:
        view = bytes(data)
        self._hash.update(view)
        self._writer.write(view)
        self.size_bytes += len(view)
        return len(view)

    def flush(self) -> None:
        pass

    def close(self) -> None:
        self.closed = True

    def finish(self, rows: int) -> dict[str, Any]:
        """Makes the file durable; what the commit says of it."""
        self._writer.finish()
        return {
            "key": self._key,
            "rows": rows,
            "sha256": self._hash.hexdigest(),
            "size": self.size_bytes,
        }

    def discard(self) -> None:
        self._writer.discard()


class BronzeFile:
    """One Parquet file of one UTC date: what the format's writer version 1 allows, in zstd.

    Snowflake loads no other. Ids, instants and line numbers are nearly all different: to look for
    repeats among them would be wasted.
    """

    def __init__(self, key: str, batch: str, store: Store, schema: pa.Schema) -> None:
        self._file = WorkFile(key, batch, store)
        self._rows = 0
        distinct = {"event_id", "ts", "_source_line"}
        self._writer = pq.ParquetWriter(
            pa.PythonFile(self._file, mode="w"),
            schema,
            version="1.0",
            data_page_version="1.0",
            compression="zstd",
            compression_level=ZSTD_LEVEL,
            use_dictionary=[name for name in schema.names if name not in distinct],
            write_statistics=True,
            store_schema=False,
        )

    @property
    def size_bytes(self) -> int:
        return self._file.size_bytes

    def append(self, table: pa.Table) -> None:
        """Writes rows as one row group."""
        self._writer.write_table(table, row_group_size=table.num_rows)
        self._rows += table.num_rows

    def finish(self) -> dict[str, Any]:
        self._writer.close()
        return self._file.finish(self._rows)

    def discard(self) -> None:
        self._file.discard()
