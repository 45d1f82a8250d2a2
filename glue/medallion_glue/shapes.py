"""Lines by their shape: the quick way of lines that look like one before.

A shape is the order of a line's members and what stands between them, as one regular expression
for a whole block of lines. It takes only what the long way (`verdict`) would accept, to the same
row; whatever it is not sure of it leaves to it. Tests hold the two equal.
"""

from __future__ import annotations

import re
from typing import Any

from medallion_glue.contract import Contract, Field, parse_timestamp
from medallion_glue.verdict import NUMBER_PATTERN, Member, convert

#: How many shapes are known at a time, and how many members and bytes one may have.
MOST_SHAPES = 4
MOST_MEMBERS = 64
LONGEST_SHAPE = 8192
#: How often an order of members must be met before it is worth an expression: to compile one takes
#: as long as to read a hundred lines. Twice as often with each shape that had to go.
FIRST_SIGHTINGS = 16
MOST_CANDIDATES = 1024
#: How many values of a field are remembered by their text.
MOST_REMEMBERED = 1 << 16
LONGEST_REMEMBERED = 128

#: Surrogates stand for bytes that are not UTF-8 (`surrogateescape`): their line goes the long way.
_STRING_TOKEN = r'"[^"\\\x00-\x1f\ud800-\udfff]*+"'
_TOKEN = f"({_STRING_TOKEN}|{NUMBER_PATTERN}|null|true|false)"
_ID = r'"([ !#-\[\]-~]{%d,%d}+)"'
_TIMESTAMP_TOKEN = r'"([0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9:.Zz+-]{9,}+)"'
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
        if len(text) == 32 and text[19] == "." and text[26:] == "+00:00" and text[16] == ":":
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
        self.line = re.compile(pattern)


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
        # What an escape means, and what a container holds, the long way knows.
        if member.kind == "container" or not _PLAIN_NAME.fullmatch(name[1:-1]):
            return None
        pattern.append(re.escape(text[end : member.value_start]))
        end = member.value_end
        index = contract.names.get(member.name, -1)
        if index < 0:
            unknown.append((group, name))
            pattern.append(_TOKEN)
            continue
        places[index] = group
        if index == contract.id_index:
            rule = contract.fields[index]
            pattern.append(_ID % (max(1, rule.least), min(LONGEST_SHAPE, rule.most)))
        elif index == contract.timestamp_index:
            pattern.append(_TIMESTAMP_TOKEN)
        else:
            pattern.append(_TOKEN)
    pattern.append(re.escape(text[end:]))
    return "".join(pattern), places, unknown


class Shapes:
    """The shapes that are known; the first is the one of most lines of the block before."""

    def __init__(self, contract: Contract) -> None:
        self._contract = contract
        self.known: list[Shape] = []
        self.values = [Values(rule) for rule in contract.fields]
        self.instants = Instants()
        #: How often orders of members without a shape were met.
        self._candidates: dict[str, int] = {}
        self._sightings = FIRST_SIGHTINGS

    def learn(self, text: str, members: list[Member]) -> None:
        """Takes note of an accepted line that no shape took."""
        found = outline(text, members, self._contract)
        if found is None or any(each.pattern == found[0] for each in self.known):
            return
        count = self._candidates.get(found[0], 0) + 1
        if count < self._sightings:
            if len(self._candidates) >= MOST_CANDIDATES:
                self._candidates.clear()
            self._candidates[found[0]] = count
            return
        self._candidates.pop(found[0], None)
        if len(self.known) == MOST_SHAPES:
            self.known.pop()
            self._sightings *= 2
        self.known.append(Shape(*found))

    def prefer(self, shape: Shape) -> None:
        # One that had to go meanwhile stays gone.
        if shape in self.known:
            self.known.remove(shape)
            self.known.insert(0, shape)
