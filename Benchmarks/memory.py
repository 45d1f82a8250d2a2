"""What bronze needs in memory, and how busy it keeps the cores, for backlogs of every shape."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from Benchmarks.contenders import MEDALLION, Workshop, last_words
from Benchmarks.datasets import GENERATION, SHAPES, START, Shape, dataset
from Benchmarks.measure import MIB, Usage

GIB = 1 << 30
#: What bronze may take, whatever waits.
PROMISED_BYTES = 256 * MIB
TINY_OBJECTS = 100_000
_OBJECT = "yyyy=2026/mm=09/dd=01/HH=00/01a06000-0000-7000-8000-000000000000.json"


@dataclass(frozen=True)
class Backlog:
    """Raw objects, and the verdicts that their lines must get."""

    title: str
    raw: Path
    size_bytes: int
    accepted: int
    quarantined: int


@dataclass(frozen=True)
class MemoryResult:
    backlog: Backlog
    usage: Usage
    #: `agree`, or what went wrong.
    verdict: str


def backlogs(data: Path, lines: int, large_bytes: int, workers: int) -> Iterator[Backlog]:
    """Makes one backlog after the other, or finds it there."""
    many = dataset(SHAPES["uniform"], lines, data, workers)
    yield Backlog(f"{many.objects} objects", many.raw, many.size_bytes, many.rows, 0)
    tiny_shape = Shape("tiny_objects", "one line an object", lines_per_object=1)
    tiny = dataset(tiny_shape, TINY_OBJECTS, data, workers)
    yield Backlog(f"{tiny.objects:,} objects of a line", tiny.raw, tiny.size_bytes, tiny.rows, 0)
    yield _large_object(data, many.raw, large_bytes)
    yield _endless_line(data)


def _large_object(data: Path, source: Path, wanted_bytes: int) -> Backlog:
    """One object of at least so many bytes: the first of `source`, again and again."""
    block = min(source.rglob("*.json")).read_bytes()
    copies = -(-wanted_bytes // len(block))
    raw = data / f"large_object-{wanted_bytes}-{len(block)}-v{GENERATION}" / "raw"
    size_bytes = copies * len(block)
    _write(raw / _OBJECT, (block for _ in range(copies)), size_bytes)
    title = f"one object of {size_bytes / GIB:.1f} GiB"
    return Backlog(title, raw, size_bytes, copies * block.count(b"\n"), 0)


def _endless_line(data: Path) -> Backlog:
    """One object of a single line of 1 GiB, without a newline at its end."""
    raw = data / f"endless_line-v{GENERATION}" / "raw"
    opening = b'{"event_id": "'
    blocks = [opening + b"x" * (MIB - len(opening)), *[b"x" * MIB] * (GIB // MIB - 1)]
    _write(raw / _OBJECT, iter(blocks), GIB)
    return Backlog("one line of 1.0 GiB, no newline", raw, GIB, 0, 1)


def _write(path: Path, blocks: Iterator[bytes], size_bytes: int) -> None:
    """Writes an object that is long at rest, unless it is there in its full size."""
    if path.exists() and path.stat().st_size == size_bytes:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.writelines(blocks)
    os.utime(path, (START.timestamp(), START.timestamp()))


def measure_memory(
    found: Iterator[Backlog], shop: Workshop, report: Callable[[str], None]
) -> list[MemoryResult]:
    """Runs medallion once on each backlog."""
    results: list[MemoryResult] = []
    for backlog in found:
        report(f"memory: {backlog.title}")
        usage = MEDALLION.run_on(backlog.raw, shop)
        verdict = _verdict(backlog, usage, shop)
        report(f"memory: {usage.peak_bytes / MIB:.0f} MiB, {verdict}")
        results.append(MemoryResult(backlog, usage, verdict))
    shutil.rmtree(MEDALLION.lake(shop), ignore_errors=True)
    return results


def _verdict(backlog: Backlog, usage: Usage, shop: Workshop) -> str:
    """Whether every line got its verdict, by the commits."""
    if usage.exit_code:
        return f"exit {usage.exit_code}: {last_words(MEDALLION, shop)}"
    accepted = quarantined = 0
    for path in (MEDALLION.lake(shop) / "commits").glob("*.json"):
        counts = json.loads(path.read_text()).get("counts")
        if counts:
            accepted += counts["accepted"]
            quarantined += sum(counts["quarantined"].values())
    if (accepted, quarantined) != (backlog.accepted, backlog.quarantined):
        return f"{accepted} accepted, {quarantined} quarantined; " + (
            f"not {backlog.accepted} and {backlog.quarantined}"
        )
    return "agree"
