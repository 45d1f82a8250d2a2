"""How tests in Python wait for what other processes bring about."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

#: Between two looks. Nothing tells a test of a lock, a process or a row that others make.
BETWEEN_LOOKS_SECONDS = 0.02


def wait_until(condition: Callable[[], T], what: str, within: float = 120.0) -> T:
    """Returns the first true result of `condition`; fails the test if there is none in time."""
    deadline = time.monotonic() + within
    while not (result := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {within} s: {what}")
        time.sleep(BETWEEN_LOOKS_SECONDS)
    return result
