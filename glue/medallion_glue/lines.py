"""Bytes of a raw object → its lines, in bounded memory whatever a line's length."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from medallion_glue.verdict import LONGEST_LINE_BYTES

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
#: How much of a line that is too long its record keeps.
LONGEST_EXCERPT_BYTES = 64 << 10


@dataclass(frozen=True)
class Block:
    """Whole lines, each ended by a line feed but perhaps the object's last."""

    content: bytes
    #: The number of its first line, from 1, and where that begins in the object's text.
    first_line: int
    offset: int


@dataclass(frozen=True)
class LongLine:
    """A line that did not fit in memory: longer than any that is judged."""

    number: int
    offset: int
    #: Without its line end.
    length: int
    excerpt: bytes
    is_blank: bool


class LineFramer:
    """Cuts an object's chunks at line feeds. What is cut is the same however it comes in chunks."""

    def __init__(self) -> None:
        self._carry = bytearray()
        self._line = 1
        self._offset = 0
        self._is_at_start = True
        #: Bytes of a line that is too long to be carried; 0 while there is none.
        self._long = 0
        self._long_is_blank = True
        self._long_ends_in_return = False

    def feed(self, chunk: bytes) -> Iterator[Block | LongLine]:
        if self._is_at_start:
            self._carry += chunk
            if len(self._carry) < len(BYTE_ORDER_MARK):
                return
            chunk = self._take_start()
        if self._long:
            end = chunk.find(b"\n")
            if end < 0:
                self._lengthen(chunk)
                return
            self._lengthen(chunk[:end])
            yield self._end_long_line(line_end_bytes=1)
            chunk = chunk[end + 1 :]
        end = chunk.rfind(b"\n") + 1
        if end > 0:
            content = bytes(self._carry) + chunk[:end] if self._carry else chunk[:end]
            self._carry.clear()
            yield self._block(content)
            chunk = chunk[end:]
        self._carry += chunk
        # The longest line that is judged, and its carriage return.
        if len(self._carry) > LONGEST_LINE_BYTES + 1:
            carried = bytes(self._carry)
            self._carry = bytearray(carried[:LONGEST_EXCERPT_BYTES])
            self._lengthen(carried)

    def finish(self) -> Iterator[Block | LongLine]:
        """What follows the last line feed, if anything does."""
        if self._is_at_start and self._carry:
            self._carry += self._take_start()
        if self._long:
            yield self._end_long_line(line_end_bytes=0)
        elif self._carry:
            content = bytes(self._carry)
            self._carry.clear()
            yield self._block(content)

    def _take_start(self) -> bytes:
        self._is_at_start = False
        start = bytes(self._carry)
        self._carry.clear()
        if start.startswith(BYTE_ORDER_MARK):
            self._offset = len(BYTE_ORDER_MARK)
            return start[len(BYTE_ORDER_MARK) :]
        return start

    def _block(self, content: bytes) -> Block:
        block = Block(content, self._line, self._offset)
        self._line += content.count(b"\n")
        self._offset += len(content)
        return block

    def _lengthen(self, piece: bytes) -> None:
        if not piece:
            return
        # A carriage return counts as content only once something follows it.
        if self._long_ends_in_return:
            self._long_is_blank = False
        self._long += len(piece)
        self._long_ends_in_return = piece.endswith(b"\r")
        content = piece[:-1] if self._long_ends_in_return else piece
        if self._long_is_blank and content.strip(b" \t"):
            self._long_is_blank = False

    def _end_long_line(self, line_end_bytes: int) -> LongLine:
        line = LongLine(
            self._line,
            self._offset,
            self._long - self._long_ends_in_return,
            bytes(self._carry),
            self._long_is_blank,
        )
        self._line += 1
        self._offset += self._long + line_end_bytes
        self._carry.clear()
        self._long = 0
        self._long_is_blank = True
        self._long_ends_in_return = False
        return line
