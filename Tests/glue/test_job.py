"""What the first sketch's job stumbled over, and what a run may and may not do."""

from __future__ import annotations

import gzip
import json
import os
import re
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from command import REPOSITORY, Medallion
from comparison import assert_equal, bronze_of, clean, commits_of
from conftest import SCHEMA
from medallion_glue.arguments import parse_arguments
from medallion_glue.cleaner import Cleaner, clean_all
from medallion_glue.contract import Contract
from medallion_glue.job import run
from medallion_glue.store import Denied, DirectoryStore
from test_parity import twin

NewMedallion = Callable[[str], Medallion]

HOUR = "raw/yyyy=2026/mm=11/dd=23/HH=17"


def event(number: int, **others: Any) -> bytes:
    members = {"event_id": f"e-{number}", "ts": "2026-11-23T17:00:00Z", "price": 1.5} | others
    return json.dumps(members).encode() + b"\n"


def put(lake: Path, name: str, content: bytes, age: float = 60) -> Path:
    path = lake / HOUR / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    os.utime(path, (time.time() - age,) * 2)
    return path


def test_an_empty_prefix_is_nothing_to_do_and_no_lake(spark: Any, tmp_path: Path) -> None:
    for lake in (tmp_path / "nowhere", tmp_path):
        report = clean(spark, lake, SCHEMA.read_bytes())
        assert (report.commits, report.raw_objects) == ([], 0)
    assert list(tmp_path.iterdir()) == []


def test_only_corrupt_lines_make_a_commit_without_rows(
    spark: Any, new_medallion: NewMedallion
) -> None:
    glue = new_medallion("glue")
    put(glue.lake, "a.json", b"{nonsense\n" * 500 + b"[]\n\xff\n" + b"\n")
    put(glue.lake, "b.json", b"")
    swift = twin(glue, new_medallion)
    report = clean(spark, glue.lake, SCHEMA.read_bytes())
    assert (report.raw_objects, report.bronze_files, report.counts.accepted) == (2, 0, 0)
    assert report.counts.quarantined_total == 502
    swift.run("bronze", "--once")
    assert_equal(bronze_of(glue.lake), bronze_of(swift.lake))


def test_gzip_good_and_bad_beside_plain_text(spark: Any, new_medallion: NewMedallion) -> None:
    glue = new_medallion("glue")
    lines = [event(number) for number in range(3000)]
    text = b"".join(lines)
    packed = gzip.compress(text)
    halves = gzip.compress(b"".join(lines[:1000]) + lines[1000][:9])
    halves += gzip.compress(lines[1000][9:] + b"".join(lines[1001:]))
    put(glue.lake, "plain.json", text)
    put(glue.lake, "packed.json.gz", packed)
    put(glue.lake, "members.json.gz", halves)
    put(glue.lake, "padded.json.gz", packed + b"\0" * 100)
    put(glue.lake, "large.json.gz", gzip.compress(text * 40, 1))
    bad = {
        "truncated.json.gz": (packed[:-20], "ends in the middle"),
        "empty.json.gz": (b"", "ends in the middle"),
        "corrupt.json.gz": (packed[:500] + b"\xff" * 99 + packed[599:], "not valid gzip"),
        "trailing.json.gz": (packed + b"garbage", "not valid gzip"),
        "not.json.gz": (text, "not valid gzip"),
        "bomb.json.gz": (gzip.compress(bytes(300 << 20), 9), "more than 250 times"),
    }
    for name, (content, _) in bad.items():
        put(glue.lake, name, content)
    swift = twin(glue, new_medallion)
    report = clean(spark, glue.lake, SCHEMA.read_bytes())
    assert report.raw_objects == 5
    found = {fault.key.rpartition("/")[2]: fault.reason for fault in report.faults}
    assert sorted(found) == sorted(bad)
    for name, (_, reason) in bad.items():
        assert reason in found[name]
    # The Swift engine agrees, and parks the same ones.
    swift.run("bronze", "--once", check=1)
    assert_equal(bronze_of(glue.lake), bronze_of(swift.lake))
    parked = {each["key"].rpartition("/")[2]: each for each in swift.status()["troubles"]}
    assert {name: each["reason"] for name, each in parked.items()} == found
    # They wait for a mend, and a mended one is taken.
    put(glue.lake, "truncated.json.gz", packed)
    again = clean(spark, glue.lake, SCHEMA.read_bytes())
    assert (again.raw_objects, len(again.faults)) == (1, 5)


def test_fields_that_change_in_the_middle_of_a_run(spark: Any, new_medallion: NewMedallion) -> None:
    glue = new_medallion("glue")
    drift: list[Callable[[int], bytes]] = [
        lambda number: event(number, quantity=number % 7, category="home"),
        lambda number: event(number, quantity=str(number % 7), coupon="X", gift=True),
        lambda number: event(number, quantity=[number], price={"amount": 1}),
        lambda number: event(number, price="free", QUANTITY=2),
        lambda number: event(number, ts=1_764_000_000),
        lambda number: b'{"quantity": 3, "ts": "2026-11-24T01:00:00+09:00", "event_id": "r"}\n',
    ]
    for number in range(12):
        lines = [drift[(number + line // 700) % 6](line) for line in range(3000)]
        put(glue.lake, f"{number}.json", b"".join(lines))
    swift = twin(glue, new_medallion)
    clean(spark, glue.lake, SCHEMA.read_bytes(), task_bytes=1)
    swift.run("bronze", "--once")
    assert_equal(bronze_of(glue.lake), bronze_of(swift.lake))


#: Reads the lake's objects as a task does, and says how much memory that took.
MEMORY_OF_A_TASK = """
import resource, sys
from medallion_glue.cleaner import Cleaner, clean_all
from medallion_glue.contract import Contract
from medallion_glue.store import Denied, DirectoryStore
store = DirectoryStore(sys.argv[1])
contract = Contract.parse(open(sys.argv[2], "rb").read())
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
cleaned = clean_all(list(store.list("raw/")), Cleaner("b", 0, contract, store, 1 << 30))
print(cleaned.counts.lines, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def test_a_line_of_a_gigabyte_is_quarantined_in_bounded_memory(
    spark: Any, new_medallion: NewMedallion
) -> None:
    glue = new_medallion("glue")
    put(glue.lake, "small.json", event(1))
    path = put(glue.lake, "huge.json", event(2))
    with path.open("ab") as file:
        for _ in range(1024):
            file.write(b'{"x": "yy"}, ' * (80 << 10))
        file.write(b"\n" + event(3))
    os.utime(path, (time.time() - 60,) * 2)
    swift = twin(glue, new_medallion)
    report = clean(spark, glue.lake, SCHEMA.read_bytes())
    assert report.counts.quarantined == {"line_too_long": 1}
    swift.run("bronze", "--once")
    assert_equal(bronze_of(glue.lake), bronze_of(swift.lake))
    measured = subprocess.run(
        [sys.executable, "-c", MEMORY_OF_A_TASK, str(swift.lake), str(SCHEMA)],
        env={**os.environ, "PYTHONPATH": str(REPOSITORY / "glue")},
        capture_output=True,
        text=True,
        check=True,
    )
    lines, kilobytes = map(int, measured.stdout.split())
    assert lines == 4
    assert kilobytes < 64 << 10


def test_a_rerun_reads_only_new_objects(spark: Any, tmp_path: Path) -> None:
    schema = SCHEMA.read_bytes()
    put(tmp_path, "a.json", event(1))
    assert clean(spark, tmp_path, schema).raw_objects == 1
    assert clean(spark, tmp_path, schema).commits == []
    put(tmp_path, "b.json", event(2))
    assert clean(spark, tmp_path, schema).commits == [2]
    # A copy of the same content has another time; only another size is an alarm.
    put(tmp_path, "a.json", event(1), age=30)
    assert clean(spark, tmp_path, schema).changed == []
    put(tmp_path, "a.json", event(1) * 2)
    report = clean(spark, tmp_path, schema)
    assert (report.changed, report.commits) == ([f"{HOUR}/a.json"], [])
    assert len(bronze_of(tmp_path).rows) == 2


def test_two_runs_at_once_consume_each_object_once(spark: Any, tmp_path: Path) -> None:
    for number in range(6):
        put(tmp_path, f"{number}.json", event(number) * 5)
    schema = SCHEMA.read_bytes()
    with ThreadPoolExecutor(2) as pool:
        runs = [pool.submit(clean, spark, tmp_path, schema, batch_bytes=1000) for _ in range(2)]
    reports = [each.result() for each in runs]
    assert sum(report.raw_objects for report in reports) == 6
    assert len(bronze_of(tmp_path).rows) == 30
    assert clean(spark, tmp_path, schema).commits == []
    assert not [path for path in (tmp_path / "tmp").rglob("*") if path.is_file()]


def test_a_file_that_is_being_copied_in_is_taken_once_it_rests(spark: Any, tmp_path: Path) -> None:
    put(tmp_path, "a.json", event(1), age=0)
    began = time.time()
    assert clean(spark, tmp_path, SCHEMA.read_bytes()).raw_objects == 1
    assert time.time() - began > 0.5


def test_batches_have_a_bound_and_one_folder_can_be_asked_for(spark: Any, tmp_path: Path) -> None:
    schema = SCHEMA.read_bytes()
    for number in range(4):
        put(tmp_path, f"{number}.json", event(number) * 10)
    (tmp_path / "raw/other").mkdir()
    (tmp_path / HOUR / "0.json").rename(tmp_path / "raw/other/0.json")
    words = ["--JOB_NAME", "x", "--INPUT_S3", f"{tmp_path}/{HOUR}"]
    words += ["--OUTPUT_S3", f"{tmp_path}/bronze", "--BATCH_BYTES", "1000"]
    report = run(spark, parse_arguments(words).settings)
    assert report.commits == [1, 2, 3]
    assert clean(spark, tmp_path, schema).raw_objects == 1
    assert [len(commit["raw"]) for commit in commits_of(tmp_path)] == [1] * 4


def test_an_object_that_changes_while_it_is_read_voids_the_batch_alone(tmp_path: Path) -> None:
    contract = Contract.parse(SCHEMA.read_bytes())
    put(tmp_path, "a.json", event(1))
    path = put(tmp_path, "b.json", event(2) * 50_000)

    class Changing(DirectoryStore):
        """Another program writes while the job reads."""

        def open(self, key: str) -> Any:
            reader = super().open(key)
            if key.endswith("b.json"):
                with path.open("ab") as file:
                    file.write(b"more\n")
            return reader

    store = Changing(str(tmp_path))
    objects = sorted(store.list("raw/"), key=lambda each: each.key)
    cleaned = clean_all(objects, Cleaner("b", 0, contract, store, 1 << 30))
    assert cleaned.is_void
    assert [fault.key for fault in cleaned.faults] == [f"{HOUR}/b.json"]
    assert cleaned.sources == []


def test_objects_that_are_gone_or_may_not_be_read_are_faults_without_rows(tmp_path: Path) -> None:
    contract = Contract.parse(SCHEMA.read_bytes())
    for name in ("a.json", "b.json", "c.json"):
        put(tmp_path, name, event(1))

    class Guarded(DirectoryStore):
        """A mock of a permission, which the tests' own user may have no lack of."""

        def open(self, key: str) -> Any:
            if key.endswith("b.json"):
                raise Denied(key)
            return super().open(key)

    store = Guarded(str(tmp_path))
    objects = sorted(store.list("raw/"), key=lambda each: each.key)
    (tmp_path / HOUR / "a.json").unlink()
    cleaned = clean_all(objects, Cleaner("b", 0, contract, store, 1 << 30))
    assert [fault.reason for fault in cleaned.faults] == [
        *("vanished before it was read", "may not be read by this user")
    ]
    assert [source["key"] for source in cleaned.sources] == [f"{HOUR}/c.json"]
    assert not cleaned.is_void


def test_two_attempts_of_a_task_write_different_files(tmp_path: Path) -> None:
    contract = Contract.parse(SCHEMA.read_bytes())
    put(tmp_path, "a.json", event(1) + b"bad\n")
    store = DirectoryStore(str(tmp_path))
    made = [
        clean_all(list(store.list("raw/")), Cleaner("b", attempt, contract, store, 1 << 30))
        for attempt in (0, 1)
    ]
    files = [{file["key"] for file in each.files} | {each.parts[0].key} for each in made]
    assert not files[0] & files[1]


def test_the_package_runs_by_spark_submit(spark: Any, tmp_path: Path) -> None:
    """The very zip and script that go to Glue, on another Spark."""
    subprocess.run(["make", "-s", "glue-package"], cwd=REPOSITORY, check=True)
    package = REPOSITORY / "dist" / "medallion_glue.zip"
    with zipfile.ZipFile(package) as archive:
        assert archive.read("medallion_glue/purchase_event.schema.json") == SCHEMA.read_bytes()
    put(tmp_path, "a.json", event(1) + b"bad\n")
    put(tmp_path, "b.json.gz", b"bad")
    import pyspark

    home = Path(pyspark.__file__).parent
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    finished = subprocess.run(
        [
            *(home / "bin" / "spark-submit", "--master", "local[1]"),
            *("--conf", "spark.ui.enabled=false", "--py-files", package),
            *(REPOSITORY / "glue" / "glue_job_cleaner.py", "--JOB_NAME", "bronze"),
            *("--INPUT_S3", f"{tmp_path}/raw/", "--OUTPUT_S3", f"{tmp_path}/bronze/"),
            *("--QUARANTINE_S3", f"{tmp_path}/quarantine/", "--job-language", "python"),
        ],
        env=environment | {"SPARK_HOME": str(home), "PYSPARK_PYTHON": sys.executable},
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    # An object is left that a person has to see to.
    assert finished.returncode == 1, finished.stderr
    report = json.loads(finished.stdout.splitlines()[-1])
    assert report["counts"]["accepted"] == 1
    assert report["counts"]["quarantined"] == {"malformed_json": 1}
    assert [fault["key"] for fault in report["faults"]] == [f"{HOUR}/b.json.gz"]
    assert re.search(r"b\.json\.gz is not valid gzip", finished.stdout)
    assert len(bronze_of(tmp_path).rows) == 1
