"""`status --watch` keeps the terminal up to date."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
from contextlib import suppress
from itertools import pairwise
from typing import Any

from command import BINARY, REPOSITORY
from serving import NewLake
from waiting import wait_until

REDRAW = b"\x1b[H\x1b[2J"


def test_each_change_is_a_line_of_json(new_lake: NewLake) -> None:
    medallion = new_lake()
    running = medallion.start("status", "--watch", "--json")

    def lines() -> list[Any]:
        # What is being written is no line yet.
        whole = running.stdout().rpartition("\n")[0]
        return [json.loads(line) for line in whole.splitlines()]

    running.wait_for(lambda: running.stdout().count("\n") == 1, "the first look")
    [first] = lines()
    medallion.run("simulate", "--events", 20, "--seed", 12)
    medallion.run("bronze", "--once")
    running.wait_for(lambda: lines()[-1]["commits"] == first["commits"] + 1, "the commit is told")
    medallion.run("ingest", "--once")
    running.wait_for(
        lambda: lines()[-1]["staging"]["rows"] == first["staging"]["rows"] + 20, "so is the load"
    )
    finished = running.stop()
    assert finished.code == 0
    # The last line is what `status` tells, and no line is a repetition.
    told = [json.loads(line) for line in finished.stdout.splitlines()]
    printed = medallion.status()
    for status in (*told, printed):
        del status["freshness_seconds"]
        status["pipe"].pop("lag_seconds")
        status["raw"].pop("lag_seconds")
    assert told[-1] == printed
    assert all(one != next_ for one, next_ in pairwise(told))


def test_a_terminal_is_redrawn(new_lake: NewLake) -> None:
    medallion = new_lake()
    terminal, other_end = pty.openpty()
    os.set_blocking(terminal, False)
    environment = {name: v for name, v in os.environ.items() if not name.startswith("MEDALLION_")}
    process = subprocess.Popen(
        [BINARY, "status", "--watch", "--lake", medallion.lake],
        stdin=subprocess.DEVNULL,
        stdout=other_end,
        stderr=other_end,
        env={**environment, "MEDALLION_HOME": str(REPOSITORY)},
        cwd=medallion.lake,
    )
    os.close(other_end)
    shown = bytearray()

    def screen() -> bytes:
        # Nothing new, or nobody who writes any more.
        with suppress(OSError):
            shown.extend(os.read(terminal, 65536))
        return bytes(shown).rpartition(REDRAW)[2]

    try:
        wait_until(lambda: b", 1 commits" in screen(), "the first look", 20)
        medallion.run("simulate", "--events", 20, "--seed", 12)
        medallion.run("bronze", "--once")
        wait_until(lambda: b", 2 commits" in screen(), "the commit is shown", 20)
        assert shown.count(REDRAW) >= 2
        assert b", 1 commits" not in screen()
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
    finally:
        process.kill()
        process.wait(10)
        os.close(terminal)


def test_ctrl_c_ends_it(new_lake: NewLake) -> None:
    running = new_lake().start("status", "--watch", "--json")
    running.wait_for(lambda: running.stdout().endswith("\n"), "the first look")
    assert running.stop(signal.SIGINT).code == 0
