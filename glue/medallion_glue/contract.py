"""The fields of an event, from `contract/purchase_event.schema.json`, which alone names them."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

ID = "event_id"
TIMESTAMP = "ts"
#: Names that bronze and staging give to columns of their own.
RESERVED_NAMES = {"_rescued_data", "_source_object", "_source_line", "dt", "_load_seq"}

MICROS_PER_DAY = 86_400_000_000
LARGEST_DOUBLE = 1.7976931348623157e308
INT32 = (-(1 << 31), (1 << 31) - 1)
INT64 = (-(1 << 63), (1 << 63) - 1)

#: Keywords that say nothing about which values are allowed.
ANNOTATIONS = {
    *("$schema", "$id", "$comment", "title", "description", "examples", "default"),
    *("deprecated", "readOnly", "writeOnly"),
}

#: What no integer field reaches, and a text of any length.
_NO_BYTES_LIMIT = 1 << 62


class ContractError(Exception):
    """Why a schema cannot be the contract; the message says the mend."""


@dataclass(frozen=True)
class Field:
    """One member of an event, and so one column of bronze.

    `kind` is `string`, `timestamp`, `double`, `int32`, `int64` or `boolean`; `least` and `most` are
    both allowed: bytes of UTF-8 of a string, microseconds since 1970 of a timestamp, else values.
    """

    name: str
    kind: str
    least: float
    most: float

    @property
    def is_required(self) -> bool:
        return self.name in (ID, TIMESTAMP)


@dataclass(frozen=True)
class Contract:
    fields: tuple[Field, ...]
    #: SHA-256 of the schema's bytes, in hexadecimal: how commits name the contract.
    sha256: str

    @cached_property
    def names(self) -> dict[str, int]:
        """Where in `fields` each name is."""
        return {field.name: index for index, field in enumerate(self.fields)}

    @property
    def id_index(self) -> int:
        return self.names[ID]

    @property
    def timestamp_index(self) -> int:
        return self.names[TIMESTAMP]

    @staticmethod
    def parse(schema: bytes) -> Contract:
        """Reads a JSON Schema (2020-12) of the form that `contract/README.md` describes.

        Takes every keyword it knows and refuses the others: a rule that the job would not keep must
        not stand in the contract.
        """
        try:
            value = json.loads(schema.decode(), object_pairs_hook=_object, parse_constant=_constant)
        except ValueError as problem:
            raise ContractError(f"The schema is not JSON: {problem}; mend it there.") from None
        if not isinstance(value, dict):
            raise ContractError('The schema is no JSON object: begin it with "{" and "$schema".')
        properties = None
        required: list[Any] = []
        for name, member in value.items():
            if name == "properties" and isinstance(member, dict):
                properties = member
            elif name == "required" and isinstance(member, list):
                required = member
            elif not (
                (name, member) in (("type", "object"), ("additionalProperties", True))
                or _is_annotation(name)
            ):
                raise ContractError(
                    f'The schema\'s "{name}" is not one that the job can keep: use "type": '
                    '"object", "properties", "required", "additionalProperties": true and '
                    "annotations, or remove it."
                )
        if value.get("type") != "object" or properties is None:
            raise ContractError(
                'The schema describes no event: give it "type": "object" and "properties".'
            )
        if sorted(map(str, required)) != sorted((ID, TIMESTAMP)):
            raise ContractError(
                'The schema\'s "required" must be ["event_id", "ts"]: every other field may be '
                "absent or null."
            )
        seen: set[str] = set()
        for name in properties:
            _check_name(name, seen)
        fields = tuple(_field(name, member) for name, member in properties.items())
        kinds = {field.name: field.kind for field in fields}
        if kinds.get(ID) != "string" or kinds.get(TIMESTAMP) != "timestamp":
            raise ContractError(
                'The schema must have "event_id" as a string and "ts" as a string of the format '
                '"date-time".'
            )
        return Contract(fields, hashlib.sha256(schema).hexdigest())


# --- one property ---------------------------------------------------------------------------------


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("an object has two members of one name")
    return members


def _constant(name: str) -> Any:
    raise ValueError(f"{name} is no number")


def _is_annotation(keyword: str) -> bool:
    return keyword in ANNOTATIONS or bool(re.match(r"x-(?!min|max)", keyword))


def _check_name(name: str, seen: set[str]) -> None:
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,127}", name):
        raise ContractError(
            f'The property "{name}" cannot be a column: rename it with letters, digits and '
            "underscores, at most 128, the first no digit."
        )
    if name.lower() in RESERVED_NAMES:
        raise ContractError(
            f'The property "{name}" has the name of a column that bronze or staging adds: rename '
            "it."
        )
    if name.lower() in seen:
        raise ContractError(
            f'The property "{name}" differs from another one only in case: rename one of them.'
        )
    seen.add(name.lower())
    if len(seen) > 256:
        raise ContractError("The schema has more than 256 properties: leave the others out.")


def _field(name: str, member: Any) -> Field:
    if not isinstance(member, dict):
        raise ContractError(f'The property "{name}" has no type: make it an object with a "type".')
    rules = {key: value for key, value in member.items() if not _is_annotation(key)}
    types = rules.pop("type", None)
    types = types if isinstance(types, list) else [types]
    named = [each for each in types if each != "null"]
    makers: dict[Any, Callable[[str, dict[str, Any]], Field]] = {
        "string": _string,
        "number": _double,
        "integer": _integer,
        "boolean": lambda name, _: Field(name, "boolean", 0, 1),
    }
    if len(named) != 1 or not isinstance(named[0], str) or named[0] not in makers:
        raise ContractError(
            f'The property "{name}" has a type that no column can hold: use one of "string", '
            '"number", "integer" and "boolean", with or without "null".'
        )
    if name in (ID, TIMESTAMP) and "null" in types:
        raise ContractError(
            f'The property "{name}" is required and may not be null: remove "null" from its "type".'
        )
    field = makers[named[0]](name, rules)
    if rules:
        raise ContractError(
            f'The property "{name}" has a "{min(rules)}", and the job does not keep it for a '
            f"{named[0]}: remove it, or check it in dbt."
        )
    if field.least > field.most:
        raise ContractError(
            f'The bounds of the property "{name}" allow no value at all: mend them.'
        )
    return field


def _bad_bound(name: str, keyword: str, need: str) -> ContractError:
    return ContractError(f'The "{keyword}" of the property "{name}" must be {need}: mend it.')


def _size(name: str, rules: dict[str, Any], keyword: str) -> int | None:
    size = rules.pop(keyword, None)
    if size is None:
        return None
    if type(size) is not int or not 0 <= size <= 1 << 40:
        raise _bad_bound(name, keyword, "a whole number from 0")
    return size


def _string(name: str, rules: dict[str, Any]) -> Field:
    if "format" in rules:
        if rules.pop("format") != "date-time":
            raise ContractError(
                f'The property "{name}" has a "format", and only "date-time" is a type of its own: '
                "remove it."
            )
        return _timestamp(name, rules)
    least = _size(name, rules, "x-min-bytes") or 0
    most = _size(name, rules, "x-max-bytes")
    characters = _size(name, rules, "minLength") or 0
    # One character is at least one byte; beyond that the two counts part.
    if characters > 1 and least < characters * 4:
        raise _bad_bound(name, "minLength", '0 or 1 ("x-min-bytes" counts bytes, as the job does)')
    longest = _size(name, rules, "maxLength")
    if longest is not None and (most is None or most > longest):
        raise _bad_bound(name, "maxLength", 'no less than an "x-max-bytes" beside it')
    return Field(name, "string", max(least, characters), _NO_BYTES_LIMIT if most is None else most)


def _timestamp(name: str, rules: dict[str, Any]) -> Field:
    def instant(keyword: str, default: int) -> int:
        if keyword not in rules:
            return default
        text = rules.pop(keyword)
        micros = parse_timestamp(text) if isinstance(text, str) else None
        if micros is None:
            raise _bad_bound(name, keyword, 'a date-time such as "2000-01-01T00:00:00Z"')
        return micros

    # The years 0001 to 9999, whatever the bounds say.
    first = days_from_civil(1, 1, 1) * MICROS_PER_DAY
    end = days_from_civil(10_000, 1, 1) * MICROS_PER_DAY
    least = max(first, instant("formatMinimum", first))
    most = min(end, instant("formatExclusiveMaximum", end)) - 1
    return Field(name, "timestamp", least, most)


def _number(name: str, rules: dict[str, Any], keyword: str) -> float | None:
    bound = rules.pop(keyword, None)
    if bound is None:
        return None
    if type(bound) not in (int, float) or not math.isfinite(bound):
        raise _bad_bound(name, keyword, "a number that a double can hold")
    return float(bound)


def _double(name: str, rules: dict[str, Any]) -> Field:
    least, most = -LARGEST_DOUBLE, LARGEST_DOUBLE
    if (bound := _number(name, rules, "minimum")) is not None:
        least = max(least, bound)
    if (bound := _number(name, rules, "exclusiveMinimum")) is not None:
        least = max(least, math.nextafter(bound, math.inf))
    if (bound := _number(name, rules, "maximum")) is not None:
        most = min(most, bound)
    if (bound := _number(name, rules, "exclusiveMaximum")) is not None:
        most = min(most, math.nextafter(bound, -math.inf))
    return Field(name, "double", least, most)


def _whole(name: str, rules: dict[str, Any], keyword: str) -> int | None:
    bound = rules.pop(keyword, None)
    if bound is None:
        return None
    is_whole = type(bound) is int or (type(bound) is float and bound.is_integer())
    if not is_whole or not INT64[0] <= bound <= INT64[1]:
        raise _bad_bound(name, keyword, "a whole number of at most 64 bits")
    return int(bound)


def _integer(name: str, rules: dict[str, Any]) -> Field:
    lower = [_whole(name, rules, "minimum")]
    bound = _whole(name, rules, "exclusiveMinimum")
    lower.append(None if bound is None else bound + 1)
    upper = [_whole(name, rules, "maximum")]
    bound = _whole(name, rules, "exclusiveMaximum")
    upper.append(None if bound is None else bound - 1)
    least = max((each for each in lower if each is not None), default=None)
    most = min((each for each in upper if each is not None), default=None)
    if least is not None and most is not None and INT32[0] <= least and most <= INT32[1]:
        return Field(name, "int32", least, most)
    return Field(
        name,
        "int64",
        INT64[0] if least is None else least,
        INT64[1] if most is None else most,
    )


# --- timestamps -----------------------------------------------------------------------------------

_TIMESTAMP = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt ]([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]+))?"
    r"(?:[Zz]|([+-])([0-9]{2}):([0-9]{2}))"
)
_DAYS_IN_MONTH = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def days_from_civil(year: int, month: int, day: int) -> int:
    """The number of a day of the proleptic Gregorian calendar; 0 is 1970-01-01.

    Python's own dates know no year 0. Howard Hinnant, chrono-compatible low-level date algorithms.
    """
    year -= month <= 2
    era = year // 400
    year_of_era = year - era * 400
    day_of_year = (153 * (month - 3 if month > 2 else month + 9) + 2) // 5 + day - 1
    day_of_era = year_of_era * 365 + year_of_era // 4 - year_of_era // 100 + day_of_year
    return era * 146_097 + day_of_era - 719_468


def parse_timestamp(text: str) -> int | None:
    """Microseconds since 1970-01-01T00:00:00Z of an RFC 3339 date-time; None if it is none.

    Between date and time `T`, `t` or one blank; any number of fraction digits, cut to six; no leap
    seconds; the years 0000 to 9999.
    """
    match = _TIMESTAMP.fullmatch(text)
    if match is None:
        return None
    year, month, day, hour, minute, second = map(int, match.group(1, 2, 3, 4, 5, 6))
    fraction, sign, offset_hours, offset_minutes = match.group(7, 8, 9, 10)
    if not 1 <= month <= 12 or hour > 23 or minute > 59 or second > 59:
        return None
    is_leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    if not 1 <= day <= _DAYS_IN_MONTH[month - 1] + (month == 2 and is_leap):
        return None
    seconds = days_from_civil(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second
    if sign is not None:
        if int(offset_hours) > 23 or int(offset_minutes) > 59:
            return None
        offset = int(offset_hours) * 3600 + int(offset_minutes) * 60
        seconds += -offset if sign == "+" else offset
    return seconds * 1_000_000 + (int(fraction[:6].ljust(6, "0")) if fraction else 0)
