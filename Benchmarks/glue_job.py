"""What exact verdicts cost on Spark: the Glue job beside the first sketch's, on this machine.

    .deps/uv/bin/uv sync --frozen --all-groups
    .venv/bin/python -m Benchmarks.glue_job [--lines 5000000] [--rounds 3] [--datasets uniform …]

Both are started by spark-submit with the same cores and memory, in turns. CPU is that of all their
processes: Java's, and the Python that Spark starts. Prints a table for docs/glue.md.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyspark

from Benchmarks.datasets import REPOSITORY, SHAPES, Dataset, dataset
from Benchmarks.measure import machine, use_cores

PR_SET_CHILD_SUBREAPER = 36
NAMES = {"job": "glue_job_cleaner.py", "naive": "the first sketch's job"}


@dataclass(frozen=True)
class Cost:
    wall_seconds: float
    cpu_seconds: float
    rows: int
    output_bytes: int


def run(name: str, made: Dataset, place: Path, cores: int, memory: str) -> Cost:
    """One run of one of the two on a fresh lake with the data set's raw objects."""
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(made.raw, place / "raw", copy_function=os.link)
    if name == "job":
        script = REPOSITORY / "glue" / "glue_job_cleaner.py"
        words = ["--JOB_NAME", "bench", "--INPUT_S3", f"{place}/raw/"]
        words += ["--OUTPUT_S3", f"{place}/bronze/"]
    else:
        script = REPOSITORY / "Benchmarks" / "peers" / "naive_glue_job.py"
        words = [f"{place}/raw/", f"{place}/bronze/"]
    home = Path(pyspark.__file__).parent
    command = [str(home / "bin" / "spark-submit"), "--master", f"local[{cores}]"]
    command += ["--driver-memory", memory, "--conf", "spark.ui.enabled=false"]
    # Spark's Python daemon does not wait for its workers, and the kernel would forget their time.
    command += ["--conf", "spark.python.use.daemon=false"]
    command += ["--conf", "spark.sql.session.timeZone=UTC", str(script), *words]
    environment = {
        **os.environ,
        "SPARK_HOME": str(home),
        "SPARK_LOCAL_IP": "127.0.0.1",
        "PYSPARK_PYTHON": sys.executable,
        "PYTHONPATH": str(REPOSITORY / "glue"),
    }
    os.sync()
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.monotonic()
    finished = subprocess.run(command, env=environment, capture_output=True, text=True)
    wall_seconds = time.monotonic() - began
    if finished.returncode:
        sys.exit(f"{name} failed:\n{finished.stderr}")
    # What Spark's Java left behind it is this process's child now.
    while True:
        try:
            os.wait()
        except ChildProcessError:
            break
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    files = list(place.glob("bronze/*/*.parquet"))
    found = duckdb.sql(
        f"SELECT count(*) FROM read_parquet({[str(file) for file in files]})"
    ).fetchone()
    assert found is not None
    return Cost(wall_seconds, cpu_seconds, found[0], sum(file.stat().st_size for file in files))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, default=5_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--memory", default="4g", help="of the virtual machine")
    parser.add_argument("--datasets", nargs="+", choices=sorted(SHAPES), default=["uniform"])
    parser.add_argument("--data", type=Path, default=REPOSITORY / "Benchmarks" / "data")
    arguments = parser.parse_args()
    cores = use_cores(arguments.cores)
    if ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        sys.exit("this system does not hand down orphans (prctl): run it on Linux")
    data: Path = arguments.data
    print(f"{machine()}; {cores} cores, pyspark {pyspark.__version__}\n")
    print("| data set | lines | raw MB | | wall s | CPU s | µs a line (CPU) | rows | bronze MB |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    for shape in arguments.datasets:
        made = dataset(SHAPES[shape], arguments.lines, data, cores)
        made.warm()
        costs: dict[str, list[Cost]] = {name: [] for name in NAMES}
        for number in range(arguments.rounds):
            # In turns, each first as often as the other.
            for name in list(NAMES)[:: 1 if number % 2 else -1]:
                cost = run(name, made, data / "glue-job-lake", cores, arguments.memory)
                print(name, json.dumps(vars(cost)), file=sys.stderr)
                costs[name].append(cost)
        for name, title in NAMES.items():
            wall = statistics.median(cost.wall_seconds for cost in costs[name])
            cpu = statistics.median(cost.cpu_seconds for cost in costs[name])
            last = costs[name][-1]
            print(
                f"| {shape} | {made.lines} | {made.size_bytes / 1e6:.0f} | {title} | {wall:.1f} | "
                f"{cpu:.1f} | {cpu / made.lines * 1e6:.1f} | {last.rows} | "
                f"{last.output_bytes / 1e6:.0f} |"
            )
        pairs = list(zip(costs["job"], costs["naive"], strict=True))
        walls = [one.wall_seconds / other.wall_seconds for one, other in pairs]
        cpus = [one.cpu_seconds / other.cpu_seconds for one, other in pairs]
        print(
            f"| {shape} | | | ratio | {statistics.median(walls):.2f} "
            f"({min(walls):.2f} to {max(walls):.2f}) | {statistics.median(cpus):.2f} "
            f"({min(cpus):.2f} to {max(cpus):.2f}) | | | |"
        )
    shutil.rmtree(data / "glue-job-lake", ignore_errors=True)


if __name__ == "__main__":
    main()
