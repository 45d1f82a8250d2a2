"""Reads a raw object once, front to back: its text, unpacked where the key ends in `.gz`."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

import xxhash

from medallion_glue.store import Changed, Denied, NotFound, ObjectInfo, Store

CHUNK_BYTES = 512 << 10
#: What unpacks to more than this, and to so many times its size, is a bomb: NDJSON packs to a tenth
#: or a fiftieth. No object may unpack to more than the last.
BOMB_BYTES = 256 << 20
BOMB_RATIO = 250
MOST_UNPACKED_BYTES = 64 << 30


class RawObjectFault(Exception):
    """Why one raw object cannot be consumed, through no fault of the store."""

    VANISHED = "vanished before it was read"
    UNREADABLE = "may not be read by this user"
    CHANGED = "changed while it was read"
    CORRUPT_GZIP = "is not valid gzip"
    GZIP_BOMB = "unpacks to more than 250 times its size, or to more than 64 GiB"
    TRUNCATED_GZIP = "ends in the middle of its gzip data"


class RawObjectReader:
    """Iterated, gives the object's text piece by piece; afterwards `checksum` is that of all bytes.

    Throws `RawObjectFault`.
    """

    def __init__(self, listed: ObjectInfo, store: Store) -> None:
        try:
            self._reader = store.open(listed.key)
        except NotFound:
            raise RawObjectFault(RawObjectFault.VANISHED) from None
        except Denied:
            raise RawObjectFault(RawObjectFault.UNREADABLE) from None
        self.info = self._reader.info
        self._hash = xxhash.xxh3_64()
        if (self.info.size_bytes, self.info.modified_nanos) != (
            listed.size_bytes,
            listed.modified_nanos,
        ):
            self._reader.close()
            raise RawObjectFault(RawObjectFault.CHANGED)

    @property
    def checksum(self) -> str:
        return f"xxh3:{self._hash.hexdigest()}"

    def __iter__(self) -> Iterator[bytes]:
        try:
            stored = self._stored()
            yield from _gunzip(stored) if self.info.key.endswith(".gz") else stored
            if not self._reader.is_unchanged():
                raise RawObjectFault(RawObjectFault.CHANGED)
        except Changed:
            raise RawObjectFault(RawObjectFault.CHANGED) from None
        finally:
            self._reader.close()

    def _stored(self) -> Iterator[bytes]:
        while chunk := self._reader.read(CHUNK_BYTES):
            self._hash.update(chunk)
            yield chunk


def check_gzip(listed: ObjectInfo, store: Store) -> None:
    """Throws a `RawObjectFault` if a `.gz` object cannot be unpacked.

    Asked before the first of its lines is judged, so that no row has to be taken back: unpacking
    costs a thirtieth of judging.
    """
    if listed.key.endswith(".gz"):
        for _ in RawObjectReader(listed, store):
            pass


def _gunzip(stored: Iterator[bytes]) -> Iterator[bytes]:
    """Undoes gzip (RFC 1952), member after member, in bounded memory."""
    packed_bytes = unpacked_bytes = 0
    is_first = True
    member = None
    for chunk in stored:
        packed_bytes += len(chunk)
        rest = chunk
        has_more = False
        while rest or has_more:
            if member is None:
                # Zeros may pad what follows a member; anything else there begins another one.
                rest = rest if is_first else rest.lstrip(b"\0")
                if not rest:
                    break
                # 16 + 15: a gzip header, and the largest window.
                member = zlib.decompressobj(31)
                is_first = False
            try:
                text = member.decompress(rest, CHUNK_BYTES)
            except zlib.error:
                raise RawObjectFault(RawObjectFault.CORRUPT_GZIP) from None
            unpacked_bytes += len(text)
            if unpacked_bytes > BOMB_BYTES and unpacked_bytes > min(
                MOST_UNPACKED_BYTES, packed_bytes * BOMB_RATIO
            ):
                raise RawObjectFault(RawObjectFault.GZIP_BOMB)
            if member.eof:
                rest, has_more, member = member.unused_data, False, None
            else:
                rest, has_more = member.unconsumed_tail, len(text) == CHUNK_BYTES
            if text:
                yield text
    if member is not None or is_first:
        raise RawObjectFault(RawObjectFault.TRUNCATED_GZIP)
