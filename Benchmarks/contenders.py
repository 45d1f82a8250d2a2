"""Who is measured, and how each is started."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from Benchmarks.datasets import REPOSITORY, Dataset
from Benchmarks.measure import Usage, measure


@dataclass(frozen=True)
class Workshop:
    """Where and with what all contenders work."""

    #: Beside the data sets, for raw objects are linked into lakes.
    directory: Path
    threads: int
    #: For one run; then it is killed.
    limit_seconds: float
    #: The command.
    medallion: Path

    def log(self, name: str) -> Path:
        return self.directory / f"{name}.log"


@dataclass(frozen=True)
class Contender:
    """A program that turns raw lines into partitioned Parquet."""

    name: str
    title: str
    #: The installed package whose version is reported; none for medallion.
    package: str = ""
    #: The module under Benchmarks.peers; none for medallion.
    module: str = ""
    arguments: tuple[str, ...] = ()
    #: Whether it is measured without being asked for.
    by_default: bool = True

    def command(self, shop: Workshop, *extra: str) -> list[str]:
        module = f"Benchmarks.peers.{self.module}"
        threads = ["--threads", str(shop.threads)]
        return [sys.executable, "-m", module, *threads, *self.arguments, *extra]

    def output(self, shop: Workshop) -> Path:
        """The directory with `dt=YYYY-MM-DD` folders after a run."""
        return shop.directory / self.name

    def start_alone(self, shop: Workshop) -> Usage:
        """What starting costs without any work."""
        return self._measure(self.command(shop, "--empty"), shop)

    def run(self, dataset: Dataset, shop: Workshop) -> Usage:
        """One run on a data set, from nothing; what it made stays until the next."""
        output = self.output(shop)
        shutil.rmtree(output, ignore_errors=True)
        skip = ["--skip-bad"] if dataset.shape.bad_every else []
        command = self.command(
            shop, "--input", dataset.pattern, "--output", str(output.resolve()), *skip
        )
        return self._measure(command, shop)

    def _measure(self, command: list[str], shop: Workshop) -> Usage:
        return measure(
            command,
            environment=environment(),
            # No medallion.yaml of a developer's is here.
            directory=shop.directory,
            output=shop.log(self.name),
            limit_seconds=shop.limit_seconds,
        )


@dataclass(frozen=True)
class Medallion(Contender):
    """The real command, on a fresh lake that holds the raw objects."""

    name: str = "medallion"
    title: str = "medallion bronze --once"

    def lake(self, shop: Workshop) -> Path:
        return shop.directory / "lake"

    def output(self, shop: Workshop) -> Path:
        return self.lake(shop) / "bronze"

    def command(self, shop: Workshop, *extra: str) -> list[str]:
        lake = str(self.lake(shop).resolve())
        return [str(shop.medallion), "bronze", "--once", "--lake", lake]

    def start_alone(self, shop: Workshop) -> Usage:
        shutil.rmtree(self.lake(shop), ignore_errors=True)
        (self.lake(shop) / "raw").mkdir(parents=True)
        return self._measure(self.command(shop), shop)

    def run(self, dataset: Dataset, shop: Workshop) -> Usage:
        return self.run_on(dataset.raw, shop)

    def run_on(self, raw: Path, shop: Workshop) -> Usage:
        """One run on a fresh lake with these raw objects."""
        lake = self.lake(shop)
        shutil.rmtree(lake, ignore_errors=True)
        shutil.copytree(raw, lake / "raw", copy_function=os.link)
        return self._measure(self.command(shop), shop)


MEDALLION = Medallion()
PEERS = (
    Contender("duckdb", "DuckDB, read_json → COPY", "duckdb", "duckdb_copy"),
    Contender("polars", "Polars, scan_ndjson → sink_parquet", "polars", "polars_sink"),
    Contender("clickhouse", "ClickHouse (chdb), INSERT … SELECT", "chdb", "clickhouse_insert"),
    Contender("spark", "Spark, local, read.json → write", "pyspark", "spark_write"),
    Contender(
        "duckdb_v2",
        "DuckDB, Parquet version 2",
        "duckdb",
        "duckdb_copy",
        ("--parquet-v2",),
        by_default=False,
    ),
)
CONTENDERS = {contender.name: contender for contender in (MEDALLION, *PEERS)}


def size_bytes(contender: Contender, shop: Workshop) -> int:
    """The size of the Parquet files that the last run made."""
    return sum(path.stat().st_size for path in contender.output(shop).rglob("*.parquet"))


def last_words(contender: Contender, shop: Workshop) -> str:
    """The end of what a run printed, for a failure's reason."""
    lines = shop.log(contender.name).read_text(errors="replace").strip().splitlines()
    return lines[-1][:200] if lines else ""


def environment() -> Mapping[str, str]:
    """The caller's own, without settings of a developer that would change what is measured."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MEDALLION_")}
    return {
        **kept,
        "MEDALLION_HOME": str(REPOSITORY),
        "PYTHONPATH": str(REPOSITORY),
        "PYSPARK_PYTHON": sys.executable,
    }
