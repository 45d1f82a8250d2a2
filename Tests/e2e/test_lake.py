"""What happens to a lake besides crashes: lost indexes, other writers, foreign and older files."""

from __future__ import annotations

import gzip
import json
import os
import random
import re
import shutil
import sqlite3
import time
import unicodedata
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest
from command import Medallion, Running
from template_lake import Template
from truth import (
    Place,
    assert_same,
    assert_whole,
    bronze_files,
    bronze_places,
    quarantine_records,
    raw_lines,
    truth_of,
)
from waiting import wait_until

FIXTURE = Path(__file__).parent / "fixtures" / "lake-v1"


def event(number: int, **changes: object) -> dict[str, object]:
    """A clean event; changes with the value None leave the member out."""
    fields: dict[str, object] = {
        "event_id": f"hand-{number:06}",
        "ts": f"2026-11-20T13:{number % 60:02}:10.123456+00:00",
        "store_id": "S004",
        "customer_id": "C000042",
        "product_id": "P102",
        "category": "home",
        "price": 49.99,
        "quantity": 3,
        "total_amount": 149.97,
    }
    fields.update(changes)
    return {name: value for name, value in fields.items() if value is not None}


def ndjson(*events: dict[str, object]) -> bytes:
    return b"".join(json.dumps(each).encode() + b"\n" for each in events)


def settle(*paths: Path) -> None:
    """Gives files the time of a minute ago, as if they had been copied in then."""
    moment = time.time() - 60
    for path in paths:
        os.utime(path, (moment, moment))


def put_by_hand(medallion: Medallion, name: str, content: bytes) -> str:
    """Copies a file into raw, as a person would a while ago, and returns its key."""
    path = medallion.raw / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    settle(path)
    return path.relative_to(medallion.lake).as_posix()


def consumed(medallion: Medallion) -> Counter[str]:
    """How often the commits say that each raw object was consumed."""
    return Counter(source["key"] for commit in medallion.commits() for source in commit["raw"])


def without_times(status: dict[str, Any]) -> dict[str, Any]:
    left_out = ("freshness_seconds", "dbt", "lake")
    kept = {name: value for name, value in status.items() if name not in left_out}
    pipe = {name: value for name, value in status["pipe"].items() if name != "lag_seconds"}
    return kept | {"pipe": pipe}


# MARK: indexes lost and restored


def test_a_deleted_ledger_is_rebuilt_from_the_commits(
    settled: Medallion, template: Template
) -> None:
    settled.forget_ledger()
    assert settled.run("bronze", "--once").stdout.startswith("0 objects, 0 lines")
    assert settled.run("ingest", "--once").stdout == "0 rows loaded\n"
    report = settled.verify(deep=True)
    assert (report["balanced"], report["pending"]) == (True, 0)
    assert consumed(settled) == Counter(settled_keys(template))


def test_after_a_deleted_ledger_the_next_holder_of_the_warehouse_tells_status_its_counts(
    settled: Medallion, template: Template
) -> None:
    settled.forget_ledger()
    settled.run("ingest", "--once")
    assert without_times(settled.status()) == without_times(template.status)


def test_a_ledger_restored_from_an_older_copy_reads_on(
    settled: Medallion, template: Template
) -> None:
    settled.forget_ledger()
    shutil.copy2(template.old_ledger, settled.ledger)
    with sqlite3.connect(settled.ledger) as ledger:
        # A batch that was at work when the copy was made.
        ledger.execute("INSERT INTO work VALUES ('20200101T000000000Z-00000000')")
    ledger.close()
    settled.run("bronze", "--once")
    assert settled.run("ingest", "--once").stdout == "0 rows loaded\n"
    report = settled.verify(deep=True)
    assert (report["balanced"], report["pending"]) == (True, 0)
    assert consumed(settled) == Counter(settled_keys(template))
    assert settled.status()["commits"] == template.status["commits"]


def test_a_deleted_warehouse_is_loaded_and_transformed_anew(
    settled: Medallion, template: Template
) -> None:
    settled.forget_warehouse()
    rows, quarantined = template.status["bronze"]["rows"], template.status["quarantine"]["lines"]
    told = f"{rows} rows loaded, {quarantined} quarantined lines\n"
    assert settled.run("ingest", "--once").stdout == told
    settled.run("transform")
    assert_whole(settled, template.answer_key)


def test_a_warehouse_restored_from_an_older_copy_takes_in_what_it_lacks(
    settled: Medallion, template: Template
) -> None:
    settled.forget_warehouse()
    shutil.copy2(template.old_warehouse, settled.warehouse)
    settled.run("ingest", "--once")
    settled.run("transform")
    assert_whole(settled, template.answer_key)


def settled_keys(template: Template) -> list[str]:
    return [
        path.relative_to(template.lake).as_posix() for path in template.lake.rglob("raw/**/*.json")
    ]


# MARK: two writers


def test_two_hosts_with_ledgers_of_their_own_share_a_lake_and_consume_each_object_once(
    medallion: Medallion, tmp_path: Path
) -> None:
    """Both follow while objects come in, and now and then one of them is killed."""
    hosts = [
        Medallion(medallion.lake, scratch=tmp_path / name, state=tmp_path / f"{name}.state")
        for name in ("one", "two")
    ]
    generator = random.Random(7)
    simulator = medallion.start(
        *("simulate", "--rate", 600, "--events", 4000, "--batch-size", 20, "--seed", 21)
    )
    medallion.started[0].wait_for(
        lambda: (medallion.lake / "commits" / "0.json").exists(), "the lake is there"
    )
    following = {host.scratch: host.start("bronze", "--follow") for host in hosts}
    kills = 0
    while simulator.is_running():
        before = len(medallion.commits())
        wait_until(
            lambda before=before: (  # type: ignore[misc]
                len(medallion.commits()) > before or not simulator.is_running()
            ),
            "one of the hosts commits",
        )
        if kills < 6:
            host = generator.choice(hosts)
            following[host.scratch].kill()
            kills += 1
            following[host.scratch] = host.start("bronze", "--follow")
    assert simulator.wait().code == 0
    assert kills > 0
    for host in hosts:
        assert following[host.scratch].stop().code == 0
    for host in hosts:
        host.run("bronze", "--once")
    keys = [path.relative_to(medallion.lake).as_posix() for path in medallion.raw.rglob("*.json")]
    assert consumed(medallion) == Counter(keys)
    truth = truth_of(medallion.lake)
    assert_same(
        Counter(bronze_places(medallion.lake)), Counter(each.place for each in truth.purchases), ""
    )
    assert truth.lines == 4000
    statuses = [without_times(host.status()) for host in hosts]
    for status in statuses:
        status["raw"].pop("ignored")
    assert statuses[0] == statuses[1]
    for host in hosts:
        host.run("ingest", "--once")
        assert host.verify(deep=True)["balanced"] is True


@pytest.mark.parametrize("point", ["before-commit", "after-commit", "after-publish:2"])
def test_what_a_killed_host_committed_another_publishes(
    medallion: Medallion, tmp_path: Path, point: str
) -> None:
    medallion.run(
        *("simulate", "--events", 90, "--batch-size", 30, "--seed", 3),
        *("--from", "2026-10-01", "--until", "2026-10-04"),
    )
    dead = Medallion(medallion.lake, scratch=tmp_path / "dead", state=tmp_path / "dead.state")
    dead.crash("bronze", "--once", at=point)
    heir = Medallion(medallion.lake, scratch=tmp_path / "heir", state=tmp_path / "heir.state")
    heir.run("bronze", "--once")
    truth = truth_of(medallion.lake)
    expected = Counter(each.place for each in truth.purchases)
    assert_same(Counter(bronze_places(medallion.lake)), expected, "bronze")
    # The dead host comes back: it has nothing left to do and takes nothing away.
    dead.run("bronze", "--once")
    assert_same(Counter(bronze_places(medallion.lake)), expected, "bronze")
    for host in (dead, heir):
        assert host.verify(deep=True)["balanced"] is True


# MARK: files copied in by hand


def follow(medallion: Medallion) -> Running:
    """Starts bronze on a new lake and waits until it looks."""
    medallion.lake.mkdir()
    following = medallion.start("bronze", "--follow")
    lock = medallion.lake / "locks" / "bronze.lock"
    following.wait_for(lambda: lock.exists() and lock.read_text(), "bronze follows")
    return following


def write_while_bronze_looks(
    medallion: Medallion,
    following: Running,
    path: Path,
    content: bytes,
    after: Callable[[], None] = lambda: None,
) -> None:
    """Writes a file piece by piece, in its place, the way `scp` and `cp` do.

    It is not whole until bronze has looked at the lake several times: until it has consumed other
    files, each of which was put there after the one before.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    pieces = iter([content[start : start + 24] for start in range(0, len(content), 24)])
    with path.open("wb", buffering=0) as file:

        def write() -> None:
            file.write(next(pieces))
            after()

        for number in range(3):
            other = put(medallion, f"other-{number}.json", ndjson(event(10_000 + number)))

            def has_looked(key: str = other) -> bool:
                write()
                return key in consumed(medallion)

            following.wait_for(has_looked, f"bronze consumes {other} beside the file")
        assert f"raw/{path.relative_to(medallion.raw)}" not in consumed(medallion)
        for piece in pieces:
            file.write(piece)
            after()


def put(medallion: Medallion, name: str, content: bytes) -> str:
    """Puts a whole file that has rested into raw, by renaming; returns its key."""
    work = medallion.lake.with_name(name)
    work.write_bytes(content)
    settle(work)
    medallion.raw.mkdir(exist_ok=True)
    work.rename(medallion.raw / name)
    return f"raw/{name}"


def consumption(medallion: Medallion, key: str) -> dict[str, Any]:
    """What the commits say of the raw object."""
    (source,) = (
        source for commit in medallion.commits() for source in commit["raw"] if source["key"] == key
    )
    found: dict[str, Any] = source
    return found


def test_a_file_that_is_copied_in_slowly_is_taken_whole(medallion: Medallion) -> None:
    following = follow(medallion)
    content = ndjson(*(event(number) for number in range(500)))
    key = "raw/by hand/export.json"
    write_while_bronze_looks(medallion, following, medallion.lake / key, content)
    following.wait_for(lambda: key in consumed(medallion), "the file is consumed")
    assert following.stop().code == 0
    assert consumption(medallion, key)["lines"] == 500
    assert medallion.status()["raw"]["changed"] == 0
    assert medallion.verify(deep=True)["balanced"] is True


def test_a_file_from_a_host_whose_clock_is_ahead_is_taken_whole(medallion: Medallion) -> None:
    """A modification time in the future says nothing about whether a file rests."""
    following = follow(medallion)
    key = "raw/ahead.json"
    path = medallion.lake / key

    def from_the_future() -> None:
        ahead = time.time() + 3600
        os.utime(path, (ahead, ahead))

    content = ndjson(*(event(number) for number in range(500)))
    write_while_bronze_looks(medallion, following, path, content, after=from_the_future)
    following.wait_for(lambda: key in consumed(medallion), "the file is consumed", within=20)
    assert following.stop().code == 0
    assert consumption(medallion, key)["lines"] == 500
    assert medallion.verify(deep=True)["balanced"] is True


NAMES = [
    "plain.json",
    "with blanks in it.json",
    "größe 日本語 🛒.json",
    'it\'s "quoted".json',
    "100% [a-z]*?{b}.json",
    ".hidden.json",
    "no/date/here/at all.json",
    "yyyy=2026/mm=11/dd=23/HH=17/anyone.json",
    "dt=2020-01-01/looks like bronze.json",
    "deep/" * 20 + "down.json",
    "directory.json/part-0.json",
    "x" * 250 + ".json",
    "packed.json.gz",
    "two members.json.gz",
    "-rf.json",
]


def test_files_with_any_name_in_any_directory_are_consumed(medallion: Medallion) -> None:
    for number, name in enumerate(NAMES):
        lines = ndjson(event(2 * number), event(2 * number + 1))
        if name.startswith("two"):
            # What `cat a.gz b.gz` makes, split in the middle of a line.
            lines = gzip.compress(lines[:100]) + gzip.compress(lines[100:])
        elif name.endswith(".gz"):
            lines = gzip.compress(lines)
        put_by_hand(medallion, name, lines)
    for name in ("notes.txt", "half.json.part", "README", "sum.json.sha256"):
        put_by_hand(medallion, name, b"not for bronze")
    medallion.run("bronze", "--once")
    assert set(consumed(medallion)) == {f"raw/{name}" for name in NAMES}
    truth = truth_of(medallion.lake)
    assert truth.lines == 2 * len(NAMES)
    assert_same(
        Counter(bronze_places(medallion.lake)), Counter(each.place for each in truth.purchases), ""
    )
    assert medallion.status()["raw"]["ignored"] == 4
    medallion.run("ingest", "--once")
    assert medallion.verify(deep=True)["balanced"] is True


@pytest.mark.parametrize(
    "content", [b"", b"\xef\xbb\xbf", b"\n", b"\r\n", b"\xef\xbb\xbf\r\n \n\t"]
)
@pytest.mark.parametrize("suffix", [".json", ".json.gz"])
def test_objects_of_next_to_nothing_are_counted_alike_by_bronze_and_verify(
    medallion: Medallion, content: bytes, suffix: str
) -> None:
    put_by_hand(
        medallion, f"nothing{suffix}", gzip.compress(content) if suffix.endswith("gz") else content
    )
    medallion.run("bronze", "--once")
    source = medallion.commits()[0]["raw"][0]
    assert source["lines"] == len(raw_lines(content))
    assert medallion.status()["blank"]["lines"] == len(raw_lines(content))
    assert medallion.verify(deep=True)["balanced"] is True


def test_a_file_whose_name_cannot_be_a_key_is_not_passed_over_in_silence(
    medallion: Medallion,
) -> None:
    put_by_hand(medallion, "line\nfeed.json", ndjson(event(1)))
    put_by_hand(medallion, "fine.json", ndjson(event(2)))
    medallion.run("bronze", "--once", check=None)
    status = medallion.status()
    assert status["raw"]["objects"] == 1
    assert status["raw"]["ignored"] + status["parked"] == 1


def test_a_file_moved_into_place_is_consumed_by_a_follower(medallion: Medallion) -> None:
    following = follow(medallion)
    work = medallion.raw / "new" / "x.json.part"
    work.parent.mkdir(parents=True)
    work.write_bytes(ndjson(event(1)))
    settle(work)
    work.rename(work.with_suffix(""))
    following.wait_for(lambda: consumed(medallion), "the file is consumed", within=10)
    assert set(consumed(medallion)) == {"raw/new/x.json"}
    assert following.stop().code == 0


def test_a_damaged_gzip_alone_is_parked_and_consumed_once_it_is_mended(
    medallion: Medallion,
) -> None:
    whole = gzip.compress(ndjson(*(event(number) for number in range(200))))
    key = put_by_hand(medallion, "cut.json.gz", whole[: len(whole) // 2])
    put_by_hand(medallion, "sound.json", ndjson(event(900)))
    finished = medallion.run("bronze", "--once", check=1)
    assert key in finished.stderr
    assert set(consumed(medallion)) == {"raw/sound.json"}
    status = medallion.status()
    assert (status["parked"], status["troubles"][0]["key"]) == (1, key)
    report = medallion.verify(check=1)
    assert report["balanced"] is False
    assert any(key in finding for finding in report["findings"])

    put_by_hand(medallion, "cut.json.gz", whole)
    medallion.run("bronze", "--once")
    assert consumed(medallion) == {"raw/sound.json": 1, key: 1}
    assert medallion.status()["parked"] == 0
    assert medallion.verify(deep=True)["balanced"] is True


def test_two_names_that_differ_only_in_their_unicode_form_stay_apart(
    medallion: Medallion, tmp_path: Path
) -> None:
    """Composed and decomposed letters look the same and are other bytes: other objects."""
    names = [unicodedata.normalize(form, "café.json") for form in ("NFC", "NFD")]
    assert names[0] != names[1]
    for number, name in enumerate(names):
        long_id = event(number, event_id=f"{number}" * 260)
        put_by_hand(medallion, name, ndjson(long_id, event(number)))
    if len(list(medallion.raw.iterdir())) < 2:
        pytest.skip("this file system does not tell the two names apart")
    medallion.run("bronze", "--once")
    expected = {Place(f"raw/{name}", 2) for name in names}
    assert set(bronze_places(medallion.lake)) == expected
    medallion.run("redrive", "--contract", longer_ids(tmp_path, medallion))
    expected |= {Place(f"raw/{name}", 1) for name in names}
    assert_same(Counter(bronze_places(medallion.lake)), Counter(expected), "bronze")
    assert medallion.verify(deep=True)["balanced"] is True


# MARK: files that change, and files that come again


def first_raw_object(medallion: Medallion) -> Path:
    return sorted(medallion.raw.rglob("*.json"))[0]


def test_a_raw_object_that_changes_after_it_was_consumed_is_an_alarm(settled: Medallion) -> None:
    path = first_raw_object(settled)
    key = path.relative_to(settled.lake).as_posix()
    with path.open("ab") as file:
        file.write(ndjson(event(1)))
    settle(path)
    before = settled.status()["bronze"]["rows"]
    settled.run("bronze", "--once", check=1)
    status = settled.status()
    assert status["raw"]["changed"] == 1
    assert [trouble["key"] for trouble in status["troubles"]] == [key]
    assert status["bronze"]["rows"] == before
    for deep in (False, True):
        report = settled.verify(deep=deep, check=1)
        assert report["balanced"] is False
        assert any(key in finding for finding in report["findings"])


def test_a_raw_object_that_changes_without_a_trace_in_size_and_time_is_found_by_deep(
    settled: Medallion,
) -> None:
    path = first_raw_object(settled)
    before = path.stat()
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    report = settled.verify(deep=True, check=1)
    assert any(path.name in finding for finding in report["findings"])


def test_a_raw_object_delivered_again_with_the_same_content_is_no_alarm(
    settled: Medallion, template: Template
) -> None:
    """At-least-once delivery: `rsync` without times, `aws s3 sync` and a restore do this."""
    path = first_raw_object(settled)
    copy = path.with_suffix(".part")
    copy.write_bytes(path.read_bytes())
    copy.replace(path)
    settle(path)
    settled.run("bronze", "--once")
    assert settled.status()["raw"]["changed"] == 0
    assert settled.status()["bronze"]["rows"] == template.status["bronze"]["rows"]
    assert settled.verify(deep=True)["balanced"] is True


def test_a_lake_copied_without_its_times_is_as_good_as_before(
    template: Template, medallion: Medallion
) -> None:
    """`cp -r`, `git clone` and object stores give every file a new time."""
    shutil.copytree(template.lake, medallion.lake, copy_function=shutil.copyfile)
    settle(*medallion.raw.rglob("*.json"))
    medallion.run("bronze", "--once")
    assert medallion.status()["raw"]["changed"] == 0
    assert medallion.verify(deep=True)["balanced"] is True


def test_the_alarm_ends_when_the_object_is_again_what_was_consumed(settled: Medallion) -> None:
    path = first_raw_object(settled)
    content = path.read_bytes()
    path.write_bytes(content + ndjson(event(1)))
    settled.verify(check=1)
    path.write_bytes(content)
    settle(path)
    assert settled.verify(deep=True)["balanced"] is True


def test_a_bronze_file_that_no_commit_names_is_not_loaded(
    settled: Medallion, template: Template
) -> None:
    for path in bronze_files(settled.lake):
        shutil.copyfile(path, path.with_name(f"again-{path.name}"))
        path.touch()
    assert settled.run("ingest", "--once").stdout == "0 rows loaded\n"
    assert settled.run("ingest", "--once").stdout == "0 rows loaded\n"
    assert settled.status()["staging"] == template.status["staging"]


def test_a_bronze_file_with_other_bytes_than_committed_is_parked_and_loaded_once_mended(
    medallion: Medallion,
) -> None:
    medallion.run("simulate", "--events", 200, "--seed", 2)
    medallion.run("bronze", "--once")
    (path,) = bronze_files(medallion.lake)
    key = path.relative_to(medallion.lake).as_posix()
    content = path.read_bytes()
    path.write_bytes(content[:100] + bytes([content[100] ^ 1]) + content[101:])
    finished = medallion.run("ingest", "--once", check=1)
    assert key in finished.stderr
    assert finished.stdout == "0 rows loaded\n"
    assert any(key in finding for finding in medallion.verify(check=1)["findings"])
    path.write_bytes(content)
    assert medallion.run("ingest", "--once").stdout == "200 rows loaded\n"
    assert medallion.verify()["balanced"] is True


# MARK: values at the edge

AMOUNTS = [
    *(0.0, 0.004999, 0.005, 1.005, 2.665, 2.675, 0.1 + 0.2, 5e-324, 123456789012345.67),
    *(1e15, 9999999999999998.0, 1e16, 1e300),
]
TIMES = [
    "2000-01-01T00:00:00Z",
    "2099-12-31T23:59:59.999999999Z",
    "2026-03-08T23:30:00-08:00",
    "2026-03-09T13:00:00.123456+05:30",
    "2024-02-29T12:00:00+00:00",
    "2026-11-01T00:30:00-04:00",
]


def test_amounts_and_days_at_the_edges_reach_gold_to_the_cent(medallion: Medallion) -> None:
    """In two batches: the second has the earlier lines of some ids, which win."""
    first = [event(n, price=amount, total_amount=amount) for n, amount in enumerate(AMOUNTS)]
    first += [event(100 + n, ts=ts) for n, ts in enumerate(TIMES)]
    first += [
        event(200, category=None),
        event(201, category="  Home "),
        event(202, customer_id=" c7 "),
        event(203, price=None, quantity=None, total_amount=None),
        event(204, quantity=2147483647),
        event(205),
        event(205),
        event(206, category="HOME"),
    ]
    put_by_hand(medallion, "b.json", ndjson(*first))
    medallion.environment = {"TZ": "America/Los_Angeles"}
    for command in (("bronze", "--once"), ("ingest", "--once"), ("transform",)):
        medallion.run(*command)
    put_by_hand(medallion, "a.json", ndjson(event(205, total_amount=0.01), event(206, ts=TIMES[0])))
    put_by_hand(medallion, "c.json", ndjson(event(205), event(1, price=7.0), event(300)))
    for command in (("bronze", "--once"), ("ingest", "--once"), ("transform",)):
        medallion.run(*command)
    truth = assert_whole(medallion)
    assert len(truth.losers) == 5
    assert sum(row.total_amount is None for row in truth.silver) == 3


# MARK: other builds, other lakes


def test_the_present_build_continues_a_lake_of_an_older_build(medallion: Medallion) -> None:
    copy_fixture(medallion)
    before = medallion.commits()
    report = medallion.verify(deep=True)
    assert report["balanced"] is True
    assert report["waiting"] == {
        "bronze_rows": 59,
        "quarantine_rows": 16,
        "raw_objects": 1,
        "staging_rows": 0,
    }
    medallion.run("bronze", "--once")
    medallion.run("ingest", "--once")
    medallion.run("transform")
    assert medallion.commits()[: len(before)] == before
    truth = assert_whole(medallion, FIXTURE / "answers.ndjson")
    assert (truth.lines, truth.objects) == (108, 4)
    status = medallion.status()
    assert status["quarantine"]["reasons"] == truth.reasons
    assert status["bronze"]["rescued"] == truth.rescued
    assert (status["raw"]["objects"], status["raw"]["lines"]) == (4, 108)


def test_an_older_builds_lake_copied_without_its_times_is_no_alarm(medallion: Medallion) -> None:
    copy_fixture(medallion, with_times=False)
    medallion.run("bronze", "--once")
    assert medallion.status()["raw"]["changed"] == 0
    assert medallion.verify(deep=True)["balanced"] is True


def test_the_present_build_continues_a_lake_of_an_older_build_without_its_ledger(
    medallion: Medallion,
) -> None:
    copy_fixture(medallion)
    medallion.forget_ledger()
    medallion.run("bronze", "--once")
    assert set(consumed(medallion).values()) == {1}
    status = medallion.status()
    truth = truth_of(medallion.lake, FIXTURE / "answers.ndjson")
    assert status["bronze"]["rows"] == len(truth.purchases)
    assert status["quarantine"]["reasons"] == truth.reasons


def copy_fixture(medallion: Medallion, *, with_times: bool = True) -> None:
    """The committed lake and its ledger; git does not keep the files' times, the commits do."""
    shutil.copytree(FIXTURE / "lake", medallion.lake)
    settle(*medallion.raw.rglob("*.json"))
    if with_times:
        for commit in medallion.commits():
            for source in commit["raw"]:
                moment = source["modified"]
                os.utime(medallion.lake / source["key"], ns=(moment, moment))
    with sqlite3.connect(medallion.ledger) as ledger:
        ledger.executescript((FIXTURE / "ledger.sql").read_text())
    ledger.close()


COMMANDS = [
    ("status",),
    ("verify",),
    ("bronze", "--once"),
    ("ingest", "--once"),
    ("transform",),
    ("redrive",),
    ("run", "--events", "1"),
    ("simulate", "--events", "1"),
]


@pytest.mark.parametrize("place", ["0.json", "2.json"])
def test_a_lake_of_a_newer_format_is_refused(settled: Medallion, place: str) -> None:
    path = settled.lake / "commits" / place
    entry = json.loads(path.read_text())
    # Of a format that is not known, nothing but the number can be counted on.
    path.write_text(json.dumps({"format": entry["format"] + 1, "surprise": True}))
    settled.forget_ledger()
    objects = sorted(settled.raw.rglob("*.json"))
    for command in COMMANDS:
        finished = settled.run(*command, check=1, within=30)
        assert re.search(r"format 2\b.*newer", finished.stderr), str(finished)
        assert len(finished.stderr.splitlines()) == 1, str(finished)
        assert finished.stdout == ""
    assert sorted(settled.raw.rglob("*.json")) == objects


def test_a_damaged_commit_is_named_and_nothing_is_consumed_again(settled: Medallion) -> None:
    path = settled.lake / "commits" / "2.json"
    path.write_text(path.read_text()[:-40])
    settled.forget_ledger()
    for command in COMMANDS:
        finished = settled.run(*command, check=1, within=30)
        assert "commits/2.json" in finished.stderr, str(finished)
        assert len(finished.stderr.splitlines()) == 1, str(finished)


def test_a_ledger_or_warehouse_of_another_lake_is_refused(
    settled: Medallion, new_medallion: Callable[[str], Medallion]
) -> None:
    other = new_medallion("other")
    other.run("simulate", "--events", 10)
    other.run("bronze", "--once")
    rows = other.status()["bronze"]["rows"]
    other.forget_ledger()
    shutil.copy2(settled.ledger, other.ledger)
    for command in COMMANDS:
        finished = other.run(*command, check=1, within=30)
        assert re.search(r"ledger .*another lake.*--state", finished.stderr), str(finished)
    other.forget_ledger()
    shutil.copy2(settled.warehouse, other.warehouse)
    for command in [("ingest", "--once"), ("verify",), ("transform",), ("run", "--events", "1")]:
        finished = other.run(*command, check=1)
        assert re.search(r"warehouse .*another lake.*--state", finished.stderr), str(finished)
    with duckdb.connect(other.warehouse, read_only=True) as connection:
        loaded = connection.execute("SELECT count(*) FROM raw.load_history").fetchone()
    assert loaded is not None
    assert loaded[0] == len(bronze_files(settled.lake))
    other.forget_warehouse()
    told = other.run("ingest", "--once").stdout
    assert told.startswith(f"{other.status()['bronze']['rows']} rows loaded")
    assert other.status()["bronze"]["rows"] >= rows


@pytest.mark.parametrize(
    ("first", "second", "stage"),
    [
        (("bronze", "--follow"), ("bronze", "--once"), "bronze"),
        (("bronze", "--follow"), ("redrive",), "bronze"),
        (("bronze", "--follow"), ("run", "--events", "1"), "bronze"),
        (("ingest", "--follow"), ("ingest", "--follow"), "ingest"),
        (("run", "--rate", "10"), ("transform",), "transform"),
        (("run", "--rate", "10"), ("bronze", "--follow"), "bronze"),
    ],
    ids=lambda words: words if isinstance(words, str) else words[0],
)
def test_a_second_process_of_a_stage_refuses_and_names_the_first(
    medallion: Medallion, first: tuple[str, ...], second: tuple[str, ...], stage: str
) -> None:
    medallion.lake.mkdir()
    running = medallion.start(*first)
    lock = medallion.lake / "locks" / f"{stage}.lock"
    running.wait_for(lambda: lock.exists() and lock.read_text(), "the stage is taken")
    finished = medallion.run(*second, check=1, within=15)
    assert finished.stdout == ""
    assert finished.stderr.splitlines() == [
        f"medallion: another process (process {running.process.pid}) runs {stage} on this lake: "
        "stop it first, or let it do the work"
    ]
    assert running.stop().code == 0
    medallion.assert_nothing_left_behind()


def test_different_stages_are_different_processes_at_the_same_time(medallion: Medallion) -> None:
    medallion.run("simulate", "--events", 50)
    stages = [medallion.start("bronze", "--follow"), medallion.start("ingest", "--follow")]
    simulator = medallion.start("simulate", "--rate", 200, "--events", 200)
    assert simulator.wait().code == 0
    stages[1].wait_for(
        lambda: medallion.status()["staging"]["rows"] == 250, "all is loaded", within=20
    )
    for stage in stages:
        assert stage.stop().code == 0
    assert medallion.verify(deep=True)["balanced"] is True


# MARK: another contract


def longer_ids(directory: Path, medallion: Medallion) -> Path:
    """The contract with event ids of up to 300 bytes."""
    text = (medallion.home / "contract" / "purchase_event.schema.json").read_text()
    path = directory / "longer.schema.json"
    path.write_text(text.replace(": 256", ": 300"))
    return path


def with_payment_method(directory: Path, medallion: Medallion) -> Path:
    """The contract with one field more."""
    schema = json.loads((medallion.home / "contract" / "purchase_event.schema.json").read_text())
    schema["properties"]["payment_method"] = {
        "description": "How the customer paid.",
        "type": ["string", "null"],
    }
    path = directory / "payment.schema.json"
    path.write_text(json.dumps(schema))
    return path


def test_redrive_under_a_contract_that_allows_more_gives_the_lines_their_place(
    medallion: Medallion, tmp_path: Path
) -> None:
    answers = tmp_path / "answers.ndjson"
    faults = "invalid_event_id=0.2,corrupt=0.1,duplicate=0.1"
    medallion.run(
        *("simulate", "--events", 500, "--batch-size", 100, "--seed", 4, "--faults", faults),
        *("--answer-key", answers),
    )
    medallion.run("bronze", "--once")
    medallion.run("ingest", "--once")
    before = medallion.status()
    records = quarantine_records(medallion)
    # What only the limit of 256 bytes kept out, found by reading the records themselves.
    gained = {
        Place(record["source_object"], record["line"])
        for record in records
        if record["reason"] == "invalid_event_id"
        and isinstance(event_id := json.loads(record["raw"])["event_id"], str)
        and 256 < len(event_id.encode()) <= 300
    }
    assert gained
    contract = longer_ids(tmp_path, medallion)
    report = medallion.run("redrive", "--json", "--contract", contract).json()
    assert report == {
        "lines": len(records),
        "accepted": len(gained),
        "reclassified": 0,
        "unchanged": len(records) - len(gained),
    }
    after = medallion.status()
    assert after["bronze"]["rows"] == before["bronze"]["rows"] + len(gained)
    assert after["quarantine"]["lines"] == before["quarantine"]["lines"] - len(gained)
    assert after["raw"]["lines"] == before["raw"]["lines"]
    left = {Place(each["source_object"], each["line"]) for each in quarantine_records(medallion)}
    assert left == {Place(each["source_object"], each["line"]) for each in records} - gained
    last = medallion.commits()[-1]
    assert last["kind"] == "redrive"
    assert sum(file["rows"] for file in last["bronze"]) == len(gained)
    rows = Counter(bronze_places(medallion.lake))
    assert {place: rows[place] for place in gained} == dict.fromkeys(gained, 1)
    medallion.run("ingest", "--once", "--contract", contract)
    report = medallion.verify(deep=True)
    assert (report["balanced"], report["waiting"]["bronze_rows"]) == (True, 0)


def test_redrive_under_the_same_contract_changes_nothing(settled: Medallion) -> None:
    before = without_times(settled.status())
    files = {path: path.read_bytes() for path in settled.lake.glob("quarantine/*/*")}
    finished = settled.run("redrive", "--json")
    assert finished.json()["accepted"] == finished.json()["reclassified"] == 0
    assert without_times(settled.status()) == before
    assert {path: path.read_bytes() for path in settled.lake.glob("quarantine/*/*")} == files


def test_redriving_twice_under_the_new_contract_changes_nothing_more(
    medallion: Medallion, tmp_path: Path
) -> None:
    medallion.run("simulate", "--events", 300, "--seed", 5, "--faults", "invalid_event_id=0.3")
    medallion.run("bronze", "--once")
    contract = longer_ids(tmp_path, medallion)
    assert medallion.run("redrive", "--json", "--contract", contract).json()["accepted"] > 0
    commits = len(medallion.commits())
    again = medallion.run("redrive", "--json", "--contract", contract).json()
    assert again["accepted"] == again["reclassified"] == 0
    assert len(medallion.commits()) == commits
    assert medallion.verify(deep=True)["balanced"] is True


def test_redrive_for_one_reason_leaves_the_others_alone(
    medallion: Medallion, tmp_path: Path
) -> None:
    medallion.run(
        "simulate", "--events", 400, "--seed", 5, "--faults", "invalid_event_id=0.2,corrupt=0.2"
    )
    medallion.run("bronze", "--once")
    before = medallion.status()["quarantine"]["reasons"]
    contract = longer_ids(tmp_path, medallion)
    none = medallion.run("redrive", "--json", "--reason", "missing_ts", "--contract", contract)
    assert none.json()["accepted"] == 0
    assert medallion.status()["quarantine"]["reasons"] == before
    some = medallion.run(
        "redrive", "--json", "--reason", "invalid_event_id", "--contract", contract
    )
    after = medallion.status()["quarantine"]["reasons"]
    assert some.json()["accepted"] == before["invalid_event_id"] - after["invalid_event_id"] > 0
    assert {**before, "invalid_event_id": 0} == {**after, "invalid_event_id": 0}
    assert medallion.verify(deep=True)["balanced"] is True


def test_a_rebuild_under_a_contract_with_one_field_more_has_its_column_filled(
    settled: Medallion,
    new_medallion: Callable[[str], Medallion],
    template: Template,
    tmp_path: Path,
) -> None:
    rebuilt = new_medallion("rebuilt")
    contract = with_payment_method(tmp_path, settled)
    before = {path: path.stat().st_mtime_ns for path in settled.lake.rglob("*") if path.is_file()}
    rebuilt.run("rebuild", "--raw", settled.lake, "--contract", contract)
    assert {
        path: path.stat().st_mtime_ns for path in settled.lake.rglob("*") if path.is_file()
    } == before, "the old lake is only read"
    truth = truth_of(settled.lake, template.answer_key)
    paid = truth.rescued["payment_method"]
    assert paid > 0
    with duckdb.connect(rebuilt.warehouse, read_only=True) as connection:
        found = connection.execute(
            "SELECT payment_method, count(*) FROM raw.raw_purchases_staging GROUP BY 1 ORDER BY 1"
        ).fetchall()
    assert found == [("card", paid), (None, len(truth.purchases) - paid)]
    expected = {name: count for name, count in truth.rescued.items() if name != "payment_method"}
    assert rebuilt.status()["bronze"]["rescued"] == expected
    # The same raw objects give the same purchases.
    assert_same(truth_of(rebuilt.lake, template.answer_key).gold, truth.gold, "raw")
    assert_whole(rebuilt, template.answer_key)


def test_a_lake_goes_on_under_a_contract_with_one_field_more(
    settled: Medallion, template: Template, tmp_path: Path
) -> None:
    contract = with_payment_method(tmp_path, settled)
    put_by_hand(settled, "new.json", ndjson(event(1, payment_method="cash"), event(2)))
    settled.run("bronze", "--once", "--contract", contract)
    settled.run("ingest", "--once", "--contract", contract)
    with duckdb.connect(settled.warehouse, read_only=True) as connection:
        found = connection.execute(
            "SELECT payment_method, count(*) FROM raw.raw_purchases_staging GROUP BY 1 ORDER BY 1"
        ).fetchall()
    assert found == [("cash", 1), (None, template.status["staging"]["rows"] + 1)]
    # And back: the older contract loads what the newer one made.
    put_by_hand(settled, "newer.json", ndjson(event(3, payment_method="cash")))
    settled.run("bronze", "--once", "--contract", contract)
    assert settled.run("ingest", "--once").stdout == "1 rows loaded\n"
    assert settled.verify(deep=True)["balanced"] is True


def test_a_rebuild_needs_an_old_lake_and_a_place_of_its_own(
    settled: Medallion, new_medallion: Callable[[str], Medallion]
) -> None:
    rebuilt = new_medallion("rebuilt")
    finished = rebuilt.run("rebuild", "--raw", rebuilt.lake / "nowhere", check=1)
    assert len(finished.stderr.splitlines()) == 1
    assert not rebuilt.lake.exists(), "nothing may be left half made"
    finished = settled.run("rebuild", "--raw", settled.lake, check=1)
    assert "own place" in finished.stderr


def test_a_lake_whose_path_has_blanks_quotes_and_brackets_is_a_lake_like_others(
    tmp_path: Path,
) -> None:
    medallion = Medallion(tmp_path / 'my lake\'s [1] "höhle" {x}', scratch=tmp_path / "commands")
    answers = tmp_path / "answers.ndjson"
    medallion.run(
        *("run", "--events", 200, "--answer-key", answers, "--faults", "corrupt=0.1"),
        environment={"TZ": "Pacific/Auckland"},
    )
    assert_whole(medallion, answers)
