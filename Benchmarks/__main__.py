"""Measures `medallion bronze` side by side with its peers and prints Markdown tables.

Examples:
  make bench                                         everything, about ten minutes
  make bench ARGS="--datasets uniform --rounds 5"    the main data set only
  make bench ARGS="--without spark --lines 500000 --variant-lines 200000"
  make bench ARGS="--write"                          keep the tables in docs/performance.md
  make bench ARGS="--memory --large-gib 5"           memory instead: backlogs of every shape
  make bench ARGS="--simulator"                      the simulator beside the original script
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from Benchmarks.contenders import CONTENDERS, MEDALLION, Contender, Workshop
from Benchmarks.datasets import REPOSITORY, SHAPES, Shape, dataset
from Benchmarks.measure import use_cores
from Benchmarks.memory import GIB, MemoryResult, backlogs, measure_memory
from Benchmarks.report import (
    Circumstances,
    as_json,
    comparison_report,
    memory_report,
    replace_between,
)
from Benchmarks.rounds import Comparison, compare, start_costs
from Benchmarks.simulator import measure_simulator, simulator_report

DOCUMENT = REPOSITORY / "docs" / "performance.md"


def main() -> int:
    options = _parse()
    cores = use_cores(options.cores)
    data: Path = options.data.resolve()
    if not options.medallion.exists():
        _tell(f"{options.medallion} is missing: run 'make build' first")
        return 1
    # Beside the data sets, whose objects are linked into lakes; another run has another one.
    data.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="work-", dir=data, ignore_cleanup_errors=True) as work:
        # A copy, so that a build beside this run does not change what is measured.
        medallion = Path(work) / "medallion-command"
        shutil.copy2(options.medallion, medallion)
        shop = Workshop(Path(work), cores, options.limit_minutes * 60, medallion)
        return _run(options, data, shop)


def _run(options: argparse.Namespace, data: Path, shop: Workshop) -> int:
    def rounds_of(contender: Contender) -> int:
        rounds: int = options.spark_rounds if contender.name == "spark" else options.rounds
        return rounds

    if options.simulator:
        makings = measure_simulator(shop, options.rounds, _tell)
        circumstances = Circumstances(shop.threads, _version(shop.medallion), {})
        text = simulator_report(makings, circumstances.sentence())
        print(text)
        if options.write:
            replace_between(DOCUMENT, "simulator", text)
        return 0

    comparisons: list[Comparison] = []
    memory: list[MemoryResult] = []
    starts: dict[str, float] = {}
    if options.memory:
        large_bytes = int(options.large_gib * GIB)
        found = backlogs(data, options.lines, large_bytes, shop.threads)
        memory = measure_memory(found, shop, _tell)
    else:
        contenders = _contenders(options)
        starts = start_costs(contenders, rounds_of, shop)
        for shape in options.datasets:
            lines = options.lines if shape.name == "uniform" else options.variant_lines
            _tell(f"{shape.name}: making the lines, if they are not there")
            made = dataset(shape, lines, data, shop.threads)
            comparisons.append(compare(made, contenders, rounds_of, shop, _tell))
            if why := comparisons[-1].medallion.cannot:
                _tell(f"medallion failed on {shape.name}: {why}")
                return 1

    circumstances = Circumstances(shop.threads, _version(shop.medallion), starts)
    name = "memory" if options.memory else "bench"
    text = (
        memory_report(memory, circumstances)
        if options.memory
        else comparison_report(comparisons, circumstances)
    )
    print(text)
    if options.write:
        replace_between(DOCUMENT, name, text)
    if options.json:
        content = as_json(comparisons, memory, circumstances)
        options.json.write_text(json.dumps(content, indent=1) + "\n")
    return 0 if _is_right(comparisons, memory) else 1


def _is_right(comparisons: Sequence[Comparison], memory: Sequence[MemoryResult]) -> bool:
    """Whether everybody made the same rows; with bad lines, whether medallion made the right ones.

    That others lose good lines beside bad ones is a finding, and no failure of the measurement.
    """
    agreeing = all(
        result.agrees or result.cannot or comparison.dataset.shape.bad_every
        for comparison in comparisons
        for result in comparison.results
    )
    return (
        agreeing
        and all(comparison.medallion.agrees for comparison in comparisons)
        and all(result.verdict == "agree" for result in memory)
    )


def _contenders(options: argparse.Namespace) -> list[Contender]:
    wanted = {name for name, it in CONTENDERS.items() if it.by_default}
    wanted = (wanted | set(options.include)) - set(options.without) | {MEDALLION.name}
    return [contender for name, contender in CONTENDERS.items() if name in wanted]


def _version(medallion: Path) -> str:
    """The command's version and the commit of the clone, with a mark if it is edited."""
    command = [str(medallion), "--version"]
    said = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
    described = subprocess.run(
        ["git", "-C", str(REPOSITORY), "describe", "--always", "--dirty"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        check=False,
    ).stdout.strip()
    return f"{said} ({described})" if described else said


def _tell(words: str) -> None:
    print(f"bench: {words}", file=sys.stderr, flush=True)


def _names(text: str) -> list[str]:
    names = [name for name in text.split(",") if name]
    if unknown := [name for name in names if name not in CONTENDERS]:
        raise argparse.ArgumentTypeError(
            f"no contender is called {unknown[0]}; there are {', '.join(CONTENDERS)}"
        )
    return names


def _shapes(text: str) -> list[Shape]:
    names = list(SHAPES) if text == "all" else text.split(",")
    if unknown := [name for name in names if name not in SHAPES]:
        raise argparse.ArgumentTypeError(
            f"no data set is called {unknown[0]}; there are {', '.join(SHAPES)}"
        )
    return [SHAPES[name] for name in names]


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("at least 1")
    return number


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="make bench",
        usage='make bench [ARGS="options"]',
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--datasets", type=_shapes, default=_shapes("all"), metavar="NAMES", help=", ".join(SHAPES))
    add("--lines", type=_positive, default=5_000_000, help="of uniform (default: 5000000)")
    add(
        "--variant-lines",
        type=_positive,
        default=1_000_000,
        help="of each other data set; small_objects has a quarter (default: 1000000)",
    )
    add("--rounds", type=_positive, default=3, help="runs of each contender (default: 3)")
    add("--spark-rounds", type=_positive, default=1, help="runs of Spark (default: 1)")
    add("--without", type=_names, default=[], metavar="NAMES", help="contenders to leave out")
    add("--with", dest="include", type=_names, default=[], metavar="NAMES", help="duckdb_v2")
    add("--cores", type=_positive, default=2, help="for every contender (default: 2)")
    add("--memory", action="store_true", help="measure memory on backlogs, medallion only")
    add("--simulator", action="store_true", help="measure the simulator, and nothing else")
    add("--large-gib", type=float, default=1.0, help="the large object's size (default: 1)")
    add("--data", type=Path, default=REPOSITORY / "Benchmarks" / "data", metavar="DIR")
    add("--json", type=Path, metavar="FILE", help="write every run's numbers")
    add("--write", action="store_true", help="put the tables into docs/performance.md")
    add("--limit-minutes", type=_positive, default=30, help="for one run (default: 30)")
    default_binary = os.environ.get("MEDALLION_BIN") or REPOSITORY / "bin" / "medallion"
    add("--medallion", type=Path, default=Path(default_binary), metavar="FILE", help="the command")
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())
