"""Boundaries between two durable steps, at which a test can have the process killed.

`MEDALLION_CRASH_AT=after-commit` kills the driver with SIGKILL where it first reaches that point,
`MEDALLION_CRASH_AT=after-publish:3` where it reaches it for the third time: the names are those of
the Swift engine.
"""

from __future__ import annotations

import os
import signal
from threading import Lock

POINTS = ("before-commit", "after-commit", "after-publish")

_reached: dict[str, int] = {}
_lock = Lock()


def reach(point: str) -> None:
    """Kills this process if the environment armed this point and its count has come."""
    armed = os.environ.get("MEDALLION_CRASH_AT")
    if not armed:
        return
    name, _, count = armed.partition(":")
    if name not in POINTS:
        raise SystemExit(f"MEDALLION_CRASH_AT names no crash point of this job: {armed}")
    if name == point:
        with _lock:
            _reached[name] = _reached.get(name, 0) + 1
            if _reached[name] == int(count or 1):
                os.kill(os.getpid(), signal.SIGKILL)
