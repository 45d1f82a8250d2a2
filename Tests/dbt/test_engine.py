"""What the models rely on DuckDB for, where a version is known to fail."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

#: Each key of one side has 40 000 rows on the other, too many for the memory that there is.
ROWS = 1_000_000
SEMI_JOIN = "SELECT count(*) FROM probed WHERE key IN (SELECT key FROM built)"


def test_a_join_that_spills_loses_no_row(tmp_path: Path) -> None:
    """In what comes after 1.5.5 it did, without an error: duckdb/duckdb#25702."""
    with duckdb.connect(str(tmp_path / "spill.duckdb")) as connection:
        for table in ("probed", "built"):
            connection.execute(
                f"CREATE TABLE {table} AS"
                f" SELECT CAST(i % 25 AS INTEGER) AS key FROM range({ROWS}) AS rows (i)"
            )
        connection.execute("SET threads = 1; SET memory_limit = '25MB'")
        connection.execute("SET max_temp_directory_size = '0MB'")
        with pytest.raises(duckdb.OutOfMemoryException):
            connection.execute(SEMI_JOIN).fetchall()
        connection.execute("RESET max_temp_directory_size")
        assert connection.execute(SEMI_JOIN).fetchall() == [(ROWS,)]
