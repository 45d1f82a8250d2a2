"""Bronze takes at most 256 MiB, whatever a single object unpacks to or spreads over."""

from __future__ import annotations

import gzip
import os
import random
from datetime import date, timedelta
from pathlib import Path

from command import Medallion
from waiting import wait_until

PROMISED_BYTES = 256 << 20


def peak_of_bronze(medallion: Medallion) -> int:
    """Runs `bronze --once` and gives its largest resident set, by the kernel's own mark.

    Not by what wait4 says: there a child begins with the size of its parent, this test's.
    """
    running = medallion.start("bronze", "--once")
    status = Path(f"/proc/{running.process.pid}/status")
    peak = 0

    def has_ended() -> bool:
        nonlocal peak
        if not running.is_running():
            return True
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM:"):
                peak = int(line.split()[1]) * 1024
        return False

    wait_until(has_ended, "bronze ends", within=90)
    assert running.wait().code == 0
    assert peak > 0
    return peak


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
