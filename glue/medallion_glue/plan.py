"""Which raw objects make up one batch, and how its tasks share them."""

from __future__ import annotations

from collections.abc import Sequence

from medallion_glue.lake import arrival_day
from medallion_glue.store import ObjectInfo

#: Of one batch, whose commit names all of them.
MOST_OBJECTS = 10_000
#: Days of arrival of one batch, each of which may have a quarantine file.
MOST_DAYS = 64
#: What gzip makes of NDJSON, about: so much more work is a packed byte.
GZIP_RATIO = 8
#: To read an object costs as much as so many bytes of it, however small it is.
OBJECT_BYTES = 256 << 10
#: A task is not worth its start, and a file not its name, below so many bytes of text.
LEAST_TASK_BYTES = 16 << 20


def weigh(listed: ObjectInfo) -> int:
    """The work that an object makes, in bytes of text."""
    text = listed.size_bytes * (GZIP_RATIO if listed.key.endswith(".gz") else 1)
    return text + OBJECT_BYTES


def plan_batch(waiting: Sequence[ObjectInfo], most_bytes: int) -> list[ObjectInfo]:
    """The first of `waiting`, in the order of their keys, that fit in one batch; at least one."""
    batch: list[ObjectInfo] = []
    size = 0
    days: set[str] = set()
    for listed in waiting:
        days.add(arrival_day(listed))
        size += listed.size_bytes
        is_full = len(batch) == MOST_OBJECTS or size > most_bytes or len(days) > MOST_DAYS
        if batch and is_full:
            break
        batch.append(listed)
    return batch


def share_out(batch: Sequence[ObjectInfo], cores: int, task_bytes: int) -> list[list[ObjectInfo]]:
    """The objects of each task: neighbours by key, since they arrived together.

    As many tasks as there are cores if there is enough to do, and more once each would have more
    than `task_bytes` of text.
    """
    total = sum(map(weigh, batch))
    most = max(LEAST_TASK_BYTES, min(task_bytes, -(-total // cores)))
    tasks: list[list[ObjectInfo]] = []
    size = most
    for listed in batch:
        weight = weigh(listed)
        if size + weight > most and (size > 0 or not tasks):
            tasks.append([])
            size = 0
        tasks[-1].append(listed)
        size += weight
    return tasks
