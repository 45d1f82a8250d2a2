"""The command's promises: help, settings, exit codes, signals, one clear sentence on bad days."""

from __future__ import annotations

import ctypes
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from command import STOP_SECONDS, Finished, Medallion, copy_home
from template_lake import Template
from truth import assert_whole, published_gold, raw_lines, raw_objects
from waiting import wait_until

SUBCOMMANDS = [
    *("run", "simulate", "bronze", "ingest", "transform"),
    *("status", "verify", "redrive", "rebuild", "doctor"),
]


def assert_one_sentence(finished: Finished, *words: str) -> str:
    """One line on stderr that names the thing: no stack trace, no bare error number, no SQL."""
    lines = finished.stderr.splitlines()
    assert len(lines) == 1, str(finished)
    assert finished.stdout == "", str(finished)
    for word in words:
        assert word in lines[0], str(finished)
    for leak in ("Error Domain", "NSCocoa", "SELECT", "https://", "Fatal error", "errno"):
        assert leak not in lines[0], str(finished)
    return lines[0]


def assert_usage(finished: Finished, *words: str) -> None:
    """Exit 2, and a first line that names the setting."""
    assert finished.code == 2, str(finished)
    first = finished.stderr.splitlines()[0]
    assert first.startswith("Error: "), str(finished)
    for word in words:
        assert word in first, str(finished)
    assert finished.stdout == "", str(finished)


# MARK: help and usage


@pytest.mark.parametrize("command", SUBCOMMANDS)
def test_every_command_explains_itself_with_examples(medallion: Medallion, command: str) -> None:
    finished = medallion.run(command, "--help", on_lake=False)
    assert finished.stderr == ""
    text = finished.stdout
    assert "USAGE: medallion " + command in text
    assert re.search(r"\bExamples?:\n", text), text
    example = re.search(rf"^ +medallion {command}\b", text, re.MULTILINE)
    assert example, f"no example shows {command}:\n{text}"
    # Every option says what it is for.
    for option in re.findall(r"^  (--[a-z-]+(?: <[a-z-]+>)?)(.*)$", text, re.MULTILINE):
        assert option[1].strip() or re.search(re.escape(option[0]) + r"\n {20,}\S", text), (
            f"{option[0]} is not explained"
        )


def test_the_command_lists_its_subcommands_and_tells_its_version(medallion: Medallion) -> None:
    listed = medallion.run("--help", on_lake=False).stdout
    for command in SUBCOMMANDS:
        assert re.search(rf"^  {command} ", listed, re.MULTILINE), listed
    assert re.fullmatch(r"\d+\.\d+\.\d+\n", medallion.run("--version", on_lake=False).stdout)


@pytest.mark.parametrize(
    "words",
    [
        ("bogus",),
        ("run", "--bogus"),
        ("run", "extra"),
        ("bronze", "--once", "--follow"),
        ("status", "--jsn"),
        ("verify", "--answer-key"),
        ("rebuild",),
        ("transform", "--target", "postgres"),
        ("redrive", "--reason", "bad_day"),
        ("simulate", "--from", "yesterday"),
        ("simulate", "--until", "2026-11-21"),
        ("simulate", "--from", "2026-11-21", "--until", "2026-11-20", "--events", "5"),
        ("simulate", "--rate", "5", "--sleep", "1"),
        ("simulate", "--bucket", "./b", "--prefix", "../up"),
        ("simulate", "--bucket", "./b", "--firehose", "stream"),
    ],
    ids=" ".join,
)
def test_wrong_usage_ends_with_2_and_writes_nothing(
    medallion: Medallion, words: tuple[str, ...]
) -> None:
    finished = medallion.run(*words, check=2, on_lake="--bucket" not in words)
    assert finished.stderr.startswith("Error: "), str(finished)
    assert finished.stdout == ""
    assert not medallion.lake.exists()
    assert [path.name for path in medallion.scratch.iterdir() if path.is_dir()] == []


BAD_VALUES = [
    ("rate", "-5"),
    ("rate", "0"),
    ("rate", "fast"),
    ("rate", "nan"),
    ("rate", "1e-300"),
    ("sleep", "-1"),
    ("sleep", "inf"),
    ("sleep", "1e300"),
    ("batch-size", "0"),
    ("batch-size", "2.5"),
    ("seed", "abc"),
    ("seed", "-1"),
    ("faults", "bogus=0.1"),
    ("faults", "late=2"),
    ("faults", "late"),
    ("faults", "late=0.9,corrupt=0.9"),
    ("events", "-3"),
    ("events", "many"),
    ("log-level", "loud"),
]


@pytest.mark.parametrize(("name", "value"), BAD_VALUES, ids=lambda text: text)
def test_a_setting_that_cannot_be_used_is_refused_wherever_it_comes_from(
    medallion: Medallion, name: str, value: str, tmp_path: Path
) -> None:
    command = ("simulate",) if name == "events" else ("simulate", "--events", 3)
    by_flag = medallion.run(*command, f"--{name}={value}", check=None)
    variable = "MEDALLION_" + name.upper().replace("-", "_")
    by_variable = medallion.run(*command, environment={variable: value}, check=None)
    directory = tmp_path / "with a file"
    directory.mkdir()
    (directory / "medallion.yaml").write_text(f"{name}: {value}\n")
    by_file = medallion.run(*command, cwd=directory, check=None)
    for finished in (by_flag, by_variable, by_file):
        assert finished.code == 2, str(finished)
        assert name in finished.stderr.splitlines()[0].replace("log level", "log-level"), finished
    # ArgumentParser adds the usage to what it refuses; what we refuse is one sentence.
    assert len(by_variable.stderr.splitlines()) == len(by_file.stderr.splitlines()) == 1
    assert not medallion.lake.exists()


@pytest.mark.parametrize("value", ["soon", "-3s", "1e30s", "1e19h", "nan", ""])
def test_a_span_that_cannot_be_used_is_refused(medallion: Medallion, value: str) -> None:
    assert_usage(medallion.run("run", f"--for={value}", check=None, within=30), "for")
    variable = {"MEDALLION_FOR": value}
    assert_usage(medallion.run("run", environment=variable, check=None, within=30), "FOR")
    assert not medallion.lake.exists()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("speed: 5\n", ("speed", "batch-size")),
        ("rate:\n  - 5\n  - 6\n", ("rate", "single value")),
        ("rate: {events: 5}\n", ("rate", "single value")),
        ("- rate\n- 5\n", ("settings",)),
        ("just words\n", ("settings",)),
        ("rate: [5\n", ("YAML",)),
        ("rate: 5\nrate: 6\n", ("rate",)),
    ],
    ids=["unknown", "list", "mapping", "no names", "words", "no YAML", "twice"],
)
def test_a_file_of_settings_with_a_wrong_key_or_type_is_refused(
    medallion: Medallion, tmp_path: Path, text: str, words: tuple[str, ...]
) -> None:
    (tmp_path / "medallion.yaml").write_text(text)
    for command in ("simulate", "run", "bronze", "status", "verify"):
        finished = medallion.run(command, cwd=tmp_path, check=None)
        assert_usage(finished, "medallion.yaml", *words)
        assert len(finished.stderr.splitlines()) == 1, str(finished)
    assert not medallion.lake.exists()


def test_a_file_of_settings_that_is_named_must_be_there(medallion: Medallion) -> None:
    finished = medallion.run(
        "simulate", check=2, environment={"MEDALLION_CONFIG": "/nowhere/medallion.yaml"}
    )
    assert_usage(finished, "/nowhere/medallion.yaml")


def test_flags_come_before_variables_before_the_file_before_defaults(
    medallion: Medallion, tmp_path: Path
) -> None:
    """Shown by the size of the objects that 90 events make."""

    def sizes(name: str, *flags: str, environment: Mapping[str, str] | None = None) -> list[int]:
        lake = tmp_path / name
        medallion.run(
            *("simulate", "--lake", str(lake), "--events", "90", "--rate", "max", *flags),
            environment=environment,
            cwd=tmp_path,
            on_lake=False,
        )
        return sorted(len(raw_lines(text)) for _, text in raw_objects(lake))

    assert sizes("default") == [90]
    (tmp_path / "medallion.yaml").write_text("batch-size: 45\nlog-level: warning\n")
    assert sizes("file") == [45, 45]
    variable = {"MEDALLION_BATCH_SIZE": "30"}
    assert sizes("variable", environment=variable) == [30, 30, 30]
    assert sizes("flag", "--batch-size", "18", environment=variable) == [18] * 5


def test_the_lake_comes_from_a_flag_a_variable_the_file_or_is_beside_one(
    medallion: Medallion, tmp_path: Path
) -> None:
    def made(*flags: str, environment: Mapping[str, str] | None = None) -> None:
        medallion.run(
            *("simulate", "--events", "1", *flags),
            environment=environment,
            cwd=tmp_path,
            on_lake=False,
        )

    made()
    assert (tmp_path / "lake" / "raw").is_dir()
    (tmp_path / "medallion.yaml").write_text("lake: from-file\n")
    made()
    assert (tmp_path / "from-file" / "raw").is_dir()
    made(environment={"MEDALLION_LAKE": "from-variable"})
    assert (tmp_path / "from-variable" / "raw").is_dir()
    made("--lake", "from-flag", environment={"MEDALLION_LAKE": "from-variable"})
    assert (tmp_path / "from-flag" / "raw").is_dir()


# MARK: bad places


@pytest.mark.parametrize(
    "command", ["status", "verify", "bronze", "ingest", "transform", "redrive"]
)
def test_a_missing_lake_is_named_and_not_made(medallion: Medallion, command: str) -> None:
    line = assert_one_sentence(medallion.run(command, check=1), str(medallion.lake))
    assert "medallion run" in line
    assert not medallion.lake.exists()


@pytest.mark.parametrize("command", ["status", "verify", "bronze", "run"])
def test_a_file_where_the_lake_should_be_is_named(medallion: Medallion, command: str) -> None:
    medallion.lake.write_text("no lake")
    assert_one_sentence(medallion.run(command, check=1), str(medallion.lake))
    assert medallion.lake.read_text() == "no lake"


@pytest.mark.parametrize("place", ["raw", "commits", "bronze", "tmp", "logs", "locks"])
def test_a_file_where_a_directory_should_be_ends_a_run_with_one_sentence(
    medallion: Medallion, place: str
) -> None:
    medallion.lake.mkdir()
    (medallion.lake / place).write_text("in the way")
    # Without --events: it must end by itself, not go on with a stage that has died.
    finished = medallion.run("run", "--rate", 200, check=1, within=30)
    messages = [line for line in finished.stderr.splitlines() if line.startswith("medallion: ")]
    told = ("medallion: running in", "medallion: the dashboard is at")
    last = [line for line in messages if not line.startswith(told)]
    assert len(last) == 1, str(finished)
    assert f"{medallion.lake}/{place}" in last[0], str(finished)
    assert "Error Domain" not in last[0], str(finished)
    medallion.assert_nothing_left_behind()


@pytest.mark.parametrize(
    ("place", "command"),
    [("raw", "bronze"), ("bronze", "bronze"), ("tmp", "bronze"), ("commits", "bronze")],
)
def test_a_file_where_a_directory_should_be_is_named_by_a_stage(
    medallion: Medallion, place: str, command: str
) -> None:
    if place in ("bronze", "tmp"):
        medallion.run("simulate", "--events", 5)
        shutil.rmtree(medallion.lake / place, ignore_errors=True)
    else:
        medallion.lake.mkdir()
    (medallion.lake / place).write_text("in the way")
    finished = medallion.run(command, "--once", check=1, within=30)
    assert_one_sentence(finished, f"{medallion.lake}/{place}")


def test_a_file_where_gold_should_be_leaves_the_run_going_and_is_told(
    medallion: Medallion,
) -> None:
    medallion.lake.mkdir()
    (medallion.lake / "gold").write_text("in the way")
    medallion.run("simulate", "--events", 20, "--batch-size", 20)
    medallion.run("bronze", "--once")
    medallion.run("ingest", "--once")
    finished = medallion.run("transform", check=1)
    assert f"{medallion.lake}/gold" in finished.stderr
    # The warehouse has the rows, and status says so.
    assert medallion.status()["silver"]["rows"] == 20
    (medallion.lake / "gold").unlink()
    medallion.run("transform")
    assert_whole(medallion)


@pytest.mark.parametrize(
    ("name", "content"),
    [("ledger.sqlite", b"no database"), ("warehouse.duckdb", b"no database" * 1000)],
)
def test_a_damaged_ledger_or_warehouse_is_named_with_the_mend(
    medallion: Medallion, name: str, content: bytes
) -> None:
    medallion.run("simulate", "--events", 5)
    medallion.run("bronze", "--once")
    medallion.forget_ledger()
    path = medallion.lake / name
    path.write_bytes(content)
    finished = medallion.run("ingest", "--once", check=1)
    line = assert_one_sentence(finished, str(path))
    assert "move it aside" in line, line
    assert path.read_bytes() == content
    # The mend that the sentence names.
    path.rename(path.with_suffix(".aside"))
    assert medallion.run("ingest", "--once").stdout == "5 rows loaded\n"


def test_a_lake_that_may_not_be_written_is_named(settled: Medallion) -> None:
    with read_only(settled.lake):
        finished = settled.run("bronze", "--once", check=1)
        assert_one_sentence(finished, str(settled.lake))
        finished = settled.run("simulate", "--events", 1, check=None, within=STOP_SECONDS)
        assert finished.code == 1
    assert settled.verify()["balanced"] is True


@contextmanager
def read_only(directory: Path) -> Iterator[None]:
    """Takes away the right to write: from root by a read-only mount, where that is allowed."""
    if os.geteuid() != 0:
        directory.chmod(0o555)
        for path in directory.rglob("*"):
            path.chmod(0o555 if path.is_dir() else 0o444)
        try:
            yield
        finally:
            directory.chmod(0o755)
            for path in directory.rglob("*"):
                path.chmod(0o755 if path.is_dir() else 0o644)
        return
    mount("--bind", str(directory), str(directory))
    try:
        mount("-o", "remount,bind,ro", str(directory))
        yield
    finally:
        unmount(directory)


@contextmanager
def small_disk(directory: Path, megabytes: int) -> Iterator[Path]:
    """A file system of its own size, where that may be mounted."""
    directory.mkdir(parents=True)
    mount("-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(directory))
    try:
        yield directory
    finally:
        unmount(directory)


def mount(*words: str) -> None:
    if os.geteuid() != 0:
        pytest.skip("mounting needs root")
    done = subprocess.run(["mount", *words], capture_output=True, text=True, timeout=10)
    if done.returncode != 0:
        pytest.skip(f"mounting is not permitted here: {done.stderr.strip()}")


def unmount(directory: Path) -> None:
    subprocess.run(["umount", "-l", str(directory)], check=True, timeout=10)


def fill(directory: Path, leaving: int) -> Path:
    """Fills a disk but for so many bytes."""
    filler = directory / "filler"
    with filler.open("wb", buffering=0) as file:
        try:
            while file.write(b"\0" * (1 << 16)):
                pass
        except OSError:
            pass
    os.truncate(filler, max(0, filler.stat().st_size - leaving))
    return filler


def test_a_full_disk_fails_a_stage_with_one_sentence_and_leaves_nothing_half_written(
    medallion: Medallion, tmp_path: Path
) -> None:
    with small_disk(tmp_path / "disk", 24) as disk:
        medallion = Medallion(disk / "lake", scratch=tmp_path / "commands")
        medallion.run("simulate", "--events", 20000, "--batch-size", 5000, "--seed", 1)
        medallion.run("status")
        filler = fill(disk, leaving=96 << 10)
        finished = medallion.run("bronze", "--once", check=1, within=60)
        assert "space" in finished.stderr.splitlines()[-1], str(finished)
        assert len(finished.stderr.splitlines()) == 1, str(finished)
        filler.unlink()
        assert medallion.commits() == []
        assert list((medallion.lake / "tmp").rglob("*.parquet")) == []
        medallion.run("bronze", "--once")
        filler = fill(disk, leaving=96 << 10)
        finished = medallion.run("ingest", "--once", check=1, within=80)
        assert "space" in finished.stderr.splitlines()[-1], str(finished)
        filler.unlink()
        medallion.run("ingest", "--once")
        report = medallion.verify(deep=True)
        assert (report["balanced"], report["waiting"]["bronze_rows"]) == (True, 0)
        assert medallion.status()["staging"]["rows"] == 20000


def test_status_and_verify_say_that_the_disk_is_full(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 8) as disk:
        medallion = Medallion(disk / "lake", scratch=tmp_path / "commands")
        medallion.run("simulate", "--events", 10)
        medallion.run("bronze", "--once")
        fill(disk, leaving=0)
        for command in ("status", "verify"):
            finished = medallion.run(command, check=None)
            if finished.code != 0:
                assert "space" in assert_one_sentence(finished)


@pytest.mark.parametrize("command", [("bronze", "--follow"), ("run", "--rate", "2000")])
def test_a_full_disk_is_waited_out_by_what_follows(
    tmp_path: Path, command: tuple[str, ...]
) -> None:
    with small_disk(tmp_path / "disk", 32) as disk:
        medallion = Medallion(disk / "lake", scratch=tmp_path / "commands")
        medallion.run("simulate", "--events", 2000, "--batch-size", 500)
        medallion.run("bronze", "--once")
        running = medallion.start(*command)
        if command[0] == "run":
            running.wait_for(lambda: len(medallion.commits()) > 2, "it works")
        else:
            lock = medallion.lake / "locks" / "bronze.lock"
            running.wait_for(lambda: lock.read_text() == str(running.process.pid), "it has begun")
        filler = fill(disk, leaving=64 << 10)
        if command[0] == "bronze":
            # Enough that bronze cannot write what becomes of it.
            with filler.open("r+b") as file:
                file.truncate(filler.stat().st_size - (1 << 20))
            medallion.run("simulate", "--events", 4000, "--batch-size", 4000)
            fill_more(disk)
        running.wait_for(
            lambda: "space" in running.stderr(), "it says that the disk is full", within=40
        )
        filler.unlink()
        for more in disk.glob("filler*"):
            more.unlink()
        commits = len(medallion.commits())
        running.wait_for(lambda: len(medallion.commits()) > commits, "it goes on", within=30)
        finished = running.stop()
        assert finished.code == 0, str(finished)
        medallion.assert_nothing_left_behind()
        medallion.run("bronze", "--once")
        assert medallion.verify(deep=True)["balanced"] is True


def fill_more(disk: Path) -> None:
    with (disk / "filler.more").open("wb", buffering=0) as file:
        try:
            while file.write(b"\0" * 4096):
                pass
        except OSError:
            pass


# MARK: the warehouse in other hands

HOLD_WAREHOUSE = """
import sys, duckdb
connection = duckdb.connect(sys.argv[1])
print("held", flush=True)
sys.stdin.read()
"""

HOLD_LEASE = """
import fcntl, sys
lease = open(sys.argv[1], "a")
fcntl.flock(lease, fcntl.LOCK_EX)
print("held", flush=True)
sys.stdin.read()
"""


@contextmanager
def held(code: str, path: Path) -> Iterator[Callable[[], None]]:
    """Another process holds a file until the yielded function is called."""
    holder = subprocess.Popen(
        [sys.executable, "-c", code, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert holder.stdin and holder.stdout

    def release() -> None:
        assert holder.stdin
        holder.stdin.close()
        holder.wait(STOP_SECONDS)

    try:
        assert holder.stdout.readline() == "held\n"
        yield release
    finally:
        holder.kill()
        holder.wait(STOP_SECONDS)
        holder.stdout.close()


@pytest.fixture
def staged(medallion: Medallion) -> Medallion:
    """A lake with a warehouse, and more to load."""
    medallion.run("simulate", "--events", 40)
    medallion.run("bronze", "--once")
    medallion.run("ingest", "--once")
    medallion.run("simulate", "--events", 60)
    medallion.run("bronze", "--once")
    return medallion


@pytest.mark.parametrize("command", [("ingest", "--once"), ("verify",), ("transform",)])
def test_a_warehouse_that_somebody_has_open_is_told_in_one_sentence(
    staged: Medallion, command: tuple[str, ...]
) -> None:
    with held(HOLD_WAREHOUSE, staged.warehouse):
        finished = staged.run(*command, check=1, within=60)
        last = [line for line in finished.stderr.splitlines() if "outage" not in line][-1]
        assert str(staged.warehouse) in last, str(finished)
        # Whoever reads it must learn what to do.
        assert re.search(r"clos|stop|end it", last), str(finished)
        assert "https://" not in last, str(finished)
    staged.run("ingest", "--once")
    assert staged.status()["staging"]["rows"] == 100


def test_a_follower_waits_for_a_warehouse_that_somebody_has_open(staged: Medallion) -> None:
    with held(HOLD_WAREHOUSE, staged.warehouse) as release:
        following = staged.start("ingest", "--follow")
        following.wait_for(lambda: "waiting" in following.stderr(), "it waits")
        release()
        following.wait_for(lambda: staged.status()["staging"]["rows"] == 100, "it goes on")
        assert following.stop().code == 0


@pytest.mark.parametrize("code", [HOLD_WAREHOUSE, HOLD_LEASE], ids=["opened", "leased"])
@pytest.mark.parametrize("command", [("ingest", "--follow"), ("run", "--rate", "50")])
def test_a_command_that_waits_for_the_warehouse_still_ends_on_a_signal(
    staged: Medallion, code: str, command: tuple[str, ...]
) -> None:
    path = staged.warehouse if code == HOLD_WAREHOUSE else staged.lake / "warehouse.lease"
    with held(code, path), closing(Openings(path)) as tries:
        following = staged.start(*command)
        lock = staged.lake / "locks" / "ingest.lock"
        following.wait_for(
            lambda: lock.read_text() == str(following.process.pid), "the stage is taken"
        )
        # Long enough to be waiting for the warehouse, as it does within moments.
        if code == HOLD_WAREHOUSE:
            following.wait_for(lambda: "waiting" in following.stderr(), "it waits")
        else:
            wait_until(tries.seen, "it tries to take the lease")
        finished = following.stop()
        assert finished.code == 0, str(finished)
    staged.assert_nothing_left_behind()


class Openings:
    """Tells by inotify whether somebody opened a file, though it be for a moment."""

    IN_OPEN = 0x20

    def __init__(self, path: Path) -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        self._descriptor = libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        if (
            self._descriptor < 0
            or libc.inotify_add_watch(self._descriptor, bytes(path), self.IN_OPEN) < 0
        ):
            pytest.skip("inotify is not to be had here")

    def seen(self) -> bool:
        try:
            return bool(os.read(self._descriptor, 1 << 16))
        except BlockingIOError:
            return False

    def close(self) -> None:
        os.close(self._descriptor)


def test_status_never_waits_for_the_warehouse(staged: Medallion) -> None:
    with held(HOLD_LEASE, staged.lake / "warehouse.lease"):
        assert staged.run("status", "--json", within=STOP_SECONDS).json()["staging"]["rows"] == 40


# MARK: dbt


@pytest.mark.parametrize("command", [("run", "--events", "5"), ("transform",)])
def test_a_missing_dbt_is_told_with_the_mend(
    staged: Medallion, tmp_path: Path, command: tuple[str, ...]
) -> None:
    staged.home = copy_home(tmp_path / "home", with_python=False)
    objects = len(list(raw_objects(staged.lake)))
    line = assert_one_sentence(staged.run(*command, check=1), ".venv")
    assert "make setup" in line
    assert len(list(raw_objects(staged.lake))) == objects
    # What needs no dbt goes on without it.
    staged.run("simulate", "--events", 5)
    staged.run("bronze", "--once")
    staged.run("ingest", "--once")
    assert staged.verify()["balanced"] is True


def test_doctor_names_what_is_missing(medallion: Medallion, tmp_path: Path) -> None:
    healthy = medallion.run("doctor", "--json").json()
    assert all(finding["ok"] for finding in healthy), healthy
    assert {"name", "ok", "detail"} == set(healthy[0])
    assert not medallion.lake.exists()
    medallion.home = copy_home(tmp_path / "home", with_python=False)
    finished = medallion.run("doctor", check=1)
    mends = [line for line in finished.stdout.splitlines() if line.startswith("MEND")]
    assert [line.split()[1] for line in mends] == ["dbt:", "charts:"]
    assert all("make setup" in line for line in mends)
    medallion.home = tmp_path
    finished = medallion.run("doctor", check=1)
    assert "contract/ and dbt/" in finished.stdout


def test_dbt_failing_keeps_the_last_good_gold_and_the_pipeline_running(
    settled: Medallion, tmp_path: Path, template: Template
) -> None:
    good = published_gold(settled.lake)
    pointer = (settled.lake / "gold" / "current.json").read_bytes()
    settled.home = copy_home(tmp_path / "home", with_python=True)
    model = settled.home / "dbt" / "models" / "gold" / "purchases_gold.sql"
    sound = model.read_text()
    model.write_text(sound.replace("sum(quantity)", "sum(no_such_column)"))
    rows = settled.status()["staging"]["rows"]

    running = settled.start("run", "--rate", 100, "--faults", "none")
    running.wait_for(lambda: (settled.status()["dbt"] or {}).get("ok") is False, "dbt fails")
    status = settled.status()
    assert "no_such_column" in status["dbt"]["failure"]
    loaded = max(rows, status["staging"]["rows"])
    running.wait_for(lambda: settled.status()["staging"]["rows"] > loaded, "it goes on")
    finished = running.stop()
    assert finished.code == 1, "a run whose gold is stale has not done what it was asked"
    assert "purchases_gold" in finished.stdout
    settled.assert_nothing_left_behind()
    assert (settled.lake / "gold" / "current.json").read_bytes() == pointer
    assert published_gold(settled.lake) == good
    assert settled.verify()["balanced"] is True

    finished = settled.run("transform", check=1)
    assert re.search(r"medallion: dbt failed: .*purchases_gold", finished.stderr)
    assert published_gold(settled.lake) == good
    model.write_text(sound)
    settled.run("transform")
    assert settled.status()["dbt"]["ok"] is True
    settled.run("bronze", "--once")
    settled.run("ingest", "--once")
    settled.run("transform")
    assert_whole(settled, template.answer_key)


def test_a_dbt_worker_that_dies_is_replaced(medallion: Medallion) -> None:
    medallion.run("simulate", "--events", 10)
    running = medallion.start("run", "--rate", 100)
    running.wait_for(lambda: medallion.status()["gold"]["transactions"], "first gold")
    workers = [pid for pid, words in medallion.processes().items() if "worker.py" in words]
    assert workers
    for pid in workers:
        os.kill(pid, signal.SIGKILL)
    before = medallion.status()["gold"]["transactions"]
    running.wait_for(lambda: medallion.status()["gold"]["transactions"] > before, "gold goes on")
    finished = running.stop()
    assert finished.code == 0, str(finished)
    medallion.assert_nothing_left_behind()


# MARK: the simulator's flags


def test_the_original_scripts_flags_work_and_say_what_it_said(
    medallion: Medallion, tmp_path: Path
) -> None:
    bucket = tmp_path / "my-bucket"
    running = medallion.start(
        *("simulate", "--bucket", bucket, "--prefix", "raw", "--batch-size", 25, "--sleep", 0.05),
        on_lake=False,
    )
    running.wait_for(lambda: running.stdout().count("\n") >= 4, "some objects are there")
    finished = running.stop(signal.SIGINT)
    assert finished.code == 0
    uploads = re.findall(r"^Uploaded 25 events to (\S+)$", finished.stdout, re.MULTILINE)
    assert len(uploads) >= 4
    for upload in uploads:
        path = Path(upload)
        assert re.search(r"/raw/yyyy=\d{4}/mm=\d\d/dd=\d\d/HH=\d\d/[0-9a-f-]{36}\.json$", upload)
        lines = raw_lines(path.read_bytes())
        assert len(lines) == 25
        first = json.loads(lines[0])
        assert list(first) == [
            *("event_id", "ts", "store_id", "customer_id", "product_id", "category"),
            *("price", "quantity", "total_amount"),
        ]
        assert (
            Decimal(str(first["total_amount"])) == Decimal(str(first["price"])) * first["quantity"]
        )
    assert sorted(uploads) == sorted(
        str(path) for path in bucket.rglob("*.json") if "raw" in str(path)
    )
    # The bucket is a lake.
    medallion.lake = bucket
    medallion.run("bronze", "--once")
    assert medallion.status()["raw"]["lines"] == 25 * len(uploads)


@pytest.mark.parametrize(("events", "batch"), [(0, 10), (1, 10), (10, 10), (101, 10), (7, 1)])
def test_events_are_made_to_the_very_number(medallion: Medallion, events: int, batch: int) -> None:
    report = medallion.run("simulate", "--events", events, "--batch-size", batch, "--json").json()
    texts = [text for _, text in raw_objects(medallion.lake)] if medallion.raw.exists() else []
    assert sum(len(raw_lines(text)) for text in texts) == events
    assert (report["events"], report["objects"]) == (events, len(texts))
    assert report["bytes"] == sum(len(text) for text in texts)
    assert all(len(raw_lines(text)) <= batch for text in texts)


def test_a_rate_is_kept(medallion: Medallion) -> None:
    finished = medallion.run("simulate", "--events", 600, "--rate", 300)
    # The last event is due after two seconds; a busy machine may be late and must not be early.
    assert 1.9 < finished.seconds < 8


def tree(directory: Path) -> dict[str, bytes]:
    return {
        path.relative_to(directory).as_posix(): path.read_bytes()
        for path in (directory / "raw").rglob("*")
        if path.is_file()
    }


def test_one_seed_and_virtual_clock_make_one_tree(
    new_medallion: Callable[[str], Medallion], tmp_path: Path
) -> None:
    def make(name: str, seed: int, zone: str = "UTC") -> dict[str, bytes]:
        medallion = new_medallion(name)
        medallion.run(
            *(
                "simulate",
                "--seed",
                seed,
                "--from",
                "2026-10-31T20:00:00Z",
                "--until",
                "2026-11-02",
            ),
            *("--events", 2000, "--batch-size", 100, "--faults", "default"),
            *("--answer-key", tmp_path / f"{name}.answers"),
            environment={"TZ": zone, "LC_ALL": "C.UTF-8"},
        )
        return tree(medallion.lake)

    first, second = make("first", 7), make("second", 7, "America/New_York")
    assert first and first == second
    answers = [(tmp_path / f"{name}.answers").read_bytes() for name in ("first", "second")]
    assert answers[0] == answers[1] != b""
    other = make("other", 8)
    assert not set(first.values()) & set(other.values())
    stamps = [
        json.loads(line)["ts"]
        for text in make("clean", 9).values()
        for line in raw_lines(text)
        if b'"ts": "2026-1' in line and line.endswith(b"}") and b"\\" not in line and is_json(line)
    ]
    assert len(stamps) > 1500
    # Late events are up to 64 hours older than the clock.
    assert all("2026-10-29" <= stamp < "2026-11-02T00:00:00.000001" for stamp in stamps)


def is_json(line: bytes) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except ValueError:
        return False


# MARK: JSON for programs

COUNT = int
STATUS_TYPES: dict[str, Any] = {
    "raw": {"objects": COUNT, "lines": COUNT, "ignored": COUNT, "changed": COUNT},
    "bronze": {"files": COUNT, "rows": COUNT, "rescued": dict},
    "quarantine": {"lines": COUNT, "reasons": dict, "pending": COUNT},
    "blank": {"lines": COUNT},
    "parked": COUNT,
    "staging": {"rows": COUNT},
    "silver": {"rows": COUNT, "duplicates": COUNT, "conflicts": COUNT},
    "gold": {"revenue": str, "transactions": COUNT},
    "pipe": {"pending": COUNT},
    "troubles": list,
}


def assert_types(value: Any, types: Any, where: str) -> None:
    if isinstance(types, dict):
        assert isinstance(value, dict), where
        for name, inner in types.items():
            assert name in value, f"{where}.{name} is not there"
            assert_types(value[name], inner, f"{where}.{name}")
    else:
        # JSON does not tell 13.0 from 13.
        fitting = (int, float) if types is float else (types,)
        assert type(value) in fitting, f"{where} is {value!r}"


def test_status_as_json_has_its_members_before_and_after_anything_happened(
    medallion: Medallion, template: Template
) -> None:
    medallion.run("simulate", "--events", 1)
    empty = medallion.status()
    for status in (empty, template.status):
        assert_types(status, STATUS_TYPES, "status")
        assert re.fullmatch(r"\d+\.\d\d", status["gold"]["revenue"])
        assert "freshness_seconds" in status and "dbt" in status
    assert empty["freshness_seconds"] is None and empty["dbt"] is None
    assert_types(template.status, {"freshness_seconds": float}, "status")
    assert_types(
        template.status["dbt"], {"ok": bool, "at": str, "elapsed_seconds": float}, "status.dbt"
    )


def test_verify_as_json_has_its_members(medallion: Medallion) -> None:
    medallion.run("simulate", "--events", 10)
    medallion.run("bronze", "--once")
    report = medallion.verify()
    assert_types(
        report, {"balanced": bool, "pending": int, "checks": list, "findings": list}, "verify"
    )
    for check in report["checks"]:
        assert_types(check, {"name": str, "ok": bool}, "check")
        assert type(check["left"]) is type(check["right"])
        assert type(check["left"]) in (int, str)
    # A file from an object waits to be loaded.
    assert report["pending"] == 10


def test_reports_as_json_name_their_members_alike(medallion: Medallion) -> None:
    report = medallion.run("simulate", "--events", 10, "--json").json()
    names = set(report)
    medallion.run("bronze", "--once")
    names |= set(medallion.run("redrive", "--json").json())
    names |= set(medallion.status()) | set(medallion.verify())
    assert [name for name in names if name != name.lower()] == []


# MARK: signals


FOLLOWERS = [
    ("run", "--rate", "100"),
    ("simulate", "--rate", "100"),
    ("bronze", "--follow"),
    ("ingest", "--follow"),
]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda each: each.name)
@pytest.mark.parametrize("command", FOLLOWERS, ids=lambda words: words[0])
def test_a_signal_ends_a_command_in_order(
    staged: Medallion, command: tuple[str, ...], number: signal.Signals
) -> None:
    running = staged.start(*command)
    at_work: dict[str, Callable[[], bool]] = {
        "run": lambda: len(staged.commits()) > 2,
        "simulate": lambda: len(list(staged.raw.rglob("*.json"))) > 2,
        "bronze": lambda: len(staged.commits()) > 2,
        "ingest": lambda: staged.status()["staging"]["rows"] >= 100,
    }
    if command[0] == "bronze":
        staged.run("simulate", "--events", 10)
    running.wait_for(at_work[command[0]], "it works")
    finished = running.stop(number)
    assert finished.code == 0, str(finished)
    staged.assert_nothing_left_behind()
    assert staged.verify(deep=True)["balanced"] is True


def test_a_signal_during_a_dbt_run_lets_it_finish(medallion: Medallion) -> None:
    running = medallion.start("run", "--rate", 100)
    lease = medallion.lake / "warehouse.lease"

    def dbt_is_at_work() -> bool:
        return any(
            "worker.py" in words and holds(pid, lease)
            for pid, words in medallion.processes().items()
        )

    # The first refresh, of everything, may take longer than the patience of a stop.
    pointer = medallion.lake / "gold/current.json"
    before = running.wait_for(
        lambda: pointer.exists() and medallion.status()["dbt"], "the first refresh"
    )
    running.wait_for(dbt_is_at_work, "dbt holds the lease")
    finished = running.stop(signal.SIGINT)
    assert finished.code == 0, str(finished)
    medallion.assert_nothing_left_behind()
    after = medallion.status()["dbt"]
    assert after["ok"] is True and after["at"] > before["at"]
    assert medallion.verify(deep=True)["balanced"] is True


def holds(pid: int, path: Path) -> bool:
    try:
        return path in {each.readlink() for each in Path(f"/proc/{pid}/fd").iterdir()}
    except OSError:
        return False


def test_an_impatient_second_signal_does_no_harm(medallion: Medallion) -> None:
    running = medallion.start("run", "--rate", 100)
    running.wait_for(lambda: medallion.commits(), "it works")
    running.send(signal.SIGINT)
    running.send(signal.SIGINT)
    running.wait(STOP_SECONDS)
    medallion.assert_nothing_left_behind()
    medallion.run("run", "--events", 10)
    assert medallion.verify(deep=True)["pending"] == 0


def test_a_run_for_some_time_drains_to_gold(medallion: Medallion, tmp_path: Path) -> None:
    answers = tmp_path / "answers.ndjson"
    # In a retail world the hour of the week would decide how many 300 a second are.
    words = ("run", "--for", "3s", "--rate", 300, "--world", "plain", "--answer-key", answers)
    finished = medallion.run(*words)
    assert finished.seconds >= 3
    report = medallion.verify()
    assert (report["balanced"], report["pending"]) == (True, 0)
    truth = assert_whole(medallion, answers)
    # Three seconds at 300 a second; a busy machine may make fewer.
    assert 100 < truth.lines < 1100


def test_a_second_run_goes_on_in_the_same_lake(medallion: Medallion, tmp_path: Path) -> None:
    answers = tmp_path / "answers.ndjson"
    for events in (150, 250):
        medallion.run("run", "--events", events, "--answer-key", answers)
    truth = assert_whole(medallion, answers)
    assert truth.lines - truth.blank == 400


# MARK: stdout and stderr


def test_results_go_to_stdout_and_progress_to_stderr(medallion: Medallion) -> None:
    made = medallion.run("simulate", "--events", 30, "--rate", "max")
    assert re.fullmatch(r"30 events in 1 objects, \d+ a second\n", made.stdout)
    bronze = medallion.run("bronze", "--once")
    assert bronze.stdout == "1 objects, 30 lines: 30 accepted, 0 quarantined, 0 blank\n"
    ingest = medallion.run("ingest", "--once")
    assert ingest.stdout == "30 rows loaded\n"
    transform = medallion.run("transform")
    assert re.fullmatch(
        r"dbt: .*; silver 30 rows, gold 30 transactions, revenue \d+\.\d\d\n", transform.stdout
    )
    for command in ("status", "verify"):
        finished = medallion.run(command)
        assert finished.stdout and finished.stderr == ""
        json.loads(medallion.run(command, "--json").stdout)
    # No control characters of a terminal where there is none.
    for finished in (made, bronze, ingest, transform):
        assert "\x1b" not in finished.stderr + finished.stdout
        assert "\r" not in finished.stderr + finished.stdout


def test_a_run_tells_the_layers_and_the_verdict_on_stdout(medallion: Medallion) -> None:
    finished = medallion.run("run", "--events", 50, "--faults", "none")
    table = dict(re.findall(r"^ *(\w+) +(\d+)  ", finished.stdout, re.MULTILINE))
    assert table == {
        **{layer: "50" for layer in ("raw", "bronze", "staging", "silver", "gold")},
        **{layer: "0" for layer in ("blank", "quarantine", "duplicates", "conflicts")},
    }
    verdict = finished.stdout.splitlines()[-1]
    assert verdict == "verified: 1 batches, every line accounted for; nothing pending"
    assert "running in" in finished.stderr
