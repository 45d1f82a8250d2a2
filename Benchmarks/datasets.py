"""The lines that are measured: made from a seed, the same on every machine, kept for the next run.

A data set is a directory with a lake's `raw/` and an `expected.json`, which is written last and
holds what the generator itself counted. An object's content depends on the data set's name, size
and the object's number only, so objects are made side by side.
"""

from __future__ import annotations

import csv
import gzip
import json
import os
import random
import shutil
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[1]
#: Part of every seed and directory name: raise it when the lines change.
GENERATION = 1
#: The first event's time; every arrival is in the past, so no object has to settle.
START = datetime(2026, 9, 1, tzinfo=UTC)
MICROS_A_DAY = 86_400_000_000
STORES = 10
CUSTOMERS = 5_000
MOST_UNITS = 5

#: One event as the text of its nine members, in the original script's order.
Members = tuple[str, ...]
Rewriter = Callable[[random.Random, Members], str]


@dataclass(frozen=True)
class Shape:
    """What makes one data set different from another."""

    name: str
    title: str
    lines_per_object: int = 50_000
    #: The share of the lines asked for that this data set has.
    share: float = 1.0
    #: UTC days that the events' times fall on.
    days: int = 5
    #: Whether each line falls on any of the days, instead of one day after the other.
    interleaved: bool = False
    #: Prices in cents are drawn from the catalogue, or from 1.00 to 999.99.
    many_prices: bool = False
    #: One line in so many is bad; 0 for none.
    bad_every: int = 0
    compressed: bool = False
    #: How a line is put together; None for json.dumps's own way.
    rewrite: Rewriter | None = None


@dataclass
class DayTally:
    """What the good lines of one UTC day add up to; money in cents, times in µs since 1970."""

    rows: int = 0
    quantity: int = 0
    price_cents: int = 0
    total_cents: int = 0
    first_micros: int = 1 << 62
    last_micros: int = 0

    def add(self, other: DayTally) -> None:
        self.rows += other.rows
        self.quantity += other.quantity
        self.price_cents += other.price_cents
        self.total_cents += other.total_cents
        self.first_micros = min(self.first_micros, other.first_micros)
        self.last_micros = max(self.last_micros, other.last_micros)


@dataclass(frozen=True)
class Dataset:
    """A data set that is there."""

    shape: Shape
    directory: Path
    lines: int
    objects: int
    #: As stored, so compressed where the objects are.
    size_bytes: int
    #: By UTC date of the events' time.
    days: dict[str, DayTally] = field(repr=False)

    @property
    def raw(self) -> Path:
        return self.directory / "raw"

    @property
    def rows(self) -> int:
        """Lines that are accepted."""
        return sum(day.rows for day in self.days.values())

    @property
    def pattern(self) -> str:
        """A glob of all objects, for readers that take one."""
        suffix = "json.gz" if self.shape.compressed else "json"
        return f"{self.raw}/*/*/*/*/*.{suffix}"

    def warm(self) -> None:
        """Reads every object once, so that all contenders find them in the page cache."""
        for path in sorted(self.raw.rglob("*.json*")):
            with path.open("rb", buffering=0) as file:
                while file.read(1 << 20):
                    pass


def _joined(members: Members) -> str:
    return "{" + ", ".join(members) + "}"


def _in_any_order(rng: random.Random, members: Members) -> str:
    return _joined(tuple(rng.sample(members, len(members))))


def _with_unknown_fields(rng: random.Random, members: Members) -> str:
    points = rng.randrange(1_000)
    extra = (
        f'"channel": "web-{points % 7}"',
        f'"loyalty": {{"tier": "gold", "points": {points}}}',
        '"coupon": null',
        f'"tags": ["gift", "{points}"]',
    )
    at = rng.randrange(len(members) + 1)
    some = tuple(rng.sample(extra, rng.randrange(1, 3)))
    return _joined(members[:at] + some + members[at:])


def _bad(rng: random.Random, members: Members) -> str:
    """A line that no reader can take as an event with an id and a time."""
    whole = _joined(members)
    kind = rng.randrange(5)
    if kind == 0:
        return whole[: rng.randrange(20, len(whole) - 10)]
    if kind == 1:
        return "503 Service Unavailable"
    if kind == 2:
        return _joined(members[1:])
    bad_time = '"ts": null' if kind == 3 else '"ts": "not a time"'
    return _joined((members[0], bad_time, *members[2:]))


SHAPES = {
    shape.name: shape
    for shape in (
        Shape("uniform", "the original script's lines, in order of time over 5 days"),
        Shape("reordered", "keys in another order in every line", rewrite=_in_any_order),
        Shape("many_prices", "prices of 99 900 values, totals of more", many_prices=True),
        Shape("unknown_fields", "1 or 2 unknown members a line", rewrite=_with_unknown_fields),
        Shape("interleaved_days", "60 days, interleaved", days=60, interleaved=True),
        Shape("bad_lines", "1 % bad lines of five kinds", bad_every=100),
        Shape("small_objects", "objects of 25 lines", lines_per_object=25, share=0.25),
        Shape("gzip", "objects as .json.gz", compressed=True),
    )
}


@dataclass(frozen=True)
class _Task:
    """One object to make; it goes to another process."""

    shape: Shape
    directory: str
    number: int
    first_line: int
    lines: int
    all_lines: int


@cache
def _catalogue() -> list[tuple[str, str, int]]:
    """Product, category and price in cents, from the contract."""
    with (REPOSITORY / "contract" / "products.csv").open(newline="") as file:
        return [
            (row["product_id"], row["category"], round(float(row["price"]) * 100))
            for row in csv.DictReader(file)
        ]


@cache
def _customers() -> list[str]:
    return [f'"customer_id": "C{n:06}"' for n in range(1, CUSTOMERS + 1)]


def _uuid(digits: str) -> str:
    """A version 4 UUID of 32 random hex digits."""
    variant = "89ab"[int(digits[16], 16) & 3]
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:]}"


def _object_path(directory: Path, arrival_micros: int, rng: random.Random, suffix: str) -> Path:
    """Where the lake's layout puts an object that arrived then: a UUIDv7 under its hour."""
    hour = datetime.fromtimestamp(arrival_micros // 1_000_000, UTC)
    stamp = f"{arrival_micros // 1_000:012x}"
    digits = rng.randbytes(10).hex()
    name = f"{stamp[:8]}-{stamp[8:]}-7{digits[:3]}-8{digits[3:6]}-{digits[6:18]}"
    return directory / "raw" / f"{hour:yyyy=%Y/mm=%m/dd=%d/HH=%H}" / f"{name}{suffix}"


def _make_object(task: _Task) -> tuple[int, dict[str, DayTally]]:
    """Writes one object; returns its size in bytes as stored and what its good lines add up to."""
    shape = task.shape
    rng = random.Random(f"{GENERATION}/{shape.name}/{task.all_lines}/{task.number}")
    lines = task.lines
    products = rng.choices(_catalogue(), k=lines)
    stores = rng.choices([f'"store_id": "S{n:03}"' for n in range(1, STORES + 1)], k=lines)
    customers = rng.choices(_customers(), k=lines)
    units = rng.choices(range(1, MOST_UNITS + 1), k=lines)
    ids = rng.randbytes(16 * lines).hex()
    start_micros = int(START.timestamp()) * 1_000_000
    span_micros = shape.days * MICROS_A_DAY
    step_micros = span_micros // task.all_lines
    dates = [(START + timedelta(days=day)).strftime("%Y-%m-%d") for day in range(shape.days)]
    tallies: dict[int, DayTally] = {}
    texts: list[str] = []
    for index in range(lines):
        line = task.first_line + index
        offset = (
            rng.randrange(span_micros)
            if shape.interleaved
            else line * step_micros + rng.randrange(step_micros)
        )
        # datetime.isoformat leaves out a fraction of zero.
        offset += offset % 1_000_000 == 0
        day, within = divmod(offset, MICROS_A_DAY)
        seconds, micros = divmod(within, 1_000_000)
        minutes, second = divmod(seconds, 60)
        hour, minute = divmod(minutes, 60)
        product, category, price_cents = products[index]
        if shape.many_prices:
            price_cents = rng.randrange(100, 100_000)
        total_cents = price_cents * units[index]
        members = (
            f'"event_id": "{_uuid(ids[32 * index : 32 * index + 32])}"',
            f'"ts": "{dates[day]}T{hour:02}:{minute:02}:{second:02}.{micros:06}+00:00"',
            stores[index],
            customers[index],
            f'"product_id": "{product}"',
            f'"category": "{category}"',
            f'"price": {price_cents / 100}',
            f'"quantity": {units[index]}',
            f'"total_amount": {total_cents / 100}',
        )
        if shape.bad_every and line % shape.bad_every == shape.bad_every // 2:
            texts.append(_bad(rng, members))
            continue
        texts.append(shape.rewrite(rng, members) if shape.rewrite else _joined(members))
        time_micros = start_micros + offset
        tally = tallies.setdefault(day, DayTally())
        tally.rows += 1
        tally.quantity += units[index]
        tally.price_cents += price_cents
        tally.total_cents += total_cents
        tally.first_micros = min(tally.first_micros, time_micros)
        tally.last_micros = max(tally.last_micros, time_micros)
    texts.append("")
    content = "\n".join(texts).encode()
    if shape.compressed:
        content = gzip.compress(content, 6, mtime=0)
    arrival_micros = start_micros + (task.first_line + lines) * step_micros
    path = _object_path(
        Path(task.directory), arrival_micros, rng, ".json.gz" if shape.compressed else ".json"
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    # Long at rest: nobody has to wait whether more is coming.
    os.utime(path, (arrival_micros / 1e6, arrival_micros / 1e6))
    return len(content), {dates[day]: tally for day, tally in tallies.items()}


def _read(shape: Shape, directory: Path) -> Dataset | None:
    """The data set that is there, or None."""
    try:
        found: dict[str, Any] = json.loads((directory / "expected.json").read_text())
    except FileNotFoundError:
        return None
    days = {date: DayTally(**tally) for date, tally in found["days"].items()}
    return Dataset(shape, directory, found["lines"], found["objects"], found["size_bytes"], days)


def dataset(shape: Shape, asked_lines: int, data: Path, workers: int) -> Dataset:
    """The data set of so many lines under `data`, made by so many processes if it is not there."""
    lines = max(1, int(asked_lines * shape.share))
    directory = data / f"{shape.name}-{lines}-v{GENERATION}"
    if found := _read(shape, directory):
        return found
    shutil.rmtree(directory, ignore_errors=True)
    tasks = [
        _Task(
            shape,
            str(directory),
            number,
            first,
            min(shape.lines_per_object, lines - first),
            lines,
        )
        for number, first in enumerate(range(0, lines, shape.lines_per_object))
    ]
    days: dict[str, DayTally] = {}
    size_bytes = 0
    with ProcessPoolExecutor(workers) as pool:
        for written, tallies in pool.map(_make_object, tasks, chunksize=1 + len(tasks) // 500):
            size_bytes += written
            for date, tally in tallies.items():
                days.setdefault(date, DayTally()).add(tally)
    expected = {
        "lines": lines,
        "objects": len(tasks),
        "size_bytes": size_bytes,
        "days": {date: asdict(days[date]) for date in sorted(days)},
    }
    (directory / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")
    made = _read(shape, directory)
    assert made is not None
    return made
