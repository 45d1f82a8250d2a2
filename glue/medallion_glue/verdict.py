"""The verdict of one line, by the rules of `contract/README.md`: exact, and the long way.

`shapes` takes the lines that look like earlier ones; whatever it is not sure of comes here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from json import JSONDecodeError, JSONDecoder
from typing import Any

from medallion_glue.contract import INT64, TIMESTAMP, Contract, Field, parse_timestamp

#: The longest line that is not quarantined as too long, without its line end.
LONGEST_LINE_BYTES = 1 << 20
#: The deepest level at which a container may open; the line's own object is level 1.
DEEPEST_LEVEL = 64
#: How many names that are no field's the counts of one object tell apart, and how long these are.
MOST_UNKNOWN_NAMES = 256
LONGEST_UNKNOWN_NAME_BYTES = 256
#: Where the counts put the names that they have no room for, and how many they hold in a sum.
OTHER_NAMES = "(other)"
MOST_RESCUED_NAMES = 512

#: A number by RFC 8259, section 6. Possessive: a long line is read once, whatever follows.
NUMBER_PATTERN = r"-?+(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?+(?:[eE][+-]?+[0-9]++)?+"

_BLANKS = re.compile(r"[ \t\r]*+")
_NUMBER = re.compile(NUMBER_PATTERN)
_PLAIN_STRING = re.compile(r'"([^"\\\x00-\x1f]*+)"')
_LITERAL = re.compile(r"true|false|null")
#: Reads a string with escapes: strict but for unpaired surrogates, which it lets stand.
_DECODER = JSONDecoder()
_SURROGATE = re.compile(r"[\ud800-\udfff]")

#: What `convert` gives for a value that breaks its field's type or rule.
BROKEN = object()


class Refused(Exception):
    """The line is quarantined; the message is the reason."""


@dataclass
class Counts:
    """How many lines met which verdict. `lines` = `accepted` + the sum of `quarantined` + `blank`.

    The names in `rescued` come from the data, so they are bounded.
    """

    lines: int = 0
    accepted: int = 0
    blank: int = 0
    quarantined: dict[str, int] = field(default_factory=dict)
    rescued: dict[str, int] = field(default_factory=dict)

    @property
    def quarantined_total(self) -> int:
        return sum(self.quarantined.values())

    def __iadd__(self, part: Counts) -> Counts:
        self.lines += part.lines
        self.accepted += part.accepted
        self.blank += part.blank
        for reason, count in part.quarantined.items():
            self.quarantined[reason] = self.quarantined.get(reason, 0) + count
        # Sorted, so that which names find room does not depend on the order of the lines.
        for name, count in sorted(part.rescued.items(), key=lambda each: each[0].encode()):
            has_room = (
                name in self.rescued
                or name == OTHER_NAMES
                or len(self.rescued) < MOST_RESCUED_NAMES
            )
            name = name if has_room else OTHER_NAMES
            self.rescued[name] = self.rescued.get(name, 0) + count
        return self

    def as_json(self) -> dict[str, Any]:
        return {
            "lines": self.lines,
            "accepted": self.accepted,
            "blank": self.blank,
            "quarantined": self.quarantined,
            "rescued": self.rescued,
        }


@dataclass(frozen=True)
class Member:
    """A member of the line's own object, by its places in the line."""

    name: str
    name_start: int
    name_end: int
    value_start: int
    value_end: int
    #: `string`, `number`, `true`, `false`, `null` or `container`.
    kind: str
    #: Of a string what it means, of a number its text.
    value: str


@dataclass(frozen=True)
class Row:
    """An accepted line."""

    #: One for each field of the contract, None for NULL; timestamps in microseconds since 1970.
    values: list[Any]
    rescued_data: str | None
    #: The names of the rescued members, escapes undone.
    rescued_names: list[str]
    members: list[Member]


def is_blank(line: bytes) -> bool:
    return not line.strip(b" \t")


def read_row(line: bytes, contract: Contract) -> Row:
    """The row of a line that is not blank and has no line end. Throws `Refused` if it has none."""
    if len(line) > LONGEST_LINE_BYTES:
        raise Refused("line_too_long")
    try:
        text = line.decode()
    except UnicodeDecodeError:
        raise Refused("invalid_unicode") from None
    members = scan(text)
    by_name = {member.name: member for member in members}
    if len(by_name) < len(members):
        raise Refused("duplicate_key")

    values: list[Any] = []
    broken: set[str] = set()
    for each in contract.fields:
        member = by_name.get(each.name)
        if member is None or member.kind == "null":
            value: Any = None
        else:
            value = convert(member.kind, member.value, each)
            if value is BROKEN and not each.is_required:
                broken.add(each.name)
                value = None
        values.append(value)

    event_id = values[contract.id_index]
    if event_id is None:
        raise Refused("missing_event_id")
    if event_id is BROKEN:
        raise Refused("invalid_event_id")
    micros = values[contract.timestamp_index]
    if micros is None:
        raise Refused("missing_ts")
    if micros is BROKEN:
        member = by_name[TIMESTAMP]
        is_instant = member.kind == "string" and parse_timestamp(member.value) is not None
        raise Refused("ts_out_of_range" if is_instant else "invalid_ts")

    rescued = [
        member for member in members if member.name in broken or member.name not in contract.names
    ]
    return Row(
        values,
        rescue(
            [
                (
                    text[member.name_start : member.name_end],
                    text[member.value_start : member.value_end],
                )
                for member in rescued
            ]
        ),
        [member.name for member in rescued],
        members,
    )


def rescue(members: list[tuple[str, str]]) -> str | None:
    """`_rescued_data` of members, each given by the line's own text of its name and its value."""
    if not members:
        return None
    return "{" + ",".join(f"{name}:{value}" for name, value in members) + "}"


class RescueTally:
    """Counts the rescued members of one object by name, in bounded memory."""

    def __init__(self, contract: Contract) -> None:
        self._fields = set(contract.names)
        self._unknown_names = 0
        self.by_name: dict[str, int] = {}

    def add(self, name: str, count: int = 1) -> None:
        if name not in self.by_name and name not in self._fields:
            is_long = len(name.encode()) > LONGEST_UNKNOWN_NAME_BYTES
            if is_long or self._unknown_names == MOST_UNKNOWN_NAMES:
                name = OTHER_NAMES
            else:
                self._unknown_names += 1
        self.by_name[name] = self.by_name.get(name, 0) + count


# --- values ---------------------------------------------------------------------------------------


def convert(kind: str, value: str, rule: Field) -> Any:
    """What a member's value is in a field of that rule, or `BROKEN`."""
    if rule.kind == "string":
        if kind != "string":
            return BROKEN
        # Most strings are shorter than any bound even if every character takes four bytes.
        if rule.least <= len(value) and len(value) * 4 <= rule.most:
            return value
        return value if rule.least <= len(value.encode()) <= rule.most else BROKEN
    if rule.kind == "boolean":
        return {"true": True, "false": False}.get(kind, BROKEN)
    if rule.kind == "timestamp":
        micros = parse_timestamp(value) if kind == "string" else None
        return micros if micros is not None and rule.least <= micros <= rule.most else BROKEN
    # A number may come as a string that is exactly one.
    if kind != "number" and not (kind == "string" and _NUMBER.fullmatch(value)):
        return BROKEN
    if rule.kind == "double":
        number = float(value)
        return number if rule.least <= number <= rule.most else BROKEN
    whole = _whole_number(value)
    return whole if whole is not None and rule.least <= whole <= rule.most else BROKEN


def _whole_number(text: str) -> int | None:
    if text.lstrip("-").isdigit():
        # More digits than any 64-bit number has are not worth reading.
        if len(text) > 20:
            return None
        whole = int(text)
    else:
        # Written with a fraction or an exponent: judged as the double that it is.
        rounded = float(text)
        if not rounded.is_integer():
            return None
        whole = int(rounded)
    return whole if INT64[0] <= whole <= INT64[1] else None


# --- JSON by RFC 8259, left to right --------------------------------------------------------------


def scan(text: str) -> list[Member]:
    """The members of the line's own object, in its order.

    Throws `Refused` with the first of `malformed_json`, `too_deep` and `invalid_unicode` that is
    met from the left, or else with `not_an_object`.
    """
    place = _skip_blanks(text, 0)
    if text[place : place + 1] != "{":
        end = _value(text, place, 0)[2]
        raise Refused("not_an_object" if _skip_blanks(text, end) == len(text) else "malformed_json")
    members: list[Member] = []
    place = _skip_blanks(text, place + 1)
    if text[place : place + 1] != "}":
        while True:
            name_start = place
            name, place = _string(text, place)
            name_end = place
            place = _skip_blanks(text, place)
            if text[place : place + 1] != ":":
                raise Refused("malformed_json")
            value_start = _skip_blanks(text, place + 1)
            kind, value, place = _value(text, value_start, 1)
            members.append(Member(name, name_start, name_end, value_start, place, kind, value))
            place = _skip_blanks(text, place)
            following = text[place : place + 1]
            if following == "}":
                break
            if following != ",":
                raise Refused("malformed_json")
            place = _skip_blanks(text, place + 1)
    if _skip_blanks(text, place + 1) != len(text):
        raise Refused("malformed_json")
    return members


def _skip_blanks(text: str, place: int) -> int:
    match = _BLANKS.match(text, place)
    return match.end() if match else place


def _string(text: str, place: int) -> tuple[str, int]:
    """What the string that begins at `place` means, and where it ends."""
    plain = _PLAIN_STRING.match(text, place)
    if plain:
        return plain.group(1), plain.end()
    if text[place : place + 1] != '"':
        raise Refused("malformed_json")
    try:
        value, end = _DECODER.raw_decode(text, place)
    except JSONDecodeError:
        raise Refused("malformed_json") from None
    # Judged once the string has ended: what breaks its syntax comes first.
    if _SURROGATE.search(value):
        raise Refused("invalid_unicode")
    return value, end


def _value(text: str, place: int, open_levels: int) -> tuple[str, str, int]:
    """Kind, value and end of the value at `place`; of a container only that it is sound."""
    if text[place : place + 1] in ("{", "["):
        return "container", "", _container(text, place, open_levels)
    return _scalar(text, place)


def _scalar(text: str, place: int) -> tuple[str, str, int]:
    if text[place : place + 1] == '"':
        value, end = _string(text, place)
        return "string", value, end
    number = _NUMBER.match(text, place)
    if number:
        return "number", number.group(), number.end()
    literal = _LITERAL.match(text, place)
    if literal:
        return literal.group(), "", literal.end()
    raise Refused("malformed_json")


def _container(text: str, place: int, open_levels: int) -> int:
    """The end of the container at `place`, read without recursion."""
    #: For each container that is open here, what closes it.
    closers: list[str] = []

    def name_and_colon(place: int) -> int:
        place = _skip_blanks(text, _string(text, place)[1])
        if text[place : place + 1] != ":":
            raise Refused("malformed_json")
        return _skip_blanks(text, place + 1)

    while True:
        opener = text[place : place + 1]
        if opener in ("{", "["):
            if open_levels + len(closers) >= DEEPEST_LEVEL:
                raise Refused("too_deep")
            closers.append("}" if opener == "{" else "]")
            place = _skip_blanks(text, place + 1)
            if text[place : place + 1] != closers[-1]:
                if opener == "{":
                    place = name_and_colon(place)
                continue
        else:
            place = _scalar(text, place)[2]
        # After a value, or at the bracket that closes an empty container.
        while True:
            place = _skip_blanks(text, place)
            following = text[place : place + 1]
            if following == closers[-1]:
                closers.pop()
                place += 1
                if not closers:
                    return place
            elif following == ",":
                place = _skip_blanks(text, place + 1)
                if closers[-1] == "}":
                    place = name_and_colon(place)
                break
            else:
                raise Refused("malformed_json")
