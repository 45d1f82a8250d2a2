"""The quick ways of lines that are sound: by the shape of earlier lines, and member by member.

A shape is the order of a line's members and what stands between them, as one regular expression
for a whole block of lines. Lines of another shape are read member by member, in any order. Both
take only what the long way (`verdict`) would accept, to the same row; whatever they are not sure of
they leave to it. Tests hold the three equal.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

from medallion_glue.contract import Contract, Field, parse_timestamp
from medallion_glue.verdict import NUMBER_PATTERN, Member, Refused, convert, read_row

#: How many shapes are kept for when they come again, and how many members and bytes one may have.
MOST_SHAPES = 64
MOST_MEMBERS = 64
LONGEST_SHAPE = 8192
#: Of how many lines a shape is learned, what part of them must have it, and after how many lines at
#: the earliest the next one is looked for: to compile one takes as long as to read a hundred lines.
SAMPLE = 32
LEAST_SHARE = 4
LINES_BETWEEN = 1000
#: How many values of a field are remembered by their text.
MOST_REMEMBERED = 1 << 16
LONGEST_REMEMBERED = 128

#: Surrogates stand for bytes that are not UTF-8 (`surrogateescape`): their line goes the long way.
_STRING = r'"[^"\\\x00-\x1f\ud800-\udfff]*+"'
_SCALAR = f"(?:{_STRING}|{NUMBER_PATTERN}|null|true|false)"
_WS = r"[ \t\r]*+"
_NAMED = f"{_STRING}{_WS}:{_WS}"
#: Containers of scalars, as most are.
_ARRAY = rf"\[{_WS}(?:{_SCALAR}{_WS}(?:,{_WS}{_SCALAR}{_WS})*+)?+\]"
_OBJECT = rf"\{{{_WS}(?:{_NAMED}{_SCALAR}{_WS}(?:,{_WS}{_NAMED}{_SCALAR}{_WS})*+)?+\}}"
_VALUE = f"(?:{_SCALAR}|{_ARRAY}|{_OBJECT})"

#: A whole line without escapes, nested no deeper than that; and then its members.
_LINE = re.compile(rf"{_WS}\{{{_WS}{_NAMED}{_VALUE}{_WS}(?:,{_WS}{_NAMED}{_VALUE}{_WS})*+\}}{_WS}")
_MEMBER = re.compile(rf"[{{,]{_WS}({_STRING}){_WS}:{_WS}({_VALUE})")

_ID = r'"([ !#-\[\]-~]{%d,%d}+)"'
_TIMESTAMP = r'"([0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9:.Zz+-]{9,}+)"'
_PLAIN_NAME = re.compile(r'[^"\\\x00-\x1f\ud800-\udfff]*')

_LITERALS = {"n": "null", "t": "true", "f": "false"}


class Values(dict[str, Any]):
    """What a field's tokens mean, by their text: most values come again and again."""

    def __init__(self, rule: Field) -> None:
        super().__init__()
        self._rule = rule

    def __missing__(self, token: str) -> Any:
        if len(self) >= MOST_REMEMBERED:
            self.clear()
        first = token[0]
        if first == "n":
            value = None
        elif first == '"':
            value = convert("string", token[1:-1], self._rule)
        elif first in _LITERALS:
            value = convert(_LITERALS[first], "", self._rule)
        elif first in "{[":
            value = convert("container", "", self._rule)
        else:
            value = convert("number", token, self._rule)
        if len(token) <= LONGEST_REMEMBERED:
            self[token] = value
        return value


class Instants(dict[str, int]):
    """Where hours begin, by the first thirteen characters of a timestamp in UTC."""

    def __missing__(self, hour: str) -> int:
        if len(self) >= MOST_REMEMBERED:
            self.clear()
        micros = parse_timestamp(hour + ":00:00Z")
        # Out of every range, however much of an hour is added.
        self[hour] = -(1 << 62) if micros is None else micros
        return self[hour]

    def read(self, text: str) -> int:
        """Microseconds since 1970; out of every range if it is no timestamp."""
        if len(text) == 32 and text[26:] == "+00:00" and text[13:20:3] == "::." and text.isascii():
            minute, second, fraction = text[14:16], text[17:19], text[20:26]
            if minute < "6" and second < "6" and (minute + second + fraction).isdigit():
                return (
                    self[text[:13]] + (int(minute) * 60 + int(second)) * 1_000_000 + int(fraction)
                )
        micros = parse_timestamp(text)
        return -(1 << 62) if micros is None else micros


class Shape:
    """One order of members, and for each group of its expression what it holds."""

    def __init__(self, pattern: str, places: list[int], unknown: list[tuple[int, str]]) -> None:
        self.pattern = pattern
        #: For each field of the contract the group with its token, or -1 if the shape has none.
        self.places = places
        #: The groups of members that are no field's, each with its name's own text.
        self.unknown = unknown
        #: Groups of a matching line, then the whole of any other line.
        self.lines = re.compile(f"(?:{pattern}\r?|([^\n]*+))\n")


def outline(
    text: str, members: list[Member], contract: Contract
) -> tuple[str, list[int], list[tuple[int, str]]] | None:
    """Expression, places and unknown members of a line; None if it is not worth a shape."""
    if not 0 < len(members) <= MOST_MEMBERS or len(text) > LONGEST_SHAPE:
        return None
    places = [-1] * len(contract.fields)
    unknown: list[tuple[int, str]] = []
    pattern: list[str] = []
    end = 0
    for group, member in enumerate(members):
        name = text[member.name_start : member.name_end]
        # What an escape means the long way knows.
        if not _PLAIN_NAME.fullmatch(name[1:-1]):
            return None
        pattern.append(re.escape(text[end : member.value_start]))
        end = member.value_end
        index = contract.names.get(member.name, -1)
        if index < 0:
            unknown.append((group, name))
            pattern.append(f"({_VALUE})")
            continue
        places[index] = group
        if index == contract.id_index:
            rule = contract.fields[index]
            pattern.append(_ID % (max(1, rule.least), min(LONGEST_SHAPE, rule.most)))
        elif index == contract.timestamp_index:
            pattern.append(_TIMESTAMP)
        else:
            pattern.append(f"({_SCALAR})")
    pattern.append(re.escape(text[end:]))
    return "".join(pattern), places, unknown


class Shapes:
    """What was learned of the lines before: their shape, and what their values mean."""

    def __init__(self, contract: Contract) -> None:
        self._contract = contract
        #: The shape that most lines had of late; None if they had none in common.
        self.current: Shape | None = None
        self._known: dict[str, Shape] = {}
        self.values = [Values(rule) for rule in contract.fields]
        self.instants = Instants()
        self._lines_since = LINES_BETWEEN

    def learn(self, line_count: int, others: list[str]) -> None:
        """Looks for another shape if most lines of a block did not have the current one.

        `line_count` is that of the block, `others` are its lines without the shape.
        """
        self._lines_since += line_count
        if len(others) * 2 < line_count or self._lines_since < LINES_BETWEEN:
            return
        self._lines_since = 0
        sample = others[:: -(-len(others) // SAMPLE)]
        found: Counter[str] = Counter()
        for line in sample:
            text = line.removesuffix("\r")
            try:
                members = read_row(text.encode(), self._contract).members
            except (Refused, UnicodeEncodeError):
                continue
            outlined = outline(text, members, self._contract)
            if outlined is None:
                continue
            found[outlined[0]] += 1
            if outlined[0] not in self._known and found[outlined[0]] * LEAST_SHARE >= len(sample):
                if len(self._known) == MOST_SHAPES:
                    self._known.clear()
                self._known[outlined[0]] = Shape(*outlined)
        pattern, count = found.most_common(1)[0] if found else ("", 0)
        self.current = self._known.get(pattern) if count * LEAST_SHARE >= len(sample) else None


def read_members(line: str) -> list[tuple[str, str]] | None:
    """Name and value of each member as the line has them; None if it has to go the long way.

    A name stands with its quotes and has no escapes.
    """
    if len(line) > LONGEST_SHAPE or not _LINE.fullmatch(line):
        return None
    return _MEMBER.findall(line)
