"""Logs as JSON, by which a row is followed from stage to stage."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from command import Finished, Medallion, Running
from serving import NewLake

JSON_LOG = ("--log-format", "json", "--log-level", "info")


def messages(stderr: str) -> list[dict[str, Any]]:
    """The messages of a log, each line one; an unfinished last line is one to be."""
    lines = stderr.splitlines(keepends=True)
    found = [json.loads(line) for line in lines if line.endswith("\n")]
    for message in found:
        assert {"time", "level", "message"} <= message.keys()
        assert all(isinstance(value, str) for value in message.values())
        assert datetime.fromisoformat(message["time"]).utcoffset() is not None
    return found


def only(finished: Finished, message: str) -> dict[str, Any]:
    [found] = [each for each in messages(finished.stderr) if each["message"] == message]
    return found


def test_a_batch_is_followed_by_its_id_from_raw_to_staging(new_lake: NewLake) -> None:
    medallion = new_lake()
    medallion.run("simulate", "--events", 20, "--seed", 12)
    committed = only(medallion.run("bronze", "--once", *JSON_LOG), "committed")
    commit = medallion.commits()[-1]
    assert (committed["batch"], committed["commit"]) == (commit["batch"], str(commit["number"]))
    assert committed["rows"] == "20"
    loaded = only(medallion.run("ingest", "--once", *JSON_LOG), "loaded")
    assert loaded["batches"] == committed["batch"]
    assert loaded["rows"] == committed["rows"]
    # The same id names its files.
    assert all(committed["batch"] in file["key"] for file in commit["bronze"])


def test_stages_that_follow_log_each_batch(new_lake: NewLake) -> None:
    medallion = new_lake()
    before = len(medallion.commits())
    bronze = medallion.start("bronze", "--follow", *JSON_LOG)
    ingest = medallion.start("ingest", "--follow", *JSON_LOG)

    def told(running: Running, message: str, member: str) -> list[str]:
        found = [each for each in messages(running.stderr()) if each["message"] == message]
        return [batch for each in found for batch in each[member].split(",") if batch]

    def accepted() -> int:
        return sum(commit["counts"]["accepted"] for commit in medallion.commits()[before:])

    medallion.run("simulate", "--events", 20, "--seed", 12)
    bronze.wait_for(lambda: accepted() == 20, "the first batch is committed")
    medallion.run("simulate", "--events", 20, "--seed", 13)
    bronze.wait_for(lambda: accepted() == 40, "the second, too")
    batches = [commit["batch"] for commit in medallion.commits()[before:]]
    bronze.wait_for(lambda: told(bronze, "committed", "batch") == batches, "bronze says so")
    ingest.wait_for(lambda: told(ingest, "loaded", "batches") == batches, "the pipe says so")
    for running in (bronze, ingest):
        finished = running.stop()
        assert finished.code == 0
        messages(finished.stderr)
    assert len(batches) == 2


def test_hostile_names_stay_within_their_line(new_lake: NewLake) -> None:
    medallion = new_lake(settled=False)
    medallion.raw.mkdir(parents=True)
    (medallion.raw / 'a"} {"level":"info"}.json.gz').write_bytes(b"no gzip")
    finished = medallion.run("bronze", "--once", *JSON_LOG, check=1)
    told = [each for each in messages(logged(finished)) if "key" in each]
    assert told and all(each["level"] == "warning" for each in told)
    assert all(each["key"] == 'raw/a"} {"level":"info"}.json.gz' for each in told)


def logged(finished: Finished) -> str:
    """Stderr without the sentence for the person at the terminal, which is its last line."""
    return "".join(finished.stderr.splitlines(keepends=True)[:-1])


def test_a_format_that_there_is_not_is_refused(template: Medallion) -> None:
    finished = template.run("bronze", "--once", "--log-format", "xml", check=2)
    assert "text or json" in finished.stderr
