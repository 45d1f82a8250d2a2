"""What pages that are open cost the pipeline: `python -m Benchmarks.dashboard_load`.

The same number of events goes from simulator to gold without viewers and with 200 of them, in
turns. Compared are the events a second and the CPU time of `medallion` and its dbt worker. The
viewers read what they are sent and nothing more, in a process of their own, whose CPU time is
printed, too: on another machine it would cost the pipeline nothing.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import resource
import shutil
import statistics
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
BINARY = REPOSITORY / "bin" / "medallion"


@dataclass(frozen=True)
class Measured:
    events_per_second: float
    cpu_seconds: float
    viewers_cpu_seconds: float
    bytes_sent: int


async def view(port: int, received: list[int]) -> None:
    """Keeps a page open, until the server ends."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET /events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
    await writer.drain()
    while piece := await reader.read(1 << 16):
        received[0] += len(piece)
    writer.close()


async def watch(port: int, viewers: int) -> int:
    received = [0]
    await asyncio.gather(*(view(port, received) for _ in range(viewers)), return_exceptions=True)
    return received[0]


def port_of(process: subprocess.Popen[str]) -> int:
    """What the command says of where its dashboard is."""
    assert process.stderr is not None
    for line in process.stderr:
        if found := re.search(r"dashboard is at http://127\.0\.0\.1:(\d+)", line):
            return int(found[1])
    raise SystemExit("the command ended before it served anything")


def measure(events: int, viewers: int) -> Measured:
    directory = Path(tempfile.mkdtemp(prefix="dashboard-load-"))
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.monotonic()
    process = subprocess.Popen(
        [
            *(BINARY, "run", "--lake", directory / "lake", "--events", str(events)),
            *("--rate", "max", "--world", "plain", "--port", "0"),
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    port = port_of(process)
    own = time.process_time()
    received = asyncio.run(watch(port, viewers)) if viewers else 0
    own = time.process_time() - own
    assert process.stderr is not None
    process.stderr.read()
    if process.wait() != 0:
        raise SystemExit("the run failed")
    seconds = time.monotonic() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    shutil.rmtree(directory)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Measured(events / seconds, cpu, own, received)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=2_000_000)
    parser.add_argument("--viewers", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    os.chdir(REPOSITORY)
    runs: dict[int, list[Measured]] = {arguments.viewers: [], 0: []}
    for _ in range(arguments.rounds):
        for viewers, results in runs.items():
            results.append(measure(arguments.events, viewers))
            print(f"{viewers:4} viewers: {results[-1]}", flush=True)
    rates = {
        n: statistics.median(one.events_per_second for one in all_) for n, all_ in runs.items()
    }
    cpu = {n: statistics.median(one.cpu_seconds for one in all_) for n, all_ in runs.items()}
    with_viewers = arguments.viewers
    print(
        f"{with_viewers} viewers: {rates[with_viewers] / rates[0]:.3f} of the events a second, "
        f"{cpu[with_viewers] / cpu[0]:.3f} of the CPU time of none"
    )


if __name__ == "__main__":
    main()
