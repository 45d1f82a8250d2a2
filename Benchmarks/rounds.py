"""Everybody in turn on one data set, round after round, and what came of it."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from Benchmarks.agree import AGREE
from Benchmarks.contenders import MEDALLION, Contender, Workshop, last_words, size_bytes
from Benchmarks.datasets import REPOSITORY, Dataset
from Benchmarks.measure import Usage

Report = Callable[[str], None]


@dataclass(frozen=True)
class Spread:
    """A median with the least and the most."""

    median: float
    least: float
    most: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        return cls(statistics.median(values), min(values), max(values))


@dataclass
class Result:
    """One contender on one data set."""

    contender: Contender
    #: By round; a contender with fewer rounds took part in the first ones.
    runs: list[Usage] = field(default_factory=list)
    #: Of the Parquet files of the last run.
    output_bytes: int = 0
    #: `agree`, or what differs from the generated rows.
    verdict: str = ""
    #: Why it cannot do this job; empty if it can.
    cannot: str = ""

    @property
    def cpu_seconds(self) -> float:
        return statistics.median(run.cpu_seconds for run in self.runs)

    @property
    def wall_seconds(self) -> float:
        return statistics.median(run.wall_seconds for run in self.runs)

    @property
    def peak_bytes(self) -> int:
        return max(run.peak_bytes for run in self.runs)

    @property
    def agrees(self) -> bool:
        return self.verdict == AGREE

    def cpu_ratio(self, to: Result) -> Spread:
        """CPU time against another's, round by round."""
        pairs = zip(self.runs, to.runs, strict=False)
        return Spread.of([mine.cpu_seconds / other.cpu_seconds for mine, other in pairs])

    def wall_ratio(self, to: Result) -> Spread:
        """Wall time against another's, round by round."""
        pairs = zip(self.runs, to.runs, strict=False)
        return Spread.of([mine.wall_seconds / other.wall_seconds for mine, other in pairs])


@dataclass
class Comparison:
    """All contenders on one data set."""

    dataset: Dataset
    results: list[Result]

    @property
    def medallion(self) -> Result:
        return next(result for result in self.results if result.contender is MEDALLION)

    def cpu_nanos_a_line(self) -> float:
        return self.medallion.cpu_seconds * 1e9 / self.dataset.lines


def compare(
    dataset: Dataset,
    contenders: Sequence[Contender],
    rounds_of: Callable[[Contender], int],
    shop: Workshop,
    report: Report,
) -> Comparison:
    """Runs each contender once a round, in rotating order, and compares what they made."""
    dataset.warm()
    results = {contender.name: Result(contender) for contender in contenders}
    for number in range(max(map(rounds_of, contenders))):
        turn = number % len(contenders)
        for contender in [*contenders[turn:], *contenders[:turn]]:
            result = results[contender.name]
            if number >= rounds_of(contender) or result.cannot:
                continue
            usage = contender.run(dataset, shop)
            if usage.exit_code:
                why = last_words(contender, shop)
                result.cannot = f"exit {usage.exit_code}: {why}" if why else "killed"
                report(f"{dataset.shape.name}: {contender.name} cannot: {result.cannot}")
                continue
            result.runs.append(usage)
            report(
                f"{dataset.shape.name}, round {number + 1}: {contender.name} "
                f"{usage.cpu_seconds:.2f} s CPU, {usage.wall_seconds:.2f} s wall"
            )
    able = [result for result in results.values() if not result.cannot]
    verdicts = _verdicts(dataset, able, shop)
    for result in able:
        result.verdict = verdicts[result.contender.name]
        result.output_bytes = size_bytes(result.contender, shop)
        report(f"{dataset.shape.name}: {result.contender.name}: {result.verdict.upper()}")
    return Comparison(dataset, list(results.values()))


def start_costs(
    contenders: Sequence[Contender], rounds_of: Callable[[Contender], int], shop: Workshop
) -> dict[str, float]:
    """The CPU seconds of a start without work, the median, by contender that can start."""
    costs: dict[str, float] = {}
    for contender in contenders:
        runs = [contender.start_alone(shop) for _ in range(rounds_of(contender))]
        if not any(run.exit_code for run in runs):
            costs[contender.name] = statistics.median(run.cpu_seconds for run in runs)
    return costs


def _verdicts(dataset: Dataset, results: Sequence[Result], shop: Workshop) -> dict[str, str]:
    outputs = [f"{it.contender.name}={it.contender.output(shop)}" for it in results]
    finished = subprocess.run(
        [sys.executable, "-m", "Benchmarks.agree", str(dataset.directory), *outputs],
        cwd=Path(REPOSITORY),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    verdicts: dict[str, str] = json.loads(finished.stdout)
    return verdicts
