"""Commits batches and gives their files their keys, as the Swift `BatchCommitter` does.

A batch is written under `tmp/`, committed by taking the next number in `commits/`, then published:
those very bytes get the keys that the commit names. Before the commit anything may be planned anew;
after it nothing is computed again.
"""

from __future__ import annotations

import logging
import re
import time
from concurrent.futures import ThreadPoolExecutor

from medallion_glue.crash_point import reach
from medallion_glue.lake import WORK, Commit, Lake, LakeError, work_key
from medallion_glue.store import NotFound

#: Work that nobody goes on with is removed at this age.
FORGOTTEN_SECONDS = 86_400
#: Files that are published at the same time: on S3 each is a request that copies.
PUBLISHED_AT_ONCE = 16

logger = logging.getLogger("medallion")


class Committer:
    def __init__(self, lake: Lake) -> None:
        self._lake = lake

    def recover(self) -> None:
        """Takes up what others committed, publishes what waits for it, removes forgotten work."""
        self._lake.catch_up()
        self._lake.check_nothing_follows()
        forgotten_before = int((time.time() - FORGOTTEN_SECONDS) * 1e9)
        found: dict[str, int] = {}
        for info in self._lake.store.list(WORK):
            batch = info.key[len(WORK) :].split("/")[0]
            found[batch] = max(found.get(batch, 0), info.modified_nanos)
        for batch, modified in sorted(found.items()):
            if batch in self._lake.batches:
                self.publish(batch)
            elif modified >= forgotten_before:
                continue
            elif re.fullmatch(r"put-.*", batch):
                self._lake.store.delete(f"{WORK}{batch}")
            else:
                self.abandon(batch)

    def commit(self, batch: Commit) -> Commit | None:
        """Commits under the next free number; None if others consumed one of its objects first."""
        reach("before-commit")
        while True:
            self._lake.catch_up()
            # Asked of a lake that has all commits before the number.
            if any(source["key"] in self._lake.consumed for source in batch["raw"]):
                return None
            commit = batch | {"number": self._lake.last_commit + 1}
            if self._lake.append(commit):
                break
        reach("after-commit")
        self._lake.write_checkpoint()
        return commit

    def publish(self, batch: str) -> None:
        """Moves the files of a committed batch to their keys, and removes what else it wrote."""

        def move(key: str) -> None:
            try:
                self._lake.store.publish(work_key(batch, key), key)
            except NotFound:
                raise LakeError(
                    f"{self._lake.store.location}/{key} was committed in the batch {batch}, but it "
                    "is neither in its place nor in tmp/: restore it from a copy"
                ) from None
            reach("after-publish")

        with ThreadPoolExecutor(PUBLISHED_AT_ONCE) as pool:
            list(pool.map(move, self._lake.batches[batch]))
        self.abandon(batch)

    def abandon(self, batch: str) -> None:
        """Removes the work of a batch that nobody needs any more."""
        self._lake.store.delete_all(f"{WORK}{batch}/")
