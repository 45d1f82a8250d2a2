"""The results as Markdown, for a terminal and for docs/performance.md, and as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from Benchmarks.contenders import MEDALLION, PEERS
from Benchmarks.measure import MIB, Usage, machine
from Benchmarks.memory import PROMISED_BYTES, MemoryResult
from Benchmarks.rounds import Comparison, Result, Spread

MEGABYTE = 1_000_000
#: Stands where nothing was measured.
NOTHING = "-"


@dataclass(frozen=True)
class Circumstances:
    """What a reader must know besides the numbers."""

    cores: int
    #: As `medallion --version` says, with the commit.
    medallion: str
    #: The CPU seconds of a start without work, by contender that was measured.
    starts: dict[str, float]

    def sentence(self) -> str:
        versions = sorted({f"{peer.package} {version(peer.package)}" for peer in PEERS})
        return (
            f"{datetime.now(UTC):%Y-%m-%d}, {machine()}; every contender on {self.cores} cores. "
            f"medallion {self.medallion}; {', '.join(versions)}."
        )


def table(head: Sequence[str], rows: Iterable[Sequence[str]], words: int = 1) -> list[str]:
    """A Markdown table whose first columns are words and whose others are numbers."""
    marks = ["---" if column < words else "---:" for column in range(len(head))]
    return [f"| {' | '.join(row)} |" for row in (head, marks, *rows)]


def comparison_report(comparisons: Sequence[Comparison], circumstances: Circumstances) -> str:
    lines = [circumstances.sentence(), "", *_summary(comparisons)]
    for comparison in comparisons:
        lines += ["", *_details(comparison, circumstances.starts)]
    return "\n".join(lines)


def memory_report(results: Sequence[MemoryResult], circumstances: Circumstances) -> str:
    head = ("backlog", "MB", "peak RSS, MiB", "CPU s", "wall s", "cores busy", "verdicts")
    rows = [
        (
            result.backlog.title,
            f"{result.backlog.size_bytes / MEGABYTE:.0f}",
            f"{result.usage.peak_bytes / MIB:.0f}"
            + (" (too much)" if result.usage.peak_bytes > PROMISED_BYTES else ""),
            f"{result.usage.cpu_seconds:.2f}",
            f"{result.usage.wall_seconds:.2f}",
            f"{result.usage.busy_cores:.2f}",
            result.verdict,
        )
        for result in results
    ]
    return "\n".join([circumstances.sentence(), "", *table(head, rows)])


def replace_between(path: Path, name: str, text: str) -> None:
    """Puts a text between the two markers of that name."""
    begin, end = f"<!-- {name}: begin -->\n", f"<!-- {name}: end -->"
    before, begin_found, rest = path.read_text().partition(begin)
    _, end_found, after = rest.partition(end)
    if not begin_found or not end_found:
        raise SystemExit(f"bench: {path} lacks the markers of '{name}'")
    path.write_text(f"{before}{begin}\n{text}\n\n{end}{after}")


def as_json(
    comparisons: Sequence[Comparison],
    memory: Sequence[MemoryResult],
    circumstances: Circumstances,
) -> dict[str, Any]:
    return {
        "circumstances": {**asdict(circumstances), "text": circumstances.sentence()},
        "comparisons": [
            {
                "dataset": comparison.dataset.shape.name,
                "lines": comparison.dataset.lines,
                "size_bytes": comparison.dataset.size_bytes,
                "results": [_result_json(it, comparison.medallion) for it in comparison.results],
            }
            for comparison in comparisons
        ],
        "memory": [
            {
                "backlog": result.backlog.title,
                "size_bytes": result.backlog.size_bytes,
                "verdict": result.verdict,
                **_usage_json(result.usage),
            }
            for result in memory
        ],
    }


def _usage_json(usage: Usage) -> dict[str, Any]:
    return {**asdict(usage), "cpu_seconds": usage.cpu_seconds}


def _result_json(result: Result, medallion: Result) -> dict[str, Any]:
    ratios: dict[str, Any] = {}
    if not result.cannot:
        ratios["cpu_ratio"] = asdict(result.cpu_ratio(medallion))
        ratios["wall_ratio"] = asdict(result.wall_ratio(medallion))
    return {
        "contender": result.contender.name,
        "cannot": result.cannot,
        "verdict": result.verdict,
        "output_bytes": result.output_bytes,
        "runs": [_usage_json(run) for run in result.runs],
        **ratios,
    }


def _spread(spread: Spread) -> str:
    if f"{spread.least:.1f}" == f"{spread.most:.1f}":
        return f"{spread.median:.1f}"
    return f"{spread.median:.1f} ({spread.least:.1f} to {spread.most:.1f})"


def _able_peers(comparison: Comparison) -> list[Result]:
    return [it for it in comparison.results if it.contender is not MEDALLION and not it.cannot]


def _summary(comparisons: Sequence[Comparison]) -> list[str]:
    head = (
        "data set",
        "lines",
        "raw MB",
        "medallion, CPU ns a line",
        "cores busy",
        "quickest peer by CPU",
        "its CPU ÷ medallion's",
        "quickest peer by wall",
        "its wall ÷ medallion's",
        "Spark's CPU ÷ medallion's",
    )
    return table(head, [_summary_row(comparison) for comparison in comparisons])


def _summary_row(comparison: Comparison) -> list[str]:
    medallion = comparison.medallion
    row = [
        f"`{comparison.dataset.shape.name}`",
        f"{comparison.dataset.lines:,}",
        f"{comparison.dataset.size_bytes / MEGABYTE:.0f}",
        f"{comparison.cpu_nanos_a_line():.0f}",
        f"{medallion.cpu_seconds / medallion.wall_seconds:.2f}",
    ]
    peers = _able_peers(comparison)
    if peers:
        by_cpu = min(peers, key=lambda peer: peer.cpu_seconds)
        by_wall = min(peers, key=lambda peer: peer.wall_seconds)
        row += [by_cpu.contender.name, _spread(by_cpu.cpu_ratio(medallion))]
        row += [by_wall.contender.name, _spread(by_wall.wall_ratio(medallion))]
    else:
        row += [NOTHING] * 4
    spark = [peer for peer in peers if peer.contender.name == "spark"]
    return [*row, _spread(spark[0].cpu_ratio(medallion)) if spark else NOTHING]


def _details(comparison: Comparison, starts: dict[str, float]) -> list[str]:
    dataset = comparison.dataset
    head = (
        "contender",
        "CPU s",
        "of it a start",
        "wall s",
        "peak RSS, MiB",
        "Parquet, MB",
        "CPU ÷ medallion",
        "wall ÷ medallion",
        "runs",
        "rows",
    )
    title = f"**`{dataset.shape.name}`**: {dataset.shape.title}; {dataset.objects:,} objects."
    rows = [_details_row(it, comparison.medallion, starts) for it in comparison.results]
    return [title, "", *table(head, rows)]


def _details_row(result: Result, medallion: Result, starts: dict[str, float]) -> list[str]:
    if result.cannot:
        return [
            result.contender.title,
            *[NOTHING] * 8,
            f"cannot ({result.cannot.replace('|', '/')})",
        ]
    start = starts.get(result.contender.name)
    return [
        result.contender.title,
        f"{result.cpu_seconds:.2f}",
        NOTHING if start is None else f"{start:.2f}",
        f"{result.wall_seconds:.2f}",
        f"{result.peak_bytes / MIB:.0f}",
        f"{result.output_bytes / MEGABYTE:.1f}",
        _spread(result.cpu_ratio(medallion)),
        _spread(result.wall_ratio(medallion)),
        str(len(result.runs)),
        result.verdict,
    ]
