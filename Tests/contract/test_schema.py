"""The contract's file is itself a JSON Schema, and agrees with the corpus where one can say so."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

ROOT = Path(__file__).parents[2]
SCHEMA: dict[str, Any] = json.loads((ROOT / "contract/purchase_event.schema.json").read_text())
CORPUS: list[dict[str, Any]] = [
    json.loads(line)
    for line in (ROOT / "contract/corpus/purchase_lines.jsonl").read_text().splitlines()
]


def test_the_contract_is_a_valid_json_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize(
    "case",
    [
        case
        for case in CORPUS
        if case["verdict"] == "accepted"
        and "line" in case
        and not case["row"]["_rescued_data"]
        # Bronze takes a number that comes as a string; the contract asks for a number.
        and "string" not in case["name"]
    ],
    ids=lambda case: case["name"],
)
def test_a_line_that_bronze_takes_as_it_is_is_valid(case: dict[str, Any]) -> None:
    jsonschema.Draft202012Validator(SCHEMA).validate(json.loads(case["line"]))


@pytest.mark.parametrize(
    "case",
    [
        case
        for case in CORPUS
        if case.get("reason") in {"missing_event_id", "missing_ts", "invalid_event_id"}
        and "line" in case
        # Lengths in bytes are beyond what JSON Schema can count.
        and "two-byte" not in case["name"]
    ],
    ids=lambda case: case["name"],
)
def test_a_line_without_its_keys_is_invalid(case: dict[str, Any]) -> None:
    assert not jsonschema.Draft202012Validator(SCHEMA).is_valid(json.loads(case["line"]))
