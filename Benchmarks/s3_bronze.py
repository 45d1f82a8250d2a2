"""Measures bronze on a lake in S3 beside bronze on a lake in a directory, of the same objects.

    python -m Benchmarks.s3_bronze --data DIRECTORY

DIRECTORY holds raw objects; `python -m Benchmarks` makes them (Benchmarks/data/uniform). The server
is SeaweedFS on this machine, so its work is in the wall time: both run on the same cores. Run it by
the Python that has the servers of the tests.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPOSITORY / "Tests"))

import servers  # noqa: E402


def bronze(place: str, state: Path, environment: dict[str, str]) -> tuple[float, float]:
    """Wall and CPU seconds of one run on a fresh state."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    subprocess.run(
        [
            *(REPOSITORY / "bin" / "medallion", "bronze", "--once"),
            *("--lake", place, "--state", state),
        ],
        env=os.environ | environment,
        check=True,
        stdout=subprocess.DEVNULL,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return time.monotonic() - began, cpu


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="a directory of raw objects")
    parser.add_argument("--rounds", type=int, default=3, help="runs of each (%(default)s)")
    options = parser.parse_args()
    objects = sorted(path for path in options.data.rglob("*.json") if path.is_file())
    size = sum(path.stat().st_size for path in objects)
    with tempfile.TemporaryDirectory(dir=options.data.parent, prefix="s3-") as name:
        scratch = Path(name)
        with servers.seaweedfs(scratch) as server:
            client = server.client()
            walls: dict[str, list[float]] = {"directory": [], "S3": []}
            cpus: dict[str, list[float]] = {"directory": [], "S3": []}
            for number in range(options.rounds):
                prefix = f"round{number}"

                def put(path: Path, prefix: str = prefix) -> None:
                    key = f"{prefix}/raw/{path.relative_to(options.data)}"
                    client.put_object(Bucket=servers.BUCKET, Key=key, Body=path.read_bytes())

                with ThreadPoolExecutor(4) as pool:
                    list(pool.map(put, objects))
                lake = scratch / prefix
                for path in objects:
                    target = lake / "raw" / path.relative_to(options.data)
                    target.parent.mkdir(parents=True, exist_ok=True)
                    os.link(path, target)
                os.sync()
                places = {
                    "directory": (str(lake), {}),
                    "S3": (f"s3://{servers.BUCKET}/{prefix}", server.environment),
                }
                for kind, (place, environment) in places.items():
                    wall, cpu = bronze(place, scratch / f"{prefix}-{kind}", environment)
                    walls[kind].append(wall)
                    cpus[kind].append(cpu)
                shutil.rmtree(lake)
    print(f"{len(objects)} objects, {size / 1e6:.0f} MB; medians of {options.rounds}")
    print("| lake in | wall s | MB/s | CPU s of medallion |")
    print("| --- | ---: | ---: | ---: |")
    for kind in walls:
        wall = statistics.median(walls[kind])
        cpu = statistics.median(cpus[kind])
        print(f"| {kind} | {wall:.2f} | {size / 1e6 / wall:.0f} | {cpu:.2f} |")
    ratio = [a / b for a, b in zip(walls["S3"], walls["directory"], strict=True)]
    print(f"S3 takes {statistics.median(ratio):.2f} times as long")


if __name__ == "__main__":
    main()
