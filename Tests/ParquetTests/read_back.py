"""Reads Parquet files with other people's readers, for the Swift tests to judge.

read_back.py check DIRECTORY     compares every case of a directory with what was meant
read_back.py metadata FILE       prints a footer as pyarrow sees it
read_back.py query FILE          runs the queries of stdin, one a line, `{file}` standing for it

A case is `<name>.json`, which describes `<name>.parquet`: its row groups and, for each column, the
files with its rows as raw little-endian numbers (`values`, or `offsets` and `bytes` for text) and
a byte a row that is zero for null (`valid`). Answers are JSON, one object a line.
"""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

Readers = dict[str, Callable[[Path], pa.Table]]

TYPES: dict[str, pa.DataType] = {
    "string": pa.string(),
    "double": pa.float64(),
    "int32": pa.int32(),
    "int64": pa.int64(),
    "timestampMicrosUTC": pa.timestamp("us", tz="UTC"),
    "boolean": pa.bool_(),
    "date": pa.date32(),
}

# Types of which equal values have equal bits, to compare by: NaN, -0.0, and time zones' names.
BITS: dict[str, pa.DataType] = {
    "double": pa.int64(),
    "timestampMicrosUTC": pa.int64(),
    "date": pa.int32(),
}

ALLOWED_ENCODINGS = {"PLAIN", "PLAIN_DICTIONARY", "RLE"}
DELTA_ENCODINGS = {"DELTA_BINARY_PACKED", "DELTA_LENGTH_BYTE_ARRAY"}
LOGICAL_TYPES = {
    "string": ("BYTE_ARRAY", "String", "UTF8"),
    "double": ("DOUBLE", "None", "NONE"),
    "int32": ("INT32", "None", "NONE"),
    "int64": ("INT64", "None", "NONE"),
    "timestampMicrosUTC": ("INT64", "Timestamp(isAdjustedToUTC=true", "TIMESTAMP_MICROS"),
    "boolean": ("BOOLEAN", "None", "NONE"),
    "date": ("INT32", "Date", "DATE"),
}


def expected_array(folder: Path, column: dict[str, Any], rows: int) -> pa.Array:
    """The column as it was meant, from its raw files."""

    def raw(part: str) -> pa.Buffer:
        return pa.py_buffer((folder / column[part]).read_bytes())

    kind = column["kind"]
    if kind == "string":
        buffers = [None, raw("offsets"), raw("bytes")]
        values = pa.Array.from_buffers(pa.string(), rows, buffers)
        values.validate(full=True)
    elif kind == "boolean":
        flags = pa.Array.from_buffers(pa.uint8(), rows, [None, raw("values")])
        values = pc.not_equal(flags, 0)
    else:
        values = pa.Array.from_buffers(TYPES[kind], rows, [None, raw("values")])
    valid = pa.Array.from_buffers(pa.uint8(), rows, [None, raw("valid")])
    return pc.if_else(pc.not_equal(valid, 0), values, pa.scalar(None, values.type))


def read_by_duckdb(path: Path) -> pa.Table:
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute("SELECT * FROM read_parquet($1)", [str(path)])
        return connection.fetch_arrow_table()


def read_by_polars(path: Path) -> pa.Table:
    import polars

    return polars.read_parquet(path, glob=False).to_arrow()


def readers() -> Readers:
    found: Readers = {"pyarrow": lambda path: pq.read_table(path), "duckdb": read_by_duckdb}
    if importlib.util.find_spec("polars") is not None:
        found["polars"] = read_by_polars
    return found


def comparable(array: pa.Array | pa.ChunkedArray, kind: str) -> pa.Array:
    if isinstance(array, pa.ChunkedArray):
        array = pa.concat_arrays(array.chunks) if array.num_chunks else pa.array([], array.type)
    array = array.cast(TYPES[kind])
    return array.view(BITS[kind]) if kind in BITS else array


def first_difference(want: pa.Array, got: pa.Array) -> str:
    for row, (left, right) in enumerate(zip(want, got, strict=False)):
        if not left.equals(right):
            return f"row {row}: wanted {left!r}, got {right!r}"
    return f"wanted {len(want)} rows, got {len(got)}"


def statistics_problems(
    want: pa.Array, kind: str, statistics: pq.Statistics | None, bound_bytes: int
) -> Iterator[str]:
    """What a chunk's statistics say that its values do not."""
    if statistics is None:
        yield "no statistics"
        return
    if statistics.null_count != want.null_count:
        yield f"null_count {statistics.null_count}, not {want.null_count}"
    if kind == "string":
        texts = [value.as_py().encode() for value in want if value.is_valid]
        if not texts:
            if statistics.has_min_max:
                yield "bounds of nothing"
            return
        least, greatest = min(texts), max(texts)
        if not statistics.has_min_max:
            if all(len(text) <= bound_bytes for text in (least, greatest)):
                yield "no bounds"
            return
        low, high = statistics.min.encode(), statistics.max.encode()
        if len(least) <= bound_bytes and low != least:
            yield f"min {low!r}, not {least!r}"
        if len(greatest) <= bound_bytes and high != greatest:
            yield f"max {high!r}, not {greatest!r}"
        if low > least or high < greatest:
            yield f"bounds {low!r} to {high!r} do not hold {least!r} to {greatest!r}"
        if len(low) > bound_bytes or len(high) > bound_bytes + 3:
            yield f"bounds of {len(low)} and {len(high)} bytes"
        return
    values = [value for value in want.to_pylist() if value is not None]
    if not values or (kind == "double" and any(value != value for value in values)):
        if statistics.has_min_max:
            yield f"bounds {statistics.min!r} to {statistics.max!r} of nothing, or of NaN"
        return
    if not statistics.has_min_max:
        yield "no bounds"
        return
    stated, true = (statistics.min, statistics.max), (min(values), max(values))
    if stated != true:
        yield f"bounds {stated}, not {true}"
    if kind == "double":
        signs = (str(statistics.min).startswith("-"), str(statistics.max).startswith("-"))
        if (statistics.min == 0 and not signs[0]) or (statistics.max == 0 and signs[1]):
            yield f"zero bounds {statistics.min!r} to {statistics.max!r}"


def layout_problems(path: Path, case: dict[str, Any]) -> Iterator[str]:
    """What the footer says that is not so, or that a version 1 writer would not say."""
    metadata = pq.ParquetFile(path).metadata
    size = path.stat().st_size
    if metadata.format_version != "1.0":
        yield f"format version {metadata.format_version}"
    if metadata.created_by != case["created_by"]:
        yield f"created by {metadata.created_by}"
    groups = [metadata.row_group(i).num_rows for i in range(metadata.num_row_groups)]
    if groups != case["row_groups"]:
        yield f"row groups {groups}, not {case['row_groups']}"
    place = 4
    for g in range(metadata.num_row_groups):
        group = metadata.row_group(g)
        uncompressed = 0
        for c, column in enumerate(case["columns"]):
            chunk = group.column(c)
            where = f"row group {g}, column {column['name']!r}: "
            start = chunk.data_page_offset
            if chunk.has_dictionary_page:
                start = chunk.dictionary_page_offset
                if "PLAIN_DICTIONARY" not in chunk.encodings:
                    yield where + "a dictionary page without dictionary pages"
            if start != place:
                yield where + f"begins at {start}, not {place}"
            place = start + chunk.total_compressed_size
            uncompressed += chunk.total_uncompressed_size
            if chunk.num_values != group.num_rows:
                yield where + f"{chunk.num_values} values"
            allowed = ALLOWED_ENCODINGS | (DELTA_ENCODINGS if column["delta"] else set())
            if not set(chunk.encodings) <= allowed:
                yield where + f"encodings {chunk.encodings}"
            if chunk.compression not in ("ZSTD", "UNCOMPRESSED"):
                yield where + chunk.compression
            sizes = (chunk.total_compressed_size, chunk.total_uncompressed_size)
            if chunk.compression == "UNCOMPRESSED" and sizes[0] != sizes[1]:
                yield where + f"uncompressed, but of sizes {sizes}"
            if chunk.path_in_schema != column["name"]:
                yield where + f"path {chunk.path_in_schema}"
        if group.total_byte_size != uncompressed:
            yield f"row group {g}: total_byte_size {group.total_byte_size}, not {uncompressed}"
    if place + metadata.serialized_size + 8 != size:
        yield f"pages end at {place}, the footer has {metadata.serialized_size} of {size} bytes"
    for c, column in enumerate(case["columns"]):
        leaf = metadata.schema.column(c)
        seen = (leaf.physical_type, str(leaf.logical_type), leaf.converted_type)
        physical, logical, converted = LOGICAL_TYPES[column["kind"]]
        if seen[0] != physical or not seen[1].startswith(logical) or seen[2] != converted:
            yield f"column {column['name']!r} is {seen}"
        if (leaf.max_definition_level, leaf.max_repetition_level) != (int(column["nullable"]), 0):
            yield f"column {column['name']!r} has levels {leaf.max_definition_level}"


def case_problems(description: Path, found: Readers) -> Iterator[str]:
    case = json.loads(description.read_text())
    path = description.with_suffix(".parquet")
    yield from layout_problems(path, case)
    rows = sum(case["row_groups"])
    want = [expected_array(description.parent, column, rows) for column in case["columns"]]
    names = [column["name"] for column in case["columns"]]
    for reader, read in found.items():
        table = read(path)
        if table.column_names != names:
            yield f"{reader}: columns {table.column_names}"
            continue
        for i, column in enumerate(case["columns"]):
            kind = column["kind"]
            left, right = comparable(want[i], kind), comparable(table.column(i), kind)
            if not left.equals(right):
                yield f"{reader}: column {column['name']!r} {first_difference(left, right)}"
    file = pq.ParquetFile(path)
    file.read().validate(full=True)
    start = 0
    for g, count in enumerate(case["row_groups"]):
        for c, column in enumerate(case["columns"]):
            statistics = file.metadata.row_group(g).column(c).statistics
            values = want[c].slice(start, count)
            for problem in statistics_problems(
                values, column["kind"], statistics, case["bound_bytes"]
            ):
                yield f"row group {g}, column {column['name']!r}: {problem}"
        start += count


def check(folder: Path) -> None:
    found = readers()
    for description in sorted(folder.glob("*.json")):
        try:
            problems = list(case_problems(description, found))
        except Exception as error:
            # A reader that gives up is the finding.
            problems = [f"{type(error).__name__}: {error}"]
        answer = {"case": description.stem, "readers": list(found), "problems": problems}
        print(json.dumps(answer))


def metadata(path: Path) -> None:
    file = pq.ParquetFile(path)
    seen = file.metadata
    groups = []
    for g in range(seen.num_row_groups):
        columns = []
        for c in range(seen.num_columns):
            chunk = seen.row_group(g).column(c)
            statistics = chunk.statistics
            columns.append(
                {
                    "name": chunk.path_in_schema,
                    "encodings": list(chunk.encodings),
                    "codec": chunk.compression,
                    "hasDictionary": chunk.has_dictionary_page,
                    "compressedBytes": chunk.total_compressed_size,
                    "uncompressedBytes": chunk.total_uncompressed_size,
                    "min": str(statistics.min) if statistics.has_min_max else None,
                    "max": str(statistics.max) if statistics.has_min_max else None,
                }
            )
        groups.append({"rowCount": seen.row_group(g).num_rows, "columns": columns})
    pairs = {key.decode(): value.decode() for key, value in (seen.metadata or {}).items()}
    answer = {
        "createdBy": seen.created_by,
        "rowCount": seen.num_rows,
        "columns": [str(field.type) for field in file.schema_arrow],
        "keyValueMetadata": pairs,
        "rowGroups": groups,
    }
    print(json.dumps(answer))


def query(path: Path, queries: list[str]) -> None:
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        file = f"read_parquet('{path}')"
        for text in queries:
            rows = connection.execute(text.replace("{file}", file)).fetchall()
            print(json.dumps([[str(value) for value in row] for row in rows]))


def main(arguments: list[str]) -> None:
    verb, path = arguments[0], Path(arguments[1])
    if verb == "check":
        check(path)
    elif verb == "metadata":
        metadata(path)
    elif verb == "query":
        query(path, [line for line in sys.stdin.read().splitlines() if line])
    else:
        raise SystemExit(f"read_back.py does not know {verb!r}")


if __name__ == "__main__":
    main(sys.argv[1:])
