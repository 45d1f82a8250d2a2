"""Prometheus's own checker of metrics and rules, and its text format read by hand."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Promtool:
    path: Path

    def run(self, *arguments: str | Path, text: str | None = None) -> str:
        """What it prints; fails the test where it finds fault, also where it only warns."""
        finished = subprocess.run(
            [self.path, *arguments], input=text, capture_output=True, text=True, timeout=60
        )
        output = finished.stdout + finished.stderr
        assert finished.returncode == 0, output
        return output


@dataclass
class Metrics:
    """What /metrics said once."""

    text: str
    types: dict[str, str] = field(default_factory=dict)
    #: By name and labels, as they are written: `medallion_parked` or `a_total{stage="pipe"}`.
    values: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for line in self.text.splitlines():
            if line.startswith("# TYPE "):
                _, _, name, type_ = line.split(" ")
                self.types[name] = type_
            elif not line.startswith("#"):
                series, value = line.rsplit(" ", 1)
                assert series not in self.values, f"twice: {series}"
                self.values[series] = float(value)

    def __getitem__(self, series: str) -> float:
        return self.values[f"medallion_{series}"]

    @property
    def series_names(self) -> set[str]:
        """The names of series, `…_bucket` among them."""
        return {series.split("{")[0] for series in self.values}

    @property
    def counters(self) -> dict[str, float]:
        """What must never fall: counters, and what histograms count."""
        return {
            series: value
            for series, value in self.values.items()
            if self.types.get(series.split("{")[0]) != "gauge"
        }

    def labels(self) -> dict[str, set[str]]:
        """The values of each label."""
        found: dict[str, set[str]] = {}
        for series in self.values:
            for name, value in re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', series):
                found.setdefault(name, set()).add(value)
        return found
