"""How many events a CPU second the simulator makes, beside the original script, and what a steady
stream costs."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from Benchmarks.contenders import Workshop, environment
from Benchmarks.datasets import REPOSITORY
from Benchmarks.measure import Usage, measure

#: Events of a run: enough that a start does not count.
SCRIPT_EVENTS = 200_000
EVENTS = 5_000_000
STEADY_RATE = 10_000
STEADY_SECONDS = 15


@dataclass(frozen=True)
class Making:
    """What made events, how many, and what that cost."""

    name: str
    events: int
    usage: Usage

    @property
    def events_per_cpu_second(self) -> float:
        return self.events / self.usage.cpu_seconds


def measure_simulator(shop: Workshop, rounds: int, tell: Callable[[str], None]) -> list[Making]:
    """The best of some rounds of each, alternating: noise only ever adds."""
    best: dict[str, Making] = {}
    for _ in range(rounds):
        for making in _round(shop):
            tell(f"{making.name}: {making.events_per_cpu_second:,.0f} events a CPU second")
            known = best.get(making.name)
            if known is None or making.usage.cpu_seconds < known.usage.cpu_seconds:
                best[making.name] = making
    return list(best.values())


def _round(shop: Workshop) -> list[Making]:
    steady = STEADY_RATE * STEADY_SECONDS
    window = ("--from", "2026-09-01", "--until", "2026-10-01", "--seed", "1")
    return [
        _script(shop),
        _command(shop, "plain", EVENTS, "--world", "plain", *window),
        _command(shop, "retail", EVENTS, "--world", "retail", *window),
        _command(shop, "plain, steady", steady, "--world", "plain", "--rate", str(STEADY_RATE)),
        _command(shop, "retail, steady", steady, "--world", "retail", "--rate", str(STEADY_RATE)),
    ]


def _place(shop: Workshop) -> Path:
    """In memory where the system has such a place: what a disk costs is the same for everybody."""
    memory = Path("/dev/shm")
    return memory / shop.directory.name if memory.is_dir() else shop.directory


def _script(shop: Workshop) -> Making:
    output = _place(shop) / "script"
    words = ("-m", "Benchmarks.peers.original_script", "--events", str(SCRIPT_EVENTS))
    usage = _run(shop, [sys.executable, *words, "--output", str(output)], output)
    return Making("the original script", SCRIPT_EVENTS, usage)


def _command(shop: Workshop, name: str, events: int, *words: str) -> Making:
    lake = _place(shop) / "simulated"
    command = [str(shop.medallion), "simulate", "--lake", str(lake), "--events", str(events)]
    return Making(f"medallion simulate, {name}", events, _run(shop, [*command, *words], lake))


def _run(shop: Workshop, command: list[str], made: Path) -> Usage:
    log = shop.log("simulator")
    usage = measure(
        command,
        environment=environment(),
        directory=REPOSITORY,
        output=log,
        limit_seconds=shop.limit_seconds,
    )
    if usage.exit_code != 0:
        raise SystemExit(f"bench: {' '.join(command)} failed: {log.read_text()[-300:]}")
    # And the place in memory.
    shutil.rmtree(made if made.parent == shop.directory else made.parent)
    return usage


def simulator_report(makings: list[Making], circumstances: str) -> str:
    script = makings[0]
    lines = [
        circumstances,
        "",
        "| what | events | CPU s | events a CPU second | ÷ the script's | share of a core |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for making in makings:
        share = f"{making.usage.busy_cores:.3f}" if "steady" in making.name else "-"
        ratio = making.events_per_cpu_second / script.events_per_cpu_second
        lines.append(
            f"| {making.name} | {making.events:,} | {making.usage.cpu_seconds:.2f} | "
            f"{making.events_per_cpu_second:,.0f} | {ratio:.1f} | {share} |"
        )
    return "\n".join(lines)
