"""Runs a command and says what it cost, by the kernel's own count."""

from __future__ import annotations

import os
import platform
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

MIB = 1 << 20


@dataclass(frozen=True)
class Usage:
    """What one process cost, with those of its children that it waited for."""

    exit_code: int
    user_seconds: float
    system_seconds: float
    wall_seconds: float
    #: The largest resident set that one process of them had.
    peak_bytes: int

    @property
    def cpu_seconds(self) -> float:
        return self.user_seconds + self.system_seconds

    @property
    def busy_cores(self) -> float:
        """Cores kept busy on average."""
        return self.cpu_seconds / self.wall_seconds if self.wall_seconds else 0.0


def measure(
    command: Sequence[str | Path],
    *,
    environment: Mapping[str, str],
    directory: Path,
    output: Path,
    limit_seconds: float,
) -> Usage:
    """Runs a command to its end; both its outputs go to a file.

    After the limit its process group is killed. The peak counts from this process's own size
    on, since the kernel hands that down to a child: whoever calls this had better be small.
    """
    # What the run before wrote must not be written to disk at this one's expense.
    os.sync()
    with output.open("wb") as file:
        began = time.monotonic()
        process = subprocess.Popen(
            [str(word) for word in command],
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            env=dict(environment),
            cwd=directory,
            start_new_session=True,
        )
        with _killed_after(limit_seconds, process.pid):
            _, status, usage = os.wait4(process.pid, 0)
        wall_seconds = time.monotonic() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    return Usage(
        exit_code=process.returncode,
        user_seconds=usage.ru_utime,
        system_seconds=usage.ru_stime,
        wall_seconds=wall_seconds,
        # Kibibytes on Linux, bytes on macOS.
        peak_bytes=usage.ru_maxrss * (1 if platform.system() == "Darwin" else 1024),
    )


@contextmanager
def _killed_after(seconds: float, group: int) -> Iterator[None]:
    timer = threading.Timer(seconds, os.killpg, (group, signal.SIGKILL))
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def use_cores(number: int) -> int:
    """Keeps this process and its children on so many cores; returns how many it got."""
    if not hasattr(os, "sched_setaffinity"):
        return min(number, os.cpu_count() or 1)
    cores = sorted(os.sched_getaffinity(0))[:number]
    os.sched_setaffinity(0, cores)
    return len(cores)


def machine() -> str:
    """The processor, cores, memory and system, in a sentence's part."""
    model = platform.processor() or platform.machine()
    information = Path("/proc/cpuinfo")
    if information.exists():
        for line in information.read_text().splitlines():
            if line.startswith("model name"):
                model = line.partition(":")[2].strip()
                break
    memory_bytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return (
        f"{model}, {os.cpu_count()} cores, {memory_bytes / (1 << 30):.0f} GiB, "
        f"{platform.system()} {platform.release()}"
    )
