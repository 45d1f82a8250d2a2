"""What pages that are open cost the pipeline: `python -m Benchmarks.dashboard_load`.

The same number of events goes from simulator to gold without viewers and with 200 of them, in
turns. Compared is the CPU time of `medallion` itself, since what it does for viewers the pipeline
has to do without. Events a second are printed, too; dbt's start and the machine's other work swing
them more than viewers do. The viewers read what they are sent and nothing more.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import shutil
import statistics
import subprocess
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
BINARY = REPOSITORY / "bin" / "medallion"


@dataclass(frozen=True)
class Measured:
    events_per_second: float
    #: Of `medallion`, without its dbt worker.
    cpu_seconds: float
    seconds: float
    bytes_sent: int


async def view(port: int, received: list[int]) -> None:
    """Keeps a page open, until the server ends."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET /events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
    await writer.drain()
    while piece := await reader.read(1 << 16):
        received[0] += len(piece)
    writer.close()


async def watch(port: int, viewers: int, received: list[int]) -> None:
    await asyncio.gather(*(view(port, received) for _ in range(viewers)), return_exceptions=True)


def port_of(process: subprocess.Popen[str]) -> int:
    """What the command says of where its dashboard is."""
    assert process.stderr is not None
    for line in process.stderr:
        if found := re.search(r"dashboard is at http://127\.0\.0\.1:(\d+)", line):
            return int(found[1])
    raise SystemExit("the command ended before it served anything")


def measure(events: int, viewers: int) -> Measured:
    directory = Path(tempfile.mkdtemp(prefix="dashboard-load-"))
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
    received = [0]
    watching = threading.Thread(target=lambda: asyncio.run(watch(port, viewers, received)))
    watching.start()
    cpu = 0.0
    while process.poll() is None:
        cpu = max(cpu, cpu_seconds(process.pid))
        time.sleep(0.05)
    seconds = time.monotonic() - began
    watching.join()
    if process.returncode != 0:
        raise SystemExit("the run failed")
    shutil.rmtree(directory)
    return Measured(events / seconds, cpu, seconds, received[0])


def cpu_seconds(pid: int) -> float:
    """CPU time of a process; of one that has ended, 0."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


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
    cpu = {n: statistics.median(one.cpu_seconds for one in all_) for n, all_ in runs.items()}
    seconds = statistics.median(one.seconds for one in runs[arguments.viewers])
    extra = (cpu[arguments.viewers] - cpu[0]) / seconds / (os.cpu_count() or 1)
    print(
        f"{arguments.viewers} viewers: medallion took {cpu[arguments.viewers]:.2f} s of CPU time, "
        f"{cpu[0]:.2f} s without; that is {extra:.2%} of the cores"
    )


if __name__ == "__main__":
    main()
