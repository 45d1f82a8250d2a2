"""Measures bronze on a lake in S3 beside bronze on a lake in a directory, of the same objects.

    python -m Benchmarks.s3_bronze --data DIRECTORY

DIRECTORY holds raw objects, as `medallion simulate` makes them; they are measured as they are, and
packed by gzip. The server is SeaweedFS on this machine and on the same cores, so its work is in the
wall time; how much it is, the tables say. Run it by the Python that has the servers of the tests.
"""

from __future__ import annotations

import argparse
import gzip
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPOSITORY / "Tests"))

import servers  # noqa: E402


@dataclass
class Run:
    """One run on a fresh state."""

    wall_seconds: float
    #: Of the command.
    cpu_seconds: float
    server_cpu_seconds: float = 0


def cpu_seconds(process: int) -> float:
    """What a process has used so far."""
    numbers = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(numbers[11]) + int(numbers[12])) / os.sysconf("SC_CLK_TCK")


def bronze(
    place: str, state: Path, environment: dict[str, str], server: int, group: Path | None
) -> Run:
    def join() -> None:
        if group is not None:
            (group / "cgroup.procs").write_text("0")

    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    served = cpu_seconds(server)
    subprocess.run(
        [
            *(REPOSITORY / "bin" / "medallion", "bronze", "--once"),
            *("--lake", place, "--state", state),
        ],
        env=os.environ | environment,
        check=True,
        stdout=subprocess.DEVNULL,
        preexec_fn=join,
    )
    wall = time.monotonic() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Run(wall, cpu, cpu_seconds(server) - served)


def report(runs: dict[str, list[Run]], size: int) -> None:
    def median(runs: list[Run], value: Callable[[Run], float]) -> float:
        return statistics.median(map(value, runs))

    print("| lake in | wall s | MB/s | CPU s of medallion | CPU s of the server |")
    print("| --- | ---: | ---: | ---: | ---: |")
    for kind, each in runs.items():
        wall = median(each, lambda run: run.wall_seconds)
        cpu = median(each, lambda run: run.cpu_seconds)
        served = median(each, lambda run: run.server_cpu_seconds)
        print(f"| {kind} | {wall:.2f} | {size / 1e6 / wall:.0f} | {cpu:.2f} | {served:.2f} |")
    speed = [
        local.wall_seconds / remote.wall_seconds
        for local, remote in zip(runs["directory"], runs["S3"], strict=True)
    ]
    print(f"S3 has {statistics.median(speed):.2f} of the directory's speed\n")


def measure(
    server: servers.Server, objects: dict[str, Path], scratch: Path, options: argparse.Namespace
) -> dict[str, list[Run]]:
    client = server.client()
    runs: dict[str, list[Run]] = {"directory": [], "S3": []}
    for number in range(options.rounds):
        name = f"{scratch.name}-{number}"
        lake = scratch / name
        with ThreadPoolExecutor(4) as pool:
            for key, path in objects.items():
                target = lake / "raw" / key
                target.parent.mkdir(parents=True, exist_ok=True)
                os.link(path, target)
                pool.submit(client.upload_file, str(path), servers.BUCKET, f"{name}/raw/{key}")
        os.sync()
        places = {
            "directory": (str(lake), {}),
            "S3": (f"s3://{servers.BUCKET}/{name}", server.environment),
        }
        for kind, (place, environment) in places.items():
            state = scratch / f"{name}-{kind}"
            runs[kind].append(bronze(place, state, environment, server.process, options.within))
    return runs


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="a directory of raw objects")
    parser.add_argument("--rounds", type=int, default=5, help="runs of each (%(default)s)")
    parser.add_argument(
        "--within",
        type=Path,
        help="the directory of a cgroup for medallion; one with a quota leaves cores to the server",
    )
    options = parser.parse_args()
    data: Path = options.data
    plain = {str(path.relative_to(data)): path for path in sorted(data.rglob("*.json"))}
    size = sum(path.stat().st_size for path in plain.values())
    with tempfile.TemporaryDirectory(dir=data.resolve().parent, prefix="s3-") as name:
        scratch = Path(name)
        packed = {}
        for number, (key, path) in enumerate(plain.items()):
            packed[f"{key}.gz"] = scratch / f"{number}.json.gz"
            packed[f"{key}.gz"].write_bytes(gzip.compress(path.read_bytes(), 6))
        with servers.seaweedfs(scratch) as server:
            for kind, objects in {"json": plain, "json.gz": packed}.items():
                (scratch / kind).mkdir()
                runs = measure(server, objects, scratch / kind, options)
                stored = sum(path.stat().st_size for path in objects.values())
                print(
                    f"{len(objects)} objects .{kind} of {stored / 1e6:.0f} MB,"
                    f" {size / 1e6:.0f} MB of text; medians of {options.rounds}"
                )
                report(runs, size)


if __name__ == "__main__":
    main()
