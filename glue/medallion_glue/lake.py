"""A lake: where things stand in it, which lake it is, and its commits (`docs/json.md`)."""

from __future__ import annotations

import json
import random
import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from medallion_glue import ENGINE
from medallion_glue.store import NotFound, ObjectInfo, Store, read_all

FORMAT = 1
RAW = "raw/"
BRONZE = "bronze/"
QUARANTINE = "quarantine/"
COMMITS = "commits/"
WORK = "tmp/"
#: How many commits one checkpoint sums up.
CHECKPOINT_LENGTH = 1000

_ARRIVAL = re.compile(r"raw/yyyy=([0-9]{4})/mm=([0-9]{2})/dd=([0-9]{2})/")
_BATCH = re.compile(r"[0-9A-Za-z-]{1,64}")

Commit = dict[str, Any]


class LakeError(Exception):
    """Why a lake cannot be used as it is; the message says the mend."""


def is_raw_object(key: str) -> bool:
    return key.endswith((".json", ".json.gz"))


def arrival_day(listed: ObjectInfo) -> str:
    """The UTC date on which a raw object arrived: of its key, or else of its last change."""
    match = _ARRIVAL.match(listed.key)
    if match and len(listed.key) > match.end():
        return "-".join(match.groups())
    seconds = listed.modified_nanos // 1_000_000_000
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d")


def commit_key(number: int) -> str:
    return f"{COMMITS}{number}.json"


def checkpoint_key(number: int) -> str:
    return f"checkpoints/{number}.ndjson"


def work_key(batch: str, key: str) -> str:
    return f"{WORK}{batch}/{key}"


def now_text() -> str:
    """`2026-11-23T17:15:30.123Z`"""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def new_batch() -> str:
    """`20261123T171530123Z-5f0c9a1b`: the time of its making, and what tells it from others."""
    digits = re.sub(r"[^0-9TZ]", "", now_text())
    return f"{digits}-{random.SystemRandom().getrandbits(32):08x}"


@dataclass(frozen=True)
class Consumed:
    """A raw object as it was when a commit consumed it."""

    size_bytes: int
    modified_nanos: int


class Lake:
    """The objects of one lake, and its commits as far as they were read."""

    def __init__(self, store: Store, identity: dict[str, Any]) -> None:
        self.store = store
        self.identity = identity
        self.last_commit = 0
        #: Every raw object that any commit consumed, by key.
        self.consumed: dict[str, Consumed] = {}
        #: The batches of all commits, by name, with the keys of their files.
        self.batches: dict[str, list[str]] = {}

    @staticmethod
    def open(store: Store, creating: bool = False) -> Lake | None:
        """The lake in `store`; None if there is none and it is not to be made."""
        identity = _read_identity(store)
        if identity is None and creating:
            made = {
                "created_at": now_text(),
                "engine": ENGINE,
                "format": FORMAT,
                "lake": str(uuid.uuid4()),
            }
            # Of two that make it at once, one wins, and both read the same.
            store.put(encode(made), commit_key(0))
            identity = _read_identity(store)
        return None if identity is None else Lake(store, identity)

    # --- commits ----------------------------------------------------------------------------------

    def catch_up(self) -> None:
        """Reads the commits that followed, by checkpoints where there are any."""
        while True:
            before = self.last_commit
            for commit in self._read_after(before):
                self._apply(commit)
            if self.last_commit == before:
                return

    def append(self, commit: Commit) -> bool:
        """Stores a commit under the next number; False if that is taken by another."""
        key = commit_key(commit["number"])
        if not self.store.put(encode(commit), key):
            # Our own, if the answer to an earlier try was lost.
            found = self._read(commit["number"])
            if found is None or found["batch"] != commit["batch"]:
                return False
        self._apply(commit)
        return True

    def write_checkpoint(self) -> None:
        """Sums up the last commits if they fill a checkpoint, so that readers are quick."""
        number = self.last_commit
        if number == 0 or number % CHECKPOINT_LENGTH:
            return
        lines: list[bytes] = []
        for each in range(number - CHECKPOINT_LENGTH + 1, number + 1):
            commit = self._read(each)
            if commit is None:
                return
            lines.append(encode(commit))
        self.store.put(b"".join(lines), checkpoint_key(number))

    def check_nothing_follows(self) -> None:
        """Refuses a lake that has lost a commit in the middle: its number must not come again."""
        names = (info.key[len(COMMITS) :] for info in self.store.list(COMMITS))
        numbers = [int(name[:-5]) for name in names if re.fullmatch(r"[0-9]+\.json", name)]
        beyond = min((each for each in numbers if each > self.last_commit), default=0)
        # The next ones may have been committed since.
        if beyond > self.last_commit + 1 and self._read(self.last_commit + 1) is None:
            raise LakeError(
                f"{self.store.location}/{commit_key(self.last_commit + 1)} is missing, but commit "
                f"{beyond} is there: restore it from a copy; nothing else tells what it committed"
            )

    def _apply(self, commit: Commit) -> None:
        self.last_commit = commit["number"]
        self.batches[commit["batch"]] = [
            file["key"] for file in [*commit["bronze"], *commit["quarantine"]]
        ]
        for source in commit["raw"]:
            if source["key"] in self.consumed:
                raise LakeError(
                    f"commit {commit['number']} of {self.store.location} consumed {source['key']}, "
                    "which an earlier one had consumed: restore commits/ from a copy"
                )
            self.consumed[source["key"]] = Consumed(source["size"], source["modified"])

    def _read_after(self, number: int) -> Iterator[Commit]:
        if number % CHECKPOINT_LENGTH == 0:
            key = checkpoint_key(number + CHECKPOINT_LENGTH)
            content = _content(self.store, key)
            if content is not None:
                for place, line in enumerate(content.splitlines(), number + 1):
                    yield self._decode(line, place, key)
                return
        while (commit := self._read(number + 1)) is not None:
            yield commit
            number += 1
            # Here the next checkpoint may begin.
            if number % CHECKPOINT_LENGTH == 0:
                return

    def _read(self, number: int) -> Commit | None:
        key = commit_key(number)
        content = _content(self.store, key)
        return None if content is None else self._decode(content, number, key)

    def _decode(self, content: bytes, number: int, key: str) -> Commit:
        name = f"{self.store.location}/{key}"
        commit = _parse(content, name)
        try:
            is_sound = commit["number"] == number and bool(_BATCH.fullmatch(commit["batch"]))
            for source in commit["raw"]:
                is_sound = is_sound and isinstance(source["key"], str)
            if is_sound:
                return commit
        except (KeyError, TypeError):
            pass
        raise _corrupt(name)


def encode(value: dict[str, Any]) -> bytes:
    """One line of JSON with sorted keys."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode() + b"\n"


def _read_identity(store: Store) -> dict[str, Any] | None:
    content = _content(store, commit_key(0))
    if content is None:
        return None
    name = f"{store.location}/{commit_key(0)}"
    identity = _parse(content, name)
    if not isinstance(identity.get("lake"), str):
        raise _corrupt(name)
    return identity


def _content(store: Store, key: str) -> bytes | None:
    try:
        return read_all(store, key)
    except NotFound:
        return None


def _parse(content: bytes, name: str) -> dict[str, Any]:
    try:
        value = json.loads(content)
        # First the format: of one that is not known, nothing else can be counted on.
        found = value["format"]
    except (ValueError, TypeError, KeyError):
        raise _corrupt(name) from None
    if not isinstance(found, int) or found > FORMAT:
        raise LakeError(
            f"{name} is in format {found}, which this version of the job does not know: use a "
            "newer one"
        )
    return dict(value)


def _corrupt(name: str) -> LakeError:
    return LakeError(
        f"{name} cannot be read: restore it from a copy; nothing else tells what it committed"
    )
