"""Raw objects' bytes → columns of accepted rows and records of quarantined lines."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from medallion_glue.contract import Contract
from medallion_glue.lines import LONGEST_EXCERPT_BYTES, Block, LineFramer, LongLine
from medallion_glue.quarantine import quarantine_record
from medallion_glue.shapes import Shape, Shapes, read_members
from medallion_glue.verdict import (
    BROKEN,
    LONGEST_LINE_BYTES,
    Counts,
    Refused,
    RescueTally,
    convert,
    is_blank,
    read_row,
    rescue,
)


@dataclass
class Rows:
    """Accepted rows of one object, column by column."""

    #: One list for each field of the contract; timestamps in microseconds since 1970.
    values: list[list[Any]]
    rescued_data: list[str | None]
    #: The lines' numbers, from 1.
    lines: list[int]


class Decoder:
    """Takes an object's text in chunks, and hands on rows and quarantine records as they come.

    One for a task: what it learned of one object's lines helps with the next.
    """

    def __init__(
        self,
        contract: Contract,
        take_rows: Callable[[Rows], None],
        take_record: Callable[[bytes], None],
        uses_shapes: bool = True,
    ) -> None:
        """`uses_shapes=False` reads every line the long way; for tests: the result is the same."""
        self._contract = contract
        self._take_rows = take_rows
        self._take_record = take_record
        self._uses_shapes = uses_shapes
        self._shapes = Shapes(contract)
        self.begin("")

    def begin(self, source_object: str) -> None:
        self._source_object = source_object
        self._framer = LineFramer()
        self._counts = Counts()
        self._tally = RescueTally(self._contract)
        #: Of the block at hand the names of rescued members: first line, name, how many.
        self._rescued: list[tuple[int, str, int]] = []

    def feed(self, chunk: bytes) -> None:
        for piece in self._framer.feed(chunk):
            self._judge(piece)

    def finish(self) -> Counts:
        """Judges what follows the last line feed; the counts of the object."""
        for piece in self._framer.finish():
            self._judge(piece)
        counts = self._counts
        counts.rescued = self._tally.by_name
        counts.lines = counts.accepted + counts.blank + counts.quarantined_total
        return counts

    # --- lines ------------------------------------------------------------------------------------

    def _judge(self, piece: Block | LongLine) -> None:
        if isinstance(piece, Block):
            self._judge_block(piece)
        elif piece.is_blank:
            self._counts.blank += 1
        else:
            self._quarantine(
                "line_too_long", piece.number, piece.offset, piece.length, piece.excerpt
            )

    def _judge_block(self, block: Block) -> None:
        # Bytes that are not UTF-8 become surrogates, which no shape takes: other lines stay quick.
        text = block.content.decode("utf-8", "surrogateescape")
        if not text.endswith("\n"):
            text += "\n"
        is_quick = self._uses_shapes and not (
            len(block.content) > LONGEST_LINE_BYTES
            and any(len(line) > LONGEST_LINE_BYTES for line in block.content.split(b"\n"))
        )
        shape = self._shapes.current
        if is_quick and shape is not None:
            rows, others = self._read_by_shape(shape, text, block.first_line)
        else:
            rows = Rows([[] for _ in self._contract.fields], [], [])
            others = list(enumerate(text.split("\n")[:-1]))
        line_count = len(rows.lines) + len(others)
        if others:
            self._judge_others(others, is_quick, rows, block)
        if is_quick:
            self._shapes.learn(line_count, [line for _, line in others])
        # By line, since there is room for the first names only.
        for _, name, count in sorted(self._rescued, key=lambda each: each[0]):
            self._tally.add(name, count)
        self._rescued.clear()
        if rows.lines:
            self._counts.accepted += len(rows.lines)
            self._take_rows(rows)

    def _read_by_shape(
        self, shape: Shape, text: str, first_line: int
    ) -> tuple[Rows, list[tuple[int, str]]]:
        """The rows of the lines that have the shape; of the others their places and texts."""
        contract = self._contract
        id_group = shape.places[contract.id_index]
        found = shape.lines.findall(text)
        groups = list(zip(*found, strict=True))
        places: range | list[int] = range(len(found))
        others: list[tuple[int, str]] = []
        # No id has no bytes: such a line has another shape.
        if "" in groups[id_group]:
            places = [place for place in places if found[place][id_group]]
            others = [(place, line[-1]) for place, line in enumerate(found) if not line[id_group]]
            if not places:
                return Rows([[] for _ in contract.fields], [], []), others
            groups = list(zip(*[found[place] for place in places], strict=True))

        values: list[list[Any]] = []
        broken: set[int] = set()
        for index, rule in enumerate(contract.fields):
            group = shape.places[index]
            if group < 0:
                values.append([None] * len(places))
            elif index == contract.id_index:
                values.append(list(groups[group]))
            elif index == contract.timestamp_index:
                instants = list(map(self._shapes.instants.read, groups[group]))
                if min(instants) < rule.least or max(instants) > rule.most:
                    broken.update(
                        row
                        for row, micros in enumerate(instants)
                        if not rule.least <= micros <= rule.most
                    )
                values.append(instants)
            else:
                column = list(map(self._shapes.values[index].__getitem__, groups[group]))
                if BROKEN in column:
                    broken.update(row for row, value in enumerate(column) if value is BROKEN)
                values.append(column)
        lines = [first_line + place for place in places]
        rescued: list[str | None]
        if shape.unknown:
            names = [name for _, name in shape.unknown]
            tokens = zip(*(groups[group] for group, _ in shape.unknown), strict=True)
            rescued = [rescue(list(zip(names, each, strict=True))) for each in tokens]
        else:
            rescued = [None] * len(lines)
        if broken:
            # What breaks a rule, and what becomes of the line then, the long way knows.
            ends = list(accumulate(map(len, text.split("\n")), lambda end, size: end + size + 1))
            for row in broken:
                place = places[row]
                start = ends[place - 1] + 1 if place else 0
                others.append((place, text[start : ends[place]]))
            others.sort()
            for column in [*values, rescued, lines]:
                column[:] = [value for row, value in enumerate(column) if row not in broken]
        if lines:
            self._rescued += [(lines[0], name[1:-1], len(lines)) for _, name in shape.unknown]
        return Rows(values, rescued, lines), others

    def _judge_others(
        self, others: list[tuple[int, str]], is_quick: bool, rows: Rows, block: Block
    ) -> None:
        offsets: list[int] = []
        for place, line in others:
            line = line.removesuffix("\r")
            number = block.first_line + place
            if is_quick and self._add_members(line, number, rows):
                continue
            raw = line.encode("utf-8", "surrogateescape")
            try:
                if is_blank(raw):
                    self._counts.blank += 1
                else:
                    self._add_row(raw, number, rows)
            except Refused as refusal:
                if not offsets:
                    sizes = map(len, block.content.split(b"\n"))
                    offsets = [0, *accumulate(size + 1 for size in sizes)]
                reason = str(refusal)
                kept = raw[:LONGEST_EXCERPT_BYTES] if reason == "line_too_long" else raw
                self._quarantine(reason, number, block.offset + offsets[place], len(raw), kept)

    def _add_members(self, line: str, number: int, rows: Rows) -> bool:
        """Adds the row of a line whose members stand in any order; False, and nothing has happened,
        if it has to go the long way."""
        members = read_members(line)
        if members is None:
            return False
        by_name = dict(members)
        if len(by_name) < len(members):
            return False
        values: list[Any] = []
        broken: set[str] = set()
        for index, rule in enumerate(self._contract.fields):
            token = by_name.get(f'"{rule.name}"')
            if rule.is_required:
                if token is None or token[0] != '"':
                    return False
                if index == self._contract.id_index:
                    value = convert("string", token[1:-1], rule)
                    if value is BROKEN:
                        return False
                else:
                    value = self._shapes.instants.read(token[1:-1])
                    if not rule.least <= value <= rule.most:
                        return False
            elif token is None:
                value = None
            else:
                value = self._shapes.values[index][token]
                if value is BROKEN:
                    value = None
                    broken.add(f'"{rule.name}"')
            values.append(value)
        rescued = [
            (name, token)
            for name, token in members
            if name in broken or name[1:-1] not in self._contract.names
        ]
        for column, value in zip(rows.values, values, strict=True):
            column.append(value)
        rows.rescued_data.append(rescue(rescued))
        self._rescued += [(number, name[1:-1], 1) for name, _ in rescued]
        rows.lines.append(number)
        return True

    def _add_row(self, raw: bytes, number: int, rows: Rows) -> None:
        row = read_row(raw, self._contract)
        for column, value in zip(rows.values, row.values, strict=True):
            column.append(value)
        rows.rescued_data.append(row.rescued_data)
        self._rescued += [(number, name, 1) for name in row.rescued_names]
        rows.lines.append(number)

    def _quarantine(self, reason: str, number: int, offset: int, length: int, raw: bytes) -> None:
        quarantined = self._counts.quarantined
        quarantined[reason] = quarantined.get(reason, 0) + 1
        self._take_record(
            quarantine_record(reason, self._source_object, number, offset, length, raw)
        )
