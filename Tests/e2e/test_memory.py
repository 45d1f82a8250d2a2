"""Bronze takes at most 256 MiB, whatever a single object unpacks to or spreads over."""

from __future__ import annotations

import gzip
import os
import random
import subprocess
from datetime import date, timedelta
from pathlib import Path

from command import BINARY, REPOSITORY, Medallion

PROMISED_BYTES = 256 << 20


def peak_of_bronze(medallion: Medallion) -> int:
    """Runs `bronze --once` and gives the largest resident set that the kernel saw."""
    process = subprocess.Popen(
        [str(BINARY), "bronze", "--once", "--lake", str(medallion.lake)],
        env={**os.environ, "MEDALLION_HOME": str(REPOSITORY)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    return usage.ru_maxrss * 1024


def put(medallion: Medallion, name: str, content: bytes) -> None:
    path: Path = medallion.raw / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    os.utime(path, (1_700_000_000, 1_700_000_000))


def test_a_small_gzip_of_many_bad_lines(medallion: Medallion) -> None:
    """A few kilobytes become millions of records: they may not gather in memory."""
    lines = 1_500_000
    put(medallion, "bad.json.gz", gzip.compress(b"x\n" * lines))
    assert peak_of_bronze(medallion) < PROMISED_BYTES
    assert medallion.status()["quarantine"]["lines"] == lines


def test_one_object_of_a_year_and_of_many_values(medallion: Medallion) -> None:
    """Written out while it is read on: what its days have in common is copied once."""
    generator = random.Random(5)
    first = date(2025, 1, 1)
    lines = [
        f'{{"event_id":"{number:032x}","ts":"{first + timedelta(generator.randrange(365))}'
        f'T12:00:00Z","customer_id":"C{generator.randrange(60_000)}",'
        f'"price":{generator.randrange(50_000) / 100},'
        f'"total_amount":{generator.randrange(64_000) / 100}}}\n'
        for number in range(260_000)
    ]
    put(medallion, "year.json", "".join(lines).encode())
    assert peak_of_bronze(medallion) < PROMISED_BYTES
    assert medallion.status()["bronze"]["rows"] == len(lines)
