"""Commits, plans and arguments, without Spark."""

from __future__ import annotations

import json
import os
import re
import time
from pathlib import Path
from typing import Any

import glue_job_cleaner
import pytest
from command import REPOSITORY
from medallion_glue import lake as lakes
from medallion_glue.arguments import UsageError, parse_arguments, place_of
from medallion_glue.committer import Committer
from medallion_glue.job import Report
from medallion_glue.lake import Lake, LakeError, arrival_day, new_batch
from medallion_glue.metrics import metric_data
from medallion_glue.plan import MOST_DAYS, plan_batch, share_out, weigh
from medallion_glue.store import DirectoryStore, ObjectInfo


def open_lake(place: Path) -> Lake:
    lake = Lake.open(DirectoryStore(str(place)), creating=True)
    assert lake is not None
    lake.catch_up()
    return lake


def commit_of(*keys: str, batch: str = "") -> dict[str, Any]:
    return {
        **{"batch": batch or new_batch(), "bronze": [], "committed_at": "", "contract": ""},
        **{"counts": {}, "engine": "", "format": 1, "kind": "bronze", "number": 0},
        **{"quarantine": [], "superseded": []},
        "raw": [{"key": key, "size": 1, "modified": 2} for key in keys],
    }


def test_a_lake_is_made_once_and_only_where_it_is_wanted(tmp_path: Path) -> None:
    store = DirectoryStore(str(tmp_path))
    assert Lake.open(store) is None
    first = open_lake(tmp_path)
    assert open_lake(tmp_path).identity == first.identity
    identity = json.loads((tmp_path / "commits/0.json").read_text())
    assert identity["format"] == 1
    assert re.fullmatch(r"[0-9a-f-]{36}", identity["lake"])


def test_who_loses_a_number_takes_the_next_one(tmp_path: Path) -> None:
    one, other = open_lake(tmp_path), open_lake(tmp_path)
    Committer(one).commit(commit_of("raw/a.json"))
    committed = Committer(other).commit(commit_of("raw/b.json"))
    assert committed is not None
    assert committed["number"] == 2
    assert set(other.consumed) == {"raw/a.json", "raw/b.json"}


def test_who_loses_the_race_for_an_object_gives_up(tmp_path: Path) -> None:
    one, other = open_lake(tmp_path), open_lake(tmp_path)
    Committer(one).commit(commit_of("raw/a.json"))
    late = Committer(other).commit(commit_of("raw/a.json"))
    assert late is None
    assert open_lake(tmp_path).last_commit == 1


def test_a_number_that_is_taken_between_question_and_put_is_asked_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = open_lake(tmp_path), open_lake(tmp_path)
    append = Lake.append
    tried: list[int] = []

    def append_late(lake: Lake, commit: dict[str, Any]) -> bool:
        if lake is other and not tried:
            tried.append(commit["number"])
            Committer(one).commit(commit_of("raw/a.json"))
        return append(lake, commit)

    monkeypatch.setattr(Lake, "append", append_late)
    assert Committer(other).commit(commit_of("raw/a.json")) is None
    assert tried == [1]
    assert Committer(other).commit(commit_of("raw/b.json")) is not None
    assert open_lake(tmp_path).last_commit == 2


def test_an_own_commit_whose_answer_was_lost_is_known_again(tmp_path: Path) -> None:
    lake = open_lake(tmp_path)
    commit = commit_of("raw/a.json") | {"number": 1}
    lake.store.put(lakes.encode(commit), "commits/1.json")
    assert lake.append(commit)
    assert not open_lake(tmp_path).append(commit_of("raw/b.json") | {"number": 1})


def test_commits_are_read_by_checkpoints(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lakes, "CHECKPOINT_LENGTH", 3)
    lake = open_lake(tmp_path)
    for number in range(8):
        Committer(lake).commit(commit_of(f"raw/{number}.json"))
    assert sorted(path.name for path in (tmp_path / "checkpoints").iterdir()) == [
        *("3.ndjson", "6.ndjson")
    ]
    # What a checkpoint holds is not read again one by one.
    for number in (1, 2, 4, 5):
        (tmp_path / f"commits/{number}.json").unlink()
    assert open_lake(tmp_path).consumed == lake.consumed
    assert open_lake(tmp_path).last_commit == 8


def test_a_lake_that_lost_a_commit_is_refused(tmp_path: Path) -> None:
    lake = open_lake(tmp_path)
    for number in range(3):
        Committer(lake).commit(commit_of(f"raw/{number}.json"))
    (tmp_path / "commits/2.json").unlink()
    with pytest.raises(LakeError, match=r"commits/2\.json is missing"):
        Committer(open_lake(tmp_path)).recover()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'{"format": 2}', "format 2"),
        (b"{", "cannot be read"),
        (b'{"format": 1, "number": 7, "batch": "x", "raw": []}', "cannot be read"),
        (b'{"format": 1, "number": 1, "batch": "../x", "raw": []}', "cannot be read"),
    ],
)
def test_a_commit_that_cannot_be_counted_on_stops_the_job(
    tmp_path: Path, content: bytes, message: str
) -> None:
    open_lake(tmp_path)
    (tmp_path / "commits/1.json").write_bytes(content)
    with pytest.raises(LakeError, match=message):
        open_lake(tmp_path)


def test_forgotten_work_goes_after_a_day(tmp_path: Path) -> None:
    lake = open_lake(tmp_path)
    for batch in ("old", "new"):
        lake.store.create_work_object(f"tmp/{batch}/bronze/x").finish()
    for path in tmp_path.glob("tmp/old/**/*"):
        os.utime(path, (time.time() - 90_000,) * 2)
    Committer(lake).recover()
    assert sorted(path.name for path in (tmp_path / "tmp").iterdir()) == ["new"]


# --- plans ----------------------------------------------------------------------------------------


def raw_object(number: int, size: int, day: int = 23) -> ObjectInfo:
    return ObjectInfo(f"raw/yyyy=2026/mm=11/dd={day:02}/HH=17/{number:05}.json", size, 0)


def test_small_objects_are_grouped_by_bytes_and_large_ones_spread() -> None:
    small = [raw_object(number, 2_000) for number in range(1000)]
    shares = share_out(small, 4, 512 << 20)
    assert [listed for share in shares for listed in share] == small
    assert len(shares) == 4
    large = [raw_object(number, 100 << 20) for number in range(16)]
    assert [len(share) for share in share_out(large, 4, 1 << 40)] == [4, 4, 4, 4]
    assert max(len(share) for share in share_out(large, 4, 256 << 20)) == 2
    assert share_out([raw_object(0, 10 << 30)], 4, 1 << 20) == [[raw_object(0, 10 << 30)]]
    packed = ObjectInfo("raw/x.json.gz", 1 << 20, 0)
    assert weigh(packed) > 7 * (1 << 20)


def test_a_batch_has_bounds() -> None:
    waiting = [raw_object(number, 100) for number in range(20_000)]
    assert len(plan_batch(waiting, 1 << 40)) == 10_000
    assert len(plan_batch(waiting, 250)) == 2
    assert len(plan_batch(waiting, 1)) == 1
    days = [ObjectInfo(f"raw/{number}.json", 1, number * 86_400 * 10**9) for number in range(99)]
    assert len(plan_batch(days, 1 << 40)) == MOST_DAYS


def test_an_object_arrived_on_the_day_of_its_key_or_of_its_last_change() -> None:
    nanos = 1_764_000_000 * 10**9
    assert arrival_day(ObjectInfo("raw/yyyy=2026/mm=11/dd=23/x.json", 1, nanos)) == "2026-11-23"
    assert arrival_day(ObjectInfo("raw/x.json", 1, nanos)) == "2025-11-24"


# --- arguments ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "bronze", "lake", "prefix"),
    [
        ("s3://b/lake/raw/", "s3://b/lake/bronze/", "s3://b/lake", "raw/"),
        ("s3://b/raw", "s3://b/bronze", "s3://b", "raw/"),
        ("raw", "bronze", ".", "raw/"),
        ("lake/raw/yyyy=2026/", "lake/bronze/", "lake", "raw/yyyy=2026/"),
        ("/raw", "/bronze", "/", "raw/"),
    ],
)
def test_raw_and_bronze_name_a_lake(raw: str, bronze: str, lake: str, prefix: str) -> None:
    assert place_of(raw, bronze, None) == (lake, prefix)


@pytest.mark.parametrize(
    ("raw", "bronze", "quarantine", "message"),
    [
        ("s3://b/raw/", "s3://b/parquet/", None, "--OUTPUT_S3"),
        ("s3://b/raw/", "s3://b/notbronze/", None, "--OUTPUT_S3"),
        ("s3://a/raw/", "s3://b/bronze/", None, "--INPUT_S3"),
        ("s3://b/rawest/", "s3://b/bronze/", None, "--INPUT_S3"),
        ("s3://b/raw/", "s3://b/bronze/", "s3://c/quarantine/", "--QUARANTINE_S3"),
    ],
)
def test_places_of_several_lakes_are_refused(
    raw: str, bronze: str, quarantine: str | None, message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        place_of(raw, bronze, quarantine)


NEEDED = ["--JOB_NAME", "x", "--INPUT_S3", "l/raw", "--OUTPUT_S3", "l/bronze"]


def test_glue_adds_arguments_of_its_own() -> None:
    arguments = parse_arguments(
        [
            *NEEDED,
            *("--job-bookmark-option", "job-bookmark-disable", "--JOB_ID", "j_1"),
            *("--JOB_RUN_ID", "jr_1", "--TempDir", "s3://x/", "--enable-metrics", "true"),
            *("--METRICS_NAMESPACE", "Medallion", "--FILE_BYTES", "1000"),
        ]
    )
    assert arguments.job_name == "x"
    assert arguments.metrics_namespace == "Medallion"
    assert arguments.settings.file_bytes == 1000
    schema = REPOSITORY / "contract" / "purchase_event.schema.json"
    assert arguments.settings.contract == schema.read_bytes()


def test_a_mistyped_argument_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    for words in ([*NEEDED, "--QUARANTINE", "x"], NEEDED[:4], [*NEEDED, "--FILE_BYTES", "0"]):
        with pytest.raises(SystemExit) as ended:
            parse_arguments(words)
        assert ended.value.code == 2
    assert "there is no argument --QUARANTINE" in capsys.readouterr().err
    with pytest.raises(UsageError, match="nowhere"):
        parse_arguments([*NEEDED, "--CONTRACT", "nowhere.json"])


def test_a_person_gets_one_sentence_before_spark_starts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = tmp_path / "schema.json"
    broken.write_text('{"type": "object"}')
    assert glue_job_cleaner.main([*NEEDED, "--CONTRACT", str(broken)]) == 1
    assert glue_job_cleaner.main(["--JOB_NAME", "x", "--INPUT_S3", "raw", "--OUTPUT_S3", "x"]) == 2
    first, second = capsys.readouterr().err.splitlines()
    assert first.startswith("glue_job_cleaner.py: The schema describes no event: give it")
    assert second.startswith("glue_job_cleaner.py: --OUTPUT_S3 x/ is no lake's bronze/: name")


def test_metrics_are_what_the_documents_name() -> None:
    data = metric_data("bronze", Report("s3://b/lake"))
    named = re.findall(r"^\| `([A-Z]\w+)` \|", (REPOSITORY / "docs/glue.md").read_text(), re.M)
    assert sorted(each["MetricName"] for each in data) == sorted(named)
    assert all(each["Dimensions"] == [{"Name": "JobName", "Value": "bronze"}] for each in data)
