"""The verdict of lines, without Spark: the corpus, and the two ways held equal."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import random
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import pytest
from command import REPOSITORY
from medallion_glue.contract import Contract, ContractError, parse_timestamp
from medallion_glue.decoder import Decoder, Rows
from medallion_glue.lines import LineFramer, LongLine
from medallion_glue.verdict import Counts

CORPUS = REPOSITORY / "contract" / "corpus" / "purchase_lines.jsonl"


@dataclass
class Decoded:
    rows: dict[int, dict[str, Any]] = field(default_factory=dict)
    records: dict[int, dict[str, Any]] = field(default_factory=dict)
    counts: Counts = field(default_factory=Counts)


def decode(chunks: Iterable[bytes], contract: Contract, *, uses_shapes: bool) -> Decoded:
    decoded = Decoded()

    def take_rows(rows: Rows) -> None:
        for index, line in enumerate(rows.lines):
            assert line not in decoded.rows
            decoded.rows[line] = {
                each.name: column[index]
                for each, column in zip(contract.fields, rows.values, strict=True)
            } | {"_rescued_data": rows.rescued_data[index]}

    def take_record(record: bytes) -> None:
        value = json.loads(record)
        decoded.records[value["line"]] = value

    decoder = Decoder(contract, take_rows, take_record, uses_shapes)
    decoder.begin("raw/x.json")
    for chunk in chunks:
        decoder.feed(chunk)
    decoded.counts = decoder.finish()
    return decoded


def cut(text: bytes, size: int) -> list[bytes]:
    return [text[start : start + size] for start in range(0, len(text), size)]


def read_corpus() -> list[tuple[dict[str, Any], bytes]]:
    cases = []
    for line in CORPUS.read_text().splitlines():
        case = json.loads(line)
        if "line" in case:
            text = case["line"].encode()
        elif "line_base64" in case:
            text = base64.b64decode(case["line_base64"])
        else:
            text = zlib.decompress(base64.b64decode(case["line_zlib_base64"]))
        cases.append((case, text))
    return cases


@pytest.mark.parametrize("uses_shapes", [False, True])
@pytest.mark.parametrize("chunk_bytes", [1 << 20, 977])
def test_every_line_of_the_corpus_has_its_verdict_and_row(
    contract: Contract, chunk_bytes: int, uses_shapes: bool
) -> None:
    cases = read_corpus()
    assert len(cases) == 292
    # Behind as many plain lines as it takes to learn their shape.
    plain = cases[0][1] + b"\n"
    before = 40
    text = plain * before + b"".join(line + b"\n" for _, line in cases)
    decoded = decode(cut(text, chunk_bytes), contract, uses_shapes=uses_shapes)
    for number, (case, _) in enumerate(cases, before + 1):
        row, record = decoded.rows.get(number), decoded.records.get(number)
        if case["verdict"] == "accepted":
            assert row is not None, case["name"]
            expected = dict(case["row"])
            expected["ts"] = parse_timestamp(expected["ts"])
            del expected["dt"]
            if "rescued_sha256" in case:
                rescued = row["_rescued_data"].encode()
                assert hashlib.sha256(rescued).hexdigest() == case["rescued_sha256"]
                expected["_rescued_data"] = row["_rescued_data"]
            assert row == expected, case["name"]
        elif case["verdict"] == "quarantined":
            assert record is not None, case["name"]
            assert record["reason"] == case["reason"], case["name"]
        else:
            assert row is None, case["name"]
            assert record is None, case["name"]


def mutations(seed: int, count: int) -> bytes:
    """Lines of a few shapes, spoiled here and there."""
    source = random.Random(seed)
    pieces = [b"", b'"', b"\\", b",", b"{", b"}", b"[", b":", b" ", b"\t", b"\r", b"\xff", b"\xc3"]
    pieces += [b"\xed\xa0\x80", b"null", b"-", b"1e400", b"\\u00e9", b"\\ud800", b"\x00", b"0"]
    lines = []
    for number in range(count):
        event = {
            "event_id": f"id-{number}",
            "ts": source.choice(
                ["2026-11-20T13:45:10.123456+00:00", "2026-11-20 13:45:10Z", "1999-12-31T00:00:00Z"]
                + ["2026-11-20T13:45:10.12345\uff16+00:00"]
                + ["2026-11-20T13:45:10.123456+00:00"] * 9
            ),
            "store_id": f"S{source.randint(1, 9)}",
            "category": source.choice(["home", "", None, "é", 3]),
            "price": source.choice([1.5, "1.5", -1, 3, None, "x", True, 1e-7]),
            "quantity": source.choice([1, 2.0, "3", 2.5, 0, 2147483648, -0.0]),
        }
        if source.random() < 0.3:
            event["coupon"] = source.choice([1, "x", None, [1], {"a": 1}])
        if source.random() < 0.2:
            event.pop(source.choice(list(event)))
        separators = source.choice([(",", ":"), (", ", ": ")])
        line = json.dumps(event, separators=separators, ensure_ascii=source.random() < 0.5).encode()
        if source.random() < 0.3:
            place = source.randrange(len(line))
            line = line[:place] + source.choice(pieces) + line[place + source.randint(0, 1) :]
        lines.append(line + source.choice([b"\n"] * 9 + [b"\r\n", b"\n\n", b" \n"]))
    return b"".join(lines)


@pytest.mark.parametrize("seed", range(4))
def test_lines_by_their_shape_are_what_the_long_way_makes_of_them(
    contract: Contract, seed: int
) -> None:
    text = mutations(seed, 3000)
    long = decode([text], contract, uses_shapes=False)
    short = decode(cut(text, 10_007), contract, uses_shapes=True)
    assert short.rows == long.rows
    assert short.records == long.records
    assert short.counts == long.counts
    assert len(long.rows) > 300
    assert len(long.counts.quarantined) > 4


def test_how_an_object_comes_in_chunks_changes_nothing(contract: Contract) -> None:
    text = b"\xef\xbb\xbf" + mutations(7, 200) + b'{"event_id": "tail"'
    whole = decode([text], contract, uses_shapes=True)
    for size in (1, 2, 3, 100):
        assert decode(cut(text, size), contract, uses_shapes=True) == whole


@pytest.mark.parametrize(
    ("text", "lines", "blank"),
    [
        (b"", 0, 0),
        (b"\xef\xbb\xbf", 0, 0),
        (b"\xef\xbb", 1, 0),
        (b"\r", 1, 1),
        (b"\n\n", 2, 2),
        (b"\xef\xbb\xbf\n\xef\xbb\xbf\n", 2, 1),
        (b" \t" * (1 << 20) + b"\r\n", 1, 1),
        (b" \t" * (1 << 20) + b"\r \n", 1, 0),
    ],
)
def test_what_counts_as_a_line(contract: Contract, text: bytes, lines: int, blank: int) -> None:
    for size in (1 << 19, 3):
        if len(text) < 100 or size > 3:
            counts = decode(cut(text, size), contract, uses_shapes=True).counts
            assert (counts.lines, counts.blank) == (lines, blank)


@pytest.mark.parametrize(("extra", "reason"), [(0, "malformed_json"), (1, "line_too_long")])
def test_a_line_is_too_long_from_one_mebibyte_on(
    contract: Contract, extra: int, reason: str
) -> None:
    line = b"x" * ((1 << 20) + extra)
    for text in (line + b"\n", line + b"\r\n", line + b"\r", b"\n" + line):
        decoded = decode(cut(text, 1 << 19), contract, uses_shapes=True)
        [record] = decoded.records.values()
        assert record["reason"] == reason
        assert record["byte_length"] == len(line)
        assert len(record["raw"]) == (64 << 10 if extra else len(line))


def test_a_line_of_a_gigabyte_is_carried_in_a_few_kilobytes() -> None:
    framer = LineFramer()
    chunk = b"x" * (1 << 20)
    for _ in range(1024):
        assert not list(framer.feed(chunk))
        assert len(framer._carry) <= (1 << 20) + 1
    [line, rest] = framer.feed(b"\nnext\n")
    assert isinstance(line, LongLine)
    assert (line.number, line.length, len(line.excerpt)) == (1, 1 << 30, 64 << 10)
    assert not isinstance(rest, LongLine)
    assert (rest.content, rest.first_line, rest.offset) == (b"next\n", 2, (1 << 30) + 1)


def test_names_of_rescued_members_are_counted_in_bounded_memory(contract: Contract) -> None:
    start = '{"event_id": "x", "ts": "2026-11-20T13:45:10Z"'
    many = ", ".join(f'"unknown_{number}": 1' for number in range(1000))
    long = f'"{"x" * 257}": 1'
    counts = decode(
        [f"{start}, {many}}}\n{start}, {long}}}\n".encode()], contract, uses_shapes=True
    ).counts
    assert len(counts.rescued) == 257
    assert counts.rescued["(other)"] == 744 + 1
    total = Counts()
    for number in range(4):
        total += Counts(rescued={f"{number}-{name}": 1 for name in counts.rescued})
    assert len(total.rescued) <= 513
    assert sum(total.rescued.values()) == 4 * 257


@pytest.mark.parametrize(
    ("change", "mend"),
    [
        (lambda schema: schema.update(maxProperties=3), "maxProperties"),
        (lambda schema: schema.update(required=["event_id"]), "required"),
        (lambda schema: schema["properties"]["price"].update(multipleOf=0.01), "multipleOf"),
        (lambda schema: schema["properties"]["price"].update(minimum=5, maximum=4), "no value"),
        (lambda schema: schema["properties"].update({"Price": {"type": "number"}}), "case"),
        (lambda schema: schema["properties"].update({"dt": {"type": "string"}}), "rename"),
        (lambda schema: schema["properties"].update({"tags": {"type": "array"}}), "type"),
        (lambda schema: schema["properties"].update({"a b": {"type": "string"}}), "rename"),
        (lambda schema: schema["properties"]["ts"].update(type=["string", "null"]), "null"),
        (lambda schema: schema["properties"].update(ts={"type": "string"}), "date-time"),
        (lambda schema: schema["properties"]["event_id"].update(maxLength=9), "maxLength"),
    ],
)
def test_a_contract_that_could_not_be_kept_is_refused(change: Any, mend: str) -> None:
    schema = json.loads((REPOSITORY / "contract" / "purchase_event.schema.json").read_text())
    change(schema)
    with pytest.raises(ContractError, match=mend):
        Contract.parse(json.dumps(schema).encode())


def test_a_contract_that_is_no_json_is_refused() -> None:
    for text in (b"{", b"[]", b'{"a": 1, "a": 2}', b"\xff", b'{"type": NaN}', gzip.compress(b"{}")):
        with pytest.raises(ContractError):
            Contract.parse(text)
