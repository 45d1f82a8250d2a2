"""What every peer is told on its command line."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

#: The zstd level of every contender.
ZSTD_LEVEL = 1
COLUMNS = (
    "event_id",
    "ts",
    "store_id",
    "customer_id",
    "product_id",
    "category",
    "price",
    "quantity",
    "total_amount",
)


@dataclass(frozen=True)
class Job:
    """Raw lines in, one directory `dt=YYYY-MM-DD` a UTC day out."""

    #: A glob of the raw objects.
    input: str
    output: Path
    threads: int
    #: Whether to leave out lines that are no JSON or lack an id or a time, instead of failing.
    skip_bad: bool
    #: Whether to start, do nothing and end: what a start alone costs.
    empty: bool
    #: Whether to use the newer Parquet encodings, which not every warehouse loads.
    parquet_v2: bool


def parse() -> Job:
    parser = argparse.ArgumentParser()
    parser.add_argument("--input", default="")
    parser.add_argument("--output", type=Path, default=Path())
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--skip-bad", action="store_true")
    parser.add_argument("--empty", action="store_true")
    parser.add_argument("--parquet-v2", action="store_true")
    return Job(**vars(parser.parse_args()))
