"""Where a lake's objects live: the port, and the directory behind it. `s3_store` is the other one.

The directory backend keeps the Swift `DirectoryStore`'s rules: what it returns from is durable.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol


class StoreError(Exception):
    """Why a store could not do what it was asked; the message says the mend."""


class NotFound(StoreError):
    """No object has this key."""


class Denied(StoreError):
    """This user or role may not read the object."""


class Changed(StoreError):
    """The object is no longer the one that was opened."""


@dataclass(frozen=True)
class ObjectInfo:
    """What a listing tells about an object."""

    key: str
    size_bytes: int
    #: When its content last changed, in nanoseconds since 1970-01-01 UTC.
    modified_nanos: int


class ObjectReader(Protocol):
    """One object being read, front to back."""

    #: The object as it was when it was opened.
    info: ObjectInfo

    def read(self, most: int) -> bytes:
        """Up to so many bytes; none only at the end."""

    def is_unchanged(self) -> bool:
        """Whether the object still is what `info` says."""

    def close(self) -> None: ...


class ObjectWriter(Protocol):
    """One work object being written; without `finish` nothing was stored."""

    def write(self, data: bytes) -> object: ...

    def finish(self) -> None: ...

    def discard(self) -> None: ...


class Store(Protocol):
    location: str
    #: How long an object of somebody else must have rested before it counts as whole.
    settle_seconds: float

    def put(self, data: bytes, key: str) -> bool:
        """Stores `data` unless an object is there already, whole or not at all; whether it did."""

    def create_work_object(self, key: str) -> ObjectWriter:
        """Begins an object below `tmp/`."""

    def publish(self, work: str, key: str) -> None:
        """Gives a finished work object its final key. Doing so again is harmless."""

    def open(self, key: str) -> ObjectReader: ...

    def info(self, key: str) -> ObjectInfo | None: ...

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        """The objects whose keys begin with `prefix` (which ends with `/`), in no order.

        Passes over what cannot be a key of a lake.
        """

    def delete_all(self, prefix: str) -> None: ...

    def delete(self, key: str) -> None: ...


def open_store(location: str) -> Store:
    """The one place that chooses a backend: `s3://bucket/prefix` or a directory."""
    scheme, separator, rest = location.partition("://")
    if not separator:
        return DirectoryStore(location)
    if scheme in ("s3", "s3a", "s3n"):
        # Only where it is needed: boto3 takes a second to import.
        from medallion_glue.s3_store import S3Store

        bucket, _, prefix = rest.partition("/")
        return S3Store(bucket, prefix.strip("/"))
    if scheme == "file":
        return DirectoryStore(rest)
    raise StoreError(f"{location} is no place for a lake: use s3://bucket/prefix or a directory")


def read_all(store: Store, key: str) -> bytes:
    """A whole object, for the small ones."""
    reader = store.open(key)
    try:
        pieces: list[bytes] = []
        while piece := reader.read(1 << 20):
            pieces.append(piece)
        return b"".join(pieces)
    finally:
        reader.close()


def is_key(text: str) -> bool:
    """Whether the lake can have an object of this name."""
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        return False
    return (
        1 <= size <= 1024
        and all(part not in ("", ".", "..") for part in text.split("/"))
        and all(character >= " " and character != "\x7f" for character in text)
    )


class DirectoryStore:
    """A lake in a directory: a key is a path below it. Symbolic links are not followed."""

    settle_seconds = 1.0

    def __init__(self, root: str) -> None:
        self.location = os.path.realpath(root)
        self._root = Path(self.location)
        #: Directories that are known to be there durably.
        self._durable: set[Path] = set()

    def put(self, data: bytes, key: str) -> bool:
        self._make_directory(self._root / "tmp")
        temporary = self._root / "tmp" / f"put-{os.getpid()}-{random.getrandbits(64):016x}"
        try:
            with temporary.open("xb") as file:
                file.write(data)
                _sync(file)
            return self._link(temporary, self._root / key)
        finally:
            temporary.unlink(missing_ok=True)

    def create_work_object(self, key: str) -> ObjectWriter:
        path = self._root / key
        self._make_directory(path.parent)
        return _FileWriter(path)

    def publish(self, work: str, key: str) -> None:
        source = self._root / work
        try:
            # The key may be taken: by these very bytes, from a publication that was cut short.
            self._link(source, self._root / key)
        except FileNotFoundError:
            if self.info(key) is None:
                raise NotFound(f"neither {work} nor {key} is in {self.location}") from None
        source.unlink(missing_ok=True)

    def open(self, key: str) -> ObjectReader:
        return _FileReader(self._root / key, key)

    def info(self, key: str) -> ObjectInfo | None:
        try:
            status = (self._root / key).lstat()
        except (FileNotFoundError, NotADirectoryError):
            return None
        return _info(key, status) if _is_file(status) else None

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        yield from self._walk(prefix.rstrip("/"))

    def delete(self, key: str) -> None:
        (self._root / key).unlink(missing_ok=True)

    def delete_all(self, prefix: str) -> None:
        if not is_key(prefix + "x"):
            raise StoreError(f"{prefix} is not the beginning of a key")
        directory = self._root / prefix.rstrip("/")
        self._durable = {path for path in self._durable if not path.is_relative_to(directory)}
        for parent, directories, files in os.walk(directory, topdown=False):
            # A link to a directory is listed as one.
            for name in [*files, *directories]:
                path = Path(parent, name)
                try:
                    if path.is_dir() and not path.is_symlink():
                        path.rmdir()
                    else:
                        path.unlink(missing_ok=True)
                except FileNotFoundError:
                    continue
        try:
            directory.rmdir()
        except FileNotFoundError:
            return

    # --- below ------------------------------------------------------------------------------------

    def _walk(self, relative: str) -> Iterator[ObjectInfo]:
        try:
            entries = list(os.scandir(self._root / relative))
        except (FileNotFoundError, NotADirectoryError):
            return
        for entry in entries:
            key = f"{relative}/{entry.name}"
            if not is_key(key):
                continue
            if entry.is_dir(follow_symlinks=False):
                yield from self._walk(key)
            elif entry.is_file(follow_symlinks=False):
                try:
                    yield _info(key, entry.stat(follow_symlinks=False))
                except FileNotFoundError:
                    continue

    def _link(self, source: Path, target: Path) -> bool:
        self._make_directory(target.parent)
        try:
            os.link(source, target)
            is_new = True
        except FileExistsError:
            is_new = False
        # Also where it was there: whoever linked it may have died before its name was durable.
        _sync_directory(target.parent)
        return is_new

    def _make_directory(self, path: Path) -> None:
        """Makes a directory below the root, and those above it, durably."""
        if path == self._root or path in self._durable:
            return
        self._make_directory(path.parent)
        path.mkdir(exist_ok=True)
        _sync_directory(path.parent)
        self._durable.add(path)


class _FileWriter:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = path.open("wb")

    def write(self, data: bytes) -> object:
        return self._file.write(data)

    def finish(self) -> None:
        _sync(self._file)
        self._file.close()
        _sync_directory(self._path.parent)

    def discard(self) -> None:
        self._file.close()
        self._path.unlink(missing_ok=True)


class _FileReader:
    def __init__(self, path: Path, key: str) -> None:
        self._path = path
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except (FileNotFoundError, NotADirectoryError):
            raise NotFound(f"{path} does not exist") from None
        except PermissionError:
            raise Denied(f"{path} may not be read: give this user the right to it") from None
        except OSError as problem:
            raise StoreError(f"{path} cannot be read: {problem.strerror}") from None
        self._file = os.fdopen(descriptor, "rb", buffering=0)
        self.info = _info(key, os.fstat(descriptor))

    def read(self, most: int) -> bytes:
        return self._file.read(most) or b""

    def is_unchanged(self) -> bool:
        try:
            return _info(self.info.key, self._path.lstat()) == self.info
        except FileNotFoundError:
            return False

    def close(self) -> None:
        self._file.close()


def _info(key: str, status: os.stat_result) -> ObjectInfo:
    return ObjectInfo(key, status.st_size, status.st_mtime_ns)


def _is_file(status: os.stat_result) -> bool:
    return status.st_mode & 0o170000 == 0o100000


def _sync(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())


def _sync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
