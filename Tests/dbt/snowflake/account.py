"""The emulator as an account, and what the pipe of a real lake would have loaded into it."""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from snowflake import connector
from statements import statements_of

EMULATOR = Path(__file__).with_name("emulator.py")
PATIENCE_SECONDS = 60.0

#: What of infra/snowflake the emulator runs, and a load or dbt has need of.
MAKES_WHAT_LOADS_NEED = re.compile(
    r"create (transient )?(table|file format) |create or replace procedure |insert into "
)

Row = tuple[Any, ...]


@dataclass(frozen=True)
class Account:
    """An emulator that listens, and the environment in which the example profile finds it."""

    port: int
    key: Path

    @property
    def environment(self) -> dict[str, str]:
        return {
            "SNOWFLAKE_ACCOUNT": "fakesnow",
            "SNOWFLAKE_HOST": "127.0.0.1",
            "SNOWFLAKE_PORT": str(self.port),
            "SNOWFLAKE_PROTOCOL": "http",
            "SNOWFLAKE_USER": "medallion",
            "SNOWFLAKE_PRIVATE_KEY_PATH": str(self.key),
            "SNOWFLAKE_PRIVATE_KEY_PASSPHRASE": "",
        }

    @contextlib.contextmanager
    def connect(self) -> Iterator[Any]:
        """A cursor of the real connector."""
        connection = connector.connect(
            account="fakesnow",
            user="medallion",
            private_key_file=str(self.key),
            host="127.0.0.1",
            port=self.port,
            protocol="http",
            database="RETAIL",
            schema="RAW",
        )
        try:
            yield connection.cursor()
        finally:
            connection.close()

    def query(self, sql: str) -> list[Row]:
        with self.connect() as cursor:
            rows: list[Row] = cursor.execute(sql).fetchall()
            return [tuple(row) for row in rows]

    def make_stages(self) -> None:
        """The stages of infra/snowflake as internal ones, of the same names: the files leave what
        is there as it is, and there is no S3."""
        with self.connect() as cursor:
            cursor.execute("create schema if not exists retail.raw")
            for name in ("bronze", "quarantine", "commits", "dimensions"):
                cursor.execute(f"create stage retail.raw.retail_{name}_stage")

    def install(self) -> None:
        """The tables and the procedure of infra/snowflake, as its files make them."""
        self.make_stages()
        with self.connect() as cursor:
            for file in ("create_stage_and_pipe", "merge_staging"):
                for statement in statements_of(file):
                    if MAKES_WHAT_LOADS_NEED.match(statement):
                        cursor.execute(statement)

    def upload(self, lake: Path, files: Iterable[Path]) -> None:
        """Puts files of a lake into the stage of their layer, each below its path there."""
        with self.connect() as cursor:
            for file in files:
                layer, *path = file.parent.relative_to(lake).parts
                place = "/".join([f"@retail.raw.retail_{layer}_stage", *path])
                cursor.execute(f"put file://{file} {place} auto_compress=false")

    def number_loads(self) -> None:
        self.query("call retail.raw.number_loads()")

    def replace(self, warehouse: Path, table: str, condition: str, scratch: Path) -> None:
        """Makes a table of the schema raw hold those rows that the DuckDB warehouse has there."""
        file = scratch / f"{table}.parquet"
        with duckdb.connect(str(warehouse), read_only=True) as connection:
            connection.execute(
                f"copy (from raw.{table} where {condition}) to '{file}' (format parquet)"
            )
        with self.connect() as cursor:
            cursor.execute("create stage if not exists retail.raw.files")
            cursor.execute(
                f"put file://{file} @retail.raw.files auto_compress=false overwrite=true"
            )
            cursor.execute(f"delete from retail.raw.{table}")
            cursor.execute(
                f"copy into retail.raw.{table} from @retail.raw.files/{file.name} "
                "file_format=(type=parquet use_logical_type=true) "
                "match_by_column_name=case_insensitive force=true"
            )


@contextlib.contextmanager
def emulator(scratch: Path) -> Iterator[Account]:
    """Starts an emulator with empty databases; ends it, and asserts that it ended by itself."""
    process = subprocess.Popen(
        [sys.executable, str(EMULATOR)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        assert process.stdin and process.stdout
        port = json.loads(process.stdout.readline())["port"]
        yield Account(port, private_key(scratch))
        process.stdin.close()
        assert process.wait(PATIENCE_SECONDS) == 0
    finally:
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe:
                pipe.close()


def private_key(scratch: Path) -> Path:
    """A key pair's private half, as a file that its owner alone may read."""
    path = scratch / "rsa_key.p8"
    if not path.exists():
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        text = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(text)
    return path


def columns_of(warehouse: duckdb.DuckDBPyConnection, table: str) -> Sequence[str]:
    return [row[0] for row in warehouse.execute(f"describe retail.{table}").fetchall()]
