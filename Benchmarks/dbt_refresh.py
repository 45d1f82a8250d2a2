"""Measures what a refresh with 10 000 new rows costs after histories of different length.

    .venv/bin/python -m Benchmarks.dbt_refresh --rows 100000 1000000 10000000

The history is made inside DuckDB: a year of sales in order, with duplicates, of 70 products with a
revision a month, in 32 stores in five time zones, to customers of whom some come by an alias. It is
taken in by one run. Then loads of new rows come, and each is taken in by dbt/worker.py: by the live
models, or by the whole graph. Printed is the median of some refreshes, and its ratio to that of the
first history. Run it by the Python that has dbt.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

REPOSITORY = Path(__file__).resolve().parents[1]
NEW_ROWS = 10_000
#: Rows of a bronze file of the history.
LOAD_ROWS = 100_000
KINDS = {"live": ["tag:live"], "all": []}

STAGING = """
    CREATE SCHEMA retail.raw;
    CREATE TABLE retail.raw.raw_purchases_staging (
        event_id VARCHAR, ts TIMESTAMPTZ, store_id VARCHAR, customer_id VARCHAR,
        product_id VARCHAR, category VARCHAR, price DOUBLE, quantity INTEGER, total_amount DOUBLE,
        _rescued_data VARCHAR, _source_object VARCHAR NOT NULL, _source_line BIGINT NOT NULL,
        dt DATE NOT NULL, _load_seq BIGINT NOT NULL);
    CREATE TABLE retail.raw.raw_products AS
        SELECT 'P' || (100 + p) AS product_id, 'Product ' || p AS name, 'category ' || p % 8 AS
            category, CAST(10 + p + m % 3 AS DECIMAL(18, 2)) AS price,
            TIMESTAMP '2025-01-01' + to_months(CAST(m AS INTEGER)) AS valid_from
        FROM range(70) AS products (p), range(24) AS months (m);
    CREATE TABLE retail.raw.raw_stores AS
        SELECT 'S' || lpad(CAST(s AS VARCHAR), 3, '0') AS store_id, 'Store ' || s AS name,
            'region' AS region, ['America/New_York', 'America/Los_Angeles', 'Europe/Paris',
            'Asia/Tokyo', 'Australia/Sydney'][1 + s % 5] AS timezone, '08:00' AS opens,
            '20:00' AS closes, DATE '2020-01-01' AS opened_on
        FROM range(1, 33) AS stores (s);
    CREATE TABLE retail.raw.raw_customer_identities AS
        SELECT 'WEB-' || c AS alias, 'C' || c AS customer_id, 'web' AS channel
        FROM range({customers} // 5) AS customers (c);
"""

#: Rows {first} to {last} of a history of {total} that ends on 1 March 2026; one in 100 is a
#: duplicate of an earlier one. Each has what the row's number says, so no two runs differ.
SALES = """
    INSERT INTO retail.raw.raw_purchases_staging
    WITH numbered AS (
        SELECT i, CASE WHEN i % 100 = 99 AND i > 100 THEN i - 1 - hash(i) % 90 ELSE i END AS n
        FROM range({first}, {last}) AS rows (i)
    ), drawn AS (
        SELECT i, n, hash(n) AS h, hash(n + 1000000007) AS g,
            TIMESTAMPTZ '2025-03-01 00:00:00+00'
                + to_microseconds(CAST(n * (365 * 86400e6 / {total}) AS BIGINT)) AS ts
        FROM numbered
    )
    SELECT md5(CAST(n AS VARCHAR)) AS event_id, ts,
        'S' || lpad(CAST(1 + h % 32 AS VARCHAR), 3, '0') AS store_id,
        CASE WHEN h % 7 = 0 THEN 'WEB-' || g % ({customers} // 5) ELSE 'C' || g % {customers} END,
        'P' || (100 + h // 64 % 70) AS product_id, 'category ' || h // 64 % 70 % 8 AS category,
        CAST(10 + h // 64 % 70 AS DOUBLE) AS price, CAST(1 + g % 4 AS INTEGER) AS quantity,
        CAST((10 + h // 64 % 70) * (1 + g % 4) AS DOUBLE) AS total_amount,
        NULL, strftime(ts AT TIME ZONE 'UTC', 'raw/yyyy=%Y/mm=%m/dd=%d/HH=%H/')
            || lpad(CAST(i // 5000 AS VARCHAR), 12, '0') || '.json' AS _source_object,
        i % 5000 + 1 AS _source_line, CAST(ts AT TIME ZONE 'UTC' AS DATE) AS dt,
        {load} AS _load_seq
    FROM drawn ORDER BY i
"""


@dataclass(frozen=True)
class Refresh:
    """The median of some refreshes of one kind after one history."""

    rows: int
    kind: str
    seconds: float
    slowest: float
    #: Of all threads of the worker; what others do on the machine shows less in it.
    cpu_seconds: float


class History:
    """A warehouse that grows."""

    def __init__(self, path: Path, rows: int, customers: int) -> None:
        self.path, self.rows, self.customers = path, rows, customers
        self.next_row = self.loads = 0
        with self.open() as connection:
            connection.execute(STAGING.format(customers=customers))
        while self.next_row < rows:
            self.add(min(LOAD_ROWS, rows - self.next_row))

    @contextmanager
    def open(self) -> Iterator[duckdb.DuckDBPyConnection]:
        with duckdb.connect() as connection:
            connection.execute("SET TimeZone = 'UTC'; SET memory_limit = '2GB'")
            connection.execute(f"ATTACH '{self.path}' AS retail")
            yield connection

    def add(self, count: int) -> None:
        self.loads += 1
        with self.open() as connection:
            connection.execute(
                SALES.format(
                    first=self.next_row,
                    last=self.next_row + count,
                    total=self.rows,
                    customers=self.customers,
                    load=self.loads,
                )
            )
        self.next_row += count


class Worker:
    """dbt/worker.py, asked one thing at a time."""

    def __init__(self, warehouse: Path, work: Path) -> None:
        self._process = subprocess.Popen(
            [
                *(sys.executable, str(REPOSITORY / "dbt" / "worker.py")),
                *("--target-path", str(work / "target"), "--log-path", str(work / "logs")),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=os.environ | {"MEDALLION_WAREHOUSE": str(warehouse)},
            text=True,
        )

    def run(self, select: list[str]) -> tuple[float, float, dict[str, float]]:
        """Seconds of a run, by the clock and of CPU, and those of its models."""
        assert self._process.stdin and self._process.stdout
        began, cpu_before = time.monotonic(), self._cpu_seconds()
        self._process.stdin.write(json.dumps({"command": "run", "select": select}) + "\n")
        self._process.stdin.flush()
        reply: dict[str, Any] = json.loads(self._process.stdout.readline())
        if not reply["ok"]:
            raise RuntimeError(reply["error"])
        models = {node["name"]: node["seconds"] for node in reply["nodes"]}
        return time.monotonic() - began, self._cpu_seconds() - cpu_before, models

    def _cpu_seconds(self) -> float:
        """0 where the system has no /proc."""
        stat = Path(f"/proc/{self._process.pid}/stat")
        if not stat.exists():
            return 0
        fields = stat.read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def end(self) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait()


def measure(rows: int, customers: int, rounds: int, directory: Path) -> list[Refresh]:
    """Refreshes of both kinds after a history, alternating."""
    began = time.monotonic()
    history = History(directory / f"warehouse-{rows}.duckdb", rows, customers)
    made = time.monotonic()
    worker = Worker(history.path, directory)
    try:
        first, _, _ = worker.run([])
        tell(f"{rows:,} rows: made in {made - began:.0f} s, taken in by one run in {first:.0f} s")
        # What that wrote is on the disk, and no refresh waits for it.
        os.sync()
        seconds: dict[str, list[float]] = {kind: [] for kind in KINDS}
        cpu_seconds: dict[str, list[float]] = {kind: [] for kind in KINDS}
        models: dict[str, dict[str, list[float]]] = {kind: {} for kind in KINDS}
        # The first of each kind warms up, and is not counted.
        for number in range(rounds + 1):
            for kind, select in KINDS.items():
                history.add(NEW_ROWS)
                elapsed, cpu, nodes = worker.run(select)
                if number > 0:
                    seconds[kind].append(elapsed)
                    cpu_seconds[kind].append(cpu)
                    for name, spent in nodes.items():
                        models[kind].setdefault(name, []).append(spent)
    finally:
        worker.end()
    for kind, spent_by in models.items():
        slowest = sorted(spent_by.items(), key=lambda item: -statistics.median(item[1]))[:6]
        told = ", ".join(f"{name} {statistics.median(spent):.3f}" for name, spent in slowest)
        tell(f"{rows:,} rows, {kind}: {told}")
    history.path.unlink()
    return [
        Refresh(
            *(rows, kind, statistics.median(spent), max(spent)),
            cpu_seconds=statistics.median(cpu_seconds[kind]),
        )
        for kind, spent in seconds.items()
    ]


def table(refreshes: list[Refresh]) -> str:
    """Markdown: a row for each history and kind; ratios are to the first history."""
    first = {refresh.kind: refresh for refresh in reversed(refreshes)}
    lines = [
        "| history | models | median | slowest | ratio | CPU | ratio |",
        "| ---: | --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for refresh in refreshes:
        least = first[refresh.kind]
        lines.append(
            f"| {refresh.rows:,} | {refresh.kind} | {refresh.seconds:.2f} s "
            f"| {refresh.slowest:.2f} s | {refresh.seconds / least.seconds:.2f} "
            f"| {refresh.cpu_seconds:.2f} s "
            f"| {refresh.cpu_seconds / (least.cpu_seconds or 1):.2f} |"
        )
    return "\n".join(lines)


def tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=(__doc__ or "").partition("\n")[0],
    )
    sizes = [100_000, 1_000_000, 10_000_000, 30_000_000]
    parser.add_argument("--rows", type=int, nargs="+", default=sizes, help="rows of the histories")
    parser.add_argument("--customers", type=int, default=50_000, help="how many (%(default)s)")
    parser.add_argument("--rounds", type=int, default=7, help="refreshes of a kind (%(default)s)")
    parser.add_argument("--directory", type=Path, help="where the warehouses go (a temporary one)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.directory, prefix="refresh-") as directory:
        refreshes = []
        for rows in options.rows:
            refreshes += measure(rows, options.customers, options.rounds, Path(directory))
    print(table(refreshes))


if __name__ == "__main__":
    main()
