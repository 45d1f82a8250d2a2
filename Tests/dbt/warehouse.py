"""A warehouse as the pipe leaves it, and dbt's worker as the pipeline uses it."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import selectors
import subprocess
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, date
from pathlib import Path
from typing import Any, Self

import duckdb
import pyarrow as pa
from purchases import Dimensions, Line, Tables, in_order

REPOSITORY = Path(__file__).resolve().parents[2]
PROJECT = REPOSITORY / "dbt"

#: Long enough for a busy machine; no test waits for it unless it fails.
PATIENCE_SECONDS = 120.0

STAGING_COLUMNS = """
    event_id VARCHAR, ts TIMESTAMPTZ, store_id VARCHAR, customer_id VARCHAR, product_id VARCHAR,
    category VARCHAR, price DOUBLE, quantity INTEGER, total_amount DOUBLE, _rescued_data VARCHAR,
    _source_object VARCHAR, _source_line BIGINT, dt DATE, _load_seq BIGINT
"""

TABLES = {
    "silver": """
        select event_id, ts, day, business_date, business_hour, store_id, is_store_known,
            customer_id, raw_customer_id, product_id, is_product_known, category, price, list_price,
            price_difference, price_check, quantity, total_amount, total_difference, total_check,
            amount_overflow, arrival_date, is_late, _rescued_data, _source_object, _source_line,
            _load_seq
        from retail.silver.purchases_silver
    """,
    **{
        verdict: f"""
            select event_id, ts, store_id, customer_id, product_id, category, price, quantity,
                total_amount, _rescued_data, _source_object, _source_line,
                winner_source_object, winner_source_line, _load_seq
            from retail.silver.purchase_{verdict}_silver
        """
        for verdict in ("duplicates", "conflicts")
    },
    "gold": """
        select day, category, transactions, revenue, units_sold, latest_ts
        from retail.gold.purchases_gold
    """,
}

#: The tables of the models that do not have the tag `live`.
REST_TABLES = {
    "hours": """
        select business_date, business_hour, store_id, transactions, revenue, units_sold
        from retail.gold.hourly_sales_gold
    """,
    "stores": """
        select business_date, store_id, transactions, revenue, units_sold, customers, products
        from retail.gold.store_metrics_gold
    """,
    "products": """
        select business_date, product_id, transactions, revenue, units_sold, customers,
            sold_as_listed, sold_above_list, sold_below_list, price_not_checked
        from retail.gold.product_metrics_gold
    """,
    "customers": """
        select customer_id, orders, lifetime_value, units_bought, first_seen, last_seen,
            first_order_date, last_order_date
        from retail.gold.customers_gold
    """,
    "quality": """
        select arrival_date, accepted, purchases, duplicates, conflicts, rescued, late
        from retail.gold.data_quality_gold
    """,
}

#: The pipe's columns of what a lake's dimension files say.
DIMENSION_COLUMNS = {
    "raw_products": "product_id VARCHAR, name VARCHAR, category VARCHAR, price DECIMAL(18, 2), "
    "valid_from TIMESTAMP",
    "raw_stores": "store_id VARCHAR, name VARCHAR, region VARCHAR, timezone VARCHAR, "
    "opens VARCHAR, closes VARCHAR, opened_on DATE",
    "raw_customer_identities": "alias VARCHAR, customer_id VARCHAR, channel VARCHAR",
}
QUARANTINE_COLUMNS = """
    reason VARCHAR, source_object VARCHAR, line BIGINT, byte_offset BIGINT, byte_length BIGINT,
    raw VARCHAR, raw_base64 VARCHAR, dt DATE, _quarantine_file VARCHAR
"""


class Warehouse:
    """The file that DuckDB keeps, opened for as long as a call lasts."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.loads = 0

    @contextlib.contextmanager
    def open(self) -> Iterator[duckdb.DuckDBPyConnection]:
        with duckdb.connect() as connection:
            connection.execute(f"ATTACH '{self.path}' AS retail")
            yield connection

    def create_staging(self, columns: str = STAGING_COLUMNS) -> None:
        with self.open() as connection:
            connection.execute("CREATE SCHEMA retail.raw")
            connection.execute(f"CREATE TABLE retail.raw.raw_purchases_staging ({columns})")

    def load(self, *loads: Sequence[Line]) -> None:
        """Each load is one bronze file: its rows have one number, one higher than the last."""
        with self.open() as connection:
            for lines in loads:
                self.loads += 1
                bronze = pa.table(
                    {
                        **{
                            name: [getattr(line, name) for line in lines]
                            for name in ("event_id", "store_id", "customer_id", "product_id")
                        },
                        "category": [line.category for line in lines],
                        "price": pa.array([line.price for line in lines], pa.float64()),
                        "quantity": pa.array([line.quantity for line in lines], pa.int32()),
                        "total_amount": pa.array(
                            [line.total_amount for line in lines], pa.float64()
                        ),
                        "ts": pa.array(
                            [line.ts.replace(tzinfo=UTC) for line in lines],
                            pa.timestamp("us", tz="UTC"),
                        ),
                        "_rescued_data": [line.rescued_data for line in lines],
                        "_source_object": [line.source_object for line in lines],
                        "_source_line": [line.source_line for line in lines],
                        "dt": pa.array([line.ts.date() for line in lines], pa.date32()),
                        "_load_seq": pa.array([self.loads] * len(lines), pa.int64()),
                    }
                )
                connection.register("bronze", bronze)
                connection.execute(
                    "INSERT INTO retail.raw.raw_purchases_staging BY NAME FROM bronze"
                )

    def replace_dimensions(self, dimensions: Dimensions) -> None:
        """Each of the three as a whole and in one transaction, as the pipe does."""
        rows: dict[str, list[tuple[Any, ...]]] = {
            "raw_products": [
                (product.product_id, "A product", "Home ", product.price, product.valid_from)
                for product in dimensions.products
            ],
            "raw_stores": [
                (store, "A store", "somewhere", time_zone, "09:00", "20:00", None)
                for store, time_zone in dimensions.stores.items()
            ],
            "raw_customer_identities": [
                (alias, customer, "web") for alias, customer in dimensions.identities
            ],
        }
        with self.open() as connection:
            for name, columns in DIMENSION_COLUMNS.items():
                connection.execute("BEGIN")
                connection.execute(f"CREATE TABLE IF NOT EXISTS retail.raw.{name} ({columns})")
                connection.execute(f"DELETE FROM retail.raw.{name}")
                for row in rows[name]:
                    marks = ", ".join("?" for _ in row)
                    connection.execute(f"INSERT INTO retail.raw.{name} VALUES ({marks})", row)
                connection.execute("COMMIT")

    def replace_quarantine(self, file: str, records: Sequence[tuple[str, str, int, date]]) -> None:
        """The records (reason, object, line, date of arrival) of one quarantine file; none, and the
        file is superseded."""
        with self.open() as connection:
            table = "retail.raw.raw_quarantine_staging"
            connection.execute(f"CREATE TABLE IF NOT EXISTS {table} ({QUARANTINE_COLUMNS})")
            connection.execute("BEGIN")
            connection.execute(f"DELETE FROM {table} WHERE _quarantine_file = ?", [file])
            for reason, source_object, line, day in records:
                connection.execute(
                    f"INSERT INTO {table} VALUES (?, ?, ?, 0, 4, 'oops', NULL, ?, ?)",
                    [reason, source_object, line, day, file],
                )
            connection.execute("COMMIT")

    def tables(self) -> Tables:
        """What the live models have made."""
        return self._read(TABLES)

    def all_tables(self) -> Tables:
        return self._read(TABLES | REST_TABLES)

    def everything(self) -> Tables:
        """Every table and view of silver and gold, with all columns."""
        names = self.query(
            "select table_schema || '.' || table_name from information_schema.tables "
            "where table_catalog = 'retail' and table_schema in ('silver', 'gold') order by 1"
        )
        return self._read({name: f"select * from retail.{name}" for (name,) in names})

    def _read(self, queries: dict[str, str]) -> Tables:
        with self.open() as connection:
            return {
                name: in_order(connection.execute(query).fetchall())
                for name, query in queries.items()
            }

    def query(self, sql: str) -> list[Any]:
        with self.open() as connection:
            return connection.execute(sql).fetchall()

    def window(self) -> tuple[int, int]:
        """The live models' window."""
        [window] = self.query("select lo, hi from retail.raw.transform_window")
        return (window[0], window[1])

    def rest_lo(self) -> int:
        """Where the window of all other models starts."""
        [(rest_lo,)] = self.query("select rest_lo from retail.raw.transform_window")
        return int(rest_lo)


class Worker:
    """dbt/worker.py, as a child process."""

    def __init__(
        self,
        warehouse: Path,
        work: Path,
        project: Path = PROJECT,
        lease: Path | None = None,
        environment: dict[str, str] | None = None,
        patience_seconds: float = PATIENCE_SECONDS,
        profiles: Path | None = None,
        parsed: Path | None = None,
    ) -> None:
        self.process = subprocess.Popen(
            worker_command(project, work, profiles, parsed),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=worker_environment(warehouse, lease) | (environment or {}),
            cwd=work,
            start_new_session=True,
        )
        assert self.process.stdin and self.process.stdout
        self.stdin, self.stdout = self.process.stdin, self.process.stdout
        self.replies = ReplyReader(self.stdout.fileno(), patience_seconds)
        self._last_id = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def send(self, command: str, **fields: Any) -> int:
        self._last_id += 1
        self.send_line(json.dumps({"id": self._last_id, "command": command, **fields}).encode())
        return self._last_id

    def send_line(self, line: bytes) -> None:
        self.stdin.write(line + b"\n")
        self.stdin.flush()

    def receive(self) -> dict[str, Any]:
        return self.replies.next()

    def ask(self, command: str, **fields: Any) -> dict[str, Any]:
        """Sends a request and waits for its reply."""
        request_id = self.send(command, **fields)
        reply = self.receive()
        assert reply["id"] == request_id
        return reply

    def do(self, command: str, **fields: Any) -> dict[str, Any]:
        """A request that must succeed."""
        reply = self.ask(command, **fields)
        assert reply["ok"], reply["error"]
        return reply

    def wait(self) -> int:
        return self.process.wait(PATIENCE_SECONDS)

    def kill(self) -> None:
        self.process.kill()
        self.wait()
        self.stdin.close()
        self.stdout.close()


class ReplyReader:
    """Lines from a pipe, with a limit to how long a test waits for one."""

    def __init__(self, descriptor: int, patience_seconds: float = PATIENCE_SECONDS) -> None:
        self._descriptor = descriptor
        self._patience_seconds = patience_seconds
        self._buffer = b""
        self._selector = selectors.DefaultSelector()
        self._selector.register(descriptor, selectors.EVENT_READ)

    def next(self) -> dict[str, Any]:
        while b"\n" not in self._buffer:
            piece = self._read()
            assert piece, "the worker ended without a reply"
            self._buffer += piece
        line, _, self._buffer = self._buffer.partition(b"\n")
        reply: dict[str, Any] = json.loads(line)
        return reply

    def arrives_within(self, seconds: float) -> bool:
        """Whether something is there to read, or the end, before that much time has passed."""
        return bool(self._buffer or self._selector.select(seconds))

    def wait_for_end(self) -> None:
        """Reads to the end of the pipe, that is, until every process that had it is gone."""
        while self._read():
            pass

    def _read(self) -> bytes:
        assert self._selector.select(self._patience_seconds), "no reply"
        return os.read(self._descriptor, 1 << 16)


def worker_command(
    project: Path, work: Path, profiles: Path | None = None, parsed: Path | None = None
) -> list[str]:
    return [
        *(sys.executable, str(PROJECT / "worker.py"), "--project-dir", str(project)),
        *("--profiles-dir", str(profiles or example_profiles(work))),
        *("--target-path", str(work / "target"), "--log-path", str(work / "logs")),
        *(() if parsed is None else ("--parsed-path", str(parsed))),
    ]


def worker_environment(warehouse: Path, lease: Path | None = None) -> dict[str, str]:
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("MEDALLION_")
    }
    environment["MEDALLION_WAREHOUSE"] = str(warehouse)
    if lease is not None:
        environment["MEDALLION_LEASE"] = str(lease)
    return environment


def example_profiles(work: Path) -> Path:
    """A directory with the example as its profiles.yml."""
    directory = work / "profiles"
    if not directory.exists():
        directory.mkdir(parents=True)
        (directory / "profiles.yml").write_bytes((PROJECT / "profiles.yml.example").read_bytes())
    return directory


@contextlib.contextmanager
def held(lease: Path) -> Iterator[None]:
    """Holds a lease as another part of the pipeline would."""
    with lease.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def session_members(session: int) -> list[int]:
    """The processes of a session that are alive."""
    members = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                after_name = (entry / "stat").read_text().rpartition(")")[2].split()
                if int(after_name[3]) == session and after_name[0] != "Z":
                    members.append(int(entry.name))
    return members


def is_waiting_for_lock(pid: int) -> bool:
    """Whether a process stands in the kernel's list of those that wait for a flock."""
    return any(
        "->" in line and f" {pid} " in line for line in Path("/proc/locks").read_text().splitlines()
    )
