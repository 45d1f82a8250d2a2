"""What a lake must hold, counted from its raw objects alone.

Nothing here asks the command or reads what it wrote, but for the simulator's answer key, which says
which lines it spoiled. Money is Decimal throughout.
"""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
from command import Medallion

CENT = Decimal("0.01")
#: What DECIMAL(18,2) holds.
MOST_CENTS = Decimal("9999999999999999.99")


@dataclass(frozen=True)
class Place:
    """A line's place: objects are compared by their keys' bytes, lines as numbers."""

    object: str
    line: int

    @property
    def order(self) -> tuple[bytes, int]:
        return self.object.encode(), self.line


@dataclass(frozen=True)
class Purchase:
    """An accepted line, in bronze's types."""

    place: Place
    event_id: str
    ts: datetime
    store_id: str | None
    customer_id: str | None
    product_id: str | None
    category: str | None
    price: float | None
    quantity: int | None
    total_amount: float | None

    @property
    def day(self) -> date:
        return self.ts.date()

    @property
    def fields(self) -> tuple[object, ...]:
        """The eight fields beside the id, by which a duplicate is told from a conflict."""
        return (
            self.ts,
            self.store_id,
            self.customer_id,
            self.product_id,
            self.category,
            self.price,
            self.quantity,
            self.total_amount,
        )


@dataclass(frozen=True)
class SilverRow:
    event_id: str
    ts: datetime
    day: date
    store_id: str | None
    customer_id: str | None
    product_id: str | None
    category: str | None
    price: Decimal | None
    quantity: int | None
    total_amount: Decimal | None
    source_object: str
    source_line: int


@dataclass(frozen=True)
class GoldRow:
    transactions: int
    revenue: Decimal
    units_sold: int
    latest_ts: datetime


GoldKey = tuple[date, str | None]


@dataclass(frozen=True)
class Answer:
    """One record of the simulator's answer key."""

    fault: str
    verdict: str
    reason: str | None
    rescued_field: str | None


@dataclass(frozen=True)
class Truth:
    """What raw says of every layer."""

    lines: int
    objects: int
    blank: int
    #: The reason of each line that must be in quarantine.
    quarantined: Mapping[Place, str]
    purchases: list[Purchase]
    #: Members that did not fit, or that no field has, by name.
    rescued: Counter[str]
    winners: list[Purchase]
    #: `duplicate` or `conflict` for every other line of a repeated id.
    losers: Mapping[Place, str]

    @property
    def duplicates(self) -> int:
        return sum(verdict == "duplicate" for verdict in self.losers.values())

    @property
    def conflicts(self) -> int:
        return sum(verdict == "conflict" for verdict in self.losers.values())

    @property
    def reasons(self) -> dict[str, int]:
        return dict(Counter(self.quarantined.values()))

    @property
    def silver(self) -> set[SilverRow]:
        return {silver_row(winner) for winner in self.winners}

    @property
    def gold(self) -> dict[GoldKey, GoldRow]:
        groups: dict[GoldKey, list[SilverRow]] = {}
        for row in self.silver:
            groups.setdefault((row.day, row.category), []).append(row)
        return {
            key: GoldRow(
                transactions=len(rows),
                revenue=sum((row.total_amount or Decimal(0) for row in rows), Decimal("0.00")),
                units_sold=sum(row.quantity or 0 for row in rows),
                latest_ts=max(row.ts for row in rows),
            )
            for key, rows in groups.items()
        }

    @property
    def revenue(self) -> Decimal:
        return sum((row.revenue for row in self.gold.values()), Decimal("0.00"))


# MARK: from raw


def raw_objects(lake: Path) -> Iterator[tuple[str, bytes]]:
    """Every raw object's key and text."""
    for path in sorted((lake / "raw").rglob("*")):
        key = path.relative_to(lake).as_posix()
        if not path.is_file():
            continue
        if key.endswith(".json.gz"):
            yield key, gzip.decompress(path.read_bytes())
        elif key.endswith(".json"):
            yield key, path.read_bytes()


def raw_lines(text: bytes) -> list[bytes]:
    """The lines of an object: what follows the last line feed is one if it is not empty."""
    lines = text.removeprefix(b"\xef\xbb\xbf").split(b"\n")
    if not lines[-1]:
        lines.pop()
    return lines


def read_answers(path: Path) -> dict[Place, Answer]:
    answers: dict[Place, Answer] = {}
    for line in path.read_text().splitlines():
        record = json.loads(line)
        if record["fault"] in ("object", "total", "grand_total"):
            continue
        place = Place(record["source_object"], record["line"])
        assert place not in answers, f"the answer key names {place} twice"
        answers[place] = Answer(
            record["fault"], record["verdict"], record["reason"], record["rescued_field"]
        )
    return answers


def truth_of(lake: Path, answer_key: Path | None = None) -> Truth:
    """Counts a lake's raw objects; without an answer key every line has to be a clean event."""
    answers = read_answers(answer_key) if answer_key else {}
    lines = objects = blank = 0
    quarantined: dict[Place, str] = {}
    purchases: list[Purchase] = []
    rescued: Counter[str] = Counter()
    for key, text in raw_objects(lake):
        objects += 1
        for number, line in enumerate(raw_lines(text), start=1):
            lines += 1
            place = Place(key, number)
            answer = answers.get(place)
            if answer is None or answer.verdict == "accepted":
                field = answer.rescued_field if answer else None
                purchases.append(purchase(place, line, without=field))
                if field:
                    rescued[field] += 1
            elif answer.verdict == "blank":
                assert not line.strip(), f"the answer key calls {place} blank: {line!r}"
                blank += 1
            else:
                assert answer.reason
                quarantined[place] = answer.reason
    winners, losers = resolve(purchases)
    return Truth(lines, objects, blank, quarantined, purchases, rescued, winners, losers)


def purchase(place: Place, line: bytes, without: str | None = None) -> Purchase:
    """An event's line as a bronze row; the member named `without` does not fit its field."""
    event: dict[str, Any] = json.loads(line)
    event.pop(without or "", None)

    def number(name: str) -> float | None:
        return None if event.get(name) is None else float(event[name])

    return Purchase(
        place=place,
        event_id=event["event_id"],
        ts=datetime.fromisoformat(event["ts"]).astimezone(UTC).replace(tzinfo=None),
        store_id=event.get("store_id"),
        customer_id=event.get("customer_id"),
        product_id=event.get("product_id"),
        category=event.get("category"),
        price=number("price"),
        quantity=event.get("quantity"),
        total_amount=number("total_amount"),
    )


def resolve(purchases: list[Purchase]) -> tuple[list[Purchase], dict[Place, str]]:
    """One winner for each id, the line with the lowest place, and the verdict on the others."""
    by_id: dict[str, list[Purchase]] = {}
    for each in purchases:
        by_id.setdefault(each.event_id, []).append(each)
    winners: list[Purchase] = []
    losers: dict[Place, str] = {}
    for lines in by_id.values():
        winner, *rest = sorted(lines, key=lambda line: line.place.order)
        winners.append(winner)
        for each in rest:
            losers[each.place] = "duplicate" if each.fields == winner.fields else "conflict"
    return winners, losers


def cents(amount: float | None) -> Decimal | None:
    """A double's shortest text, rounded half away from zero; None where it does not fit."""
    if amount is None:
        return None
    exact = Decimal(repr(amount))
    if abs(exact) > MOST_CENTS + 1:
        return None
    rounded = exact.quantize(CENT, ROUND_HALF_UP)
    return rounded if abs(rounded) <= MOST_CENTS else None


def silver_row(winner: Purchase) -> SilverRow:
    return SilverRow(
        event_id=winner.event_id,
        ts=winner.ts,
        day=winner.day,
        store_id=winner.store_id,
        customer_id=None if winner.customer_id is None else winner.customer_id.strip().upper(),
        product_id=winner.product_id,
        category=None if winner.category is None else winner.category.strip().lower(),
        price=cents(winner.price),
        quantity=winner.quantity,
        total_amount=cents(winner.total_amount),
        source_object=winner.place.object,
        source_line=winner.place.line,
    )


# MARK: from the layers


@dataclass(frozen=True)
class Layers:
    """What the layers hold, read with DuckDB and pyarrow."""

    staging: list[Place]
    silver: list[SilverRow]
    losers: dict[Place, str]
    gold: dict[GoldKey, GoldRow]
    published: dict[GoldKey, GoldRow]
    bronze: list[Place]
    quarantined: dict[Place, str]


def read_layers(medallion: Medallion) -> Layers:
    with duckdb.connect() as connection:
        # The views name the database, so it has to have its name.
        path = str(medallion.warehouse).replace("'", "''")
        connection.execute(f"ATTACH '{path}' AS retail (READ_ONLY)")
        staging = connection.execute(
            "SELECT _source_object, _source_line FROM retail.raw.raw_purchases_staging"
        ).fetchall()
        silver = connection.execute(
            """
            SELECT event_id, ts, day, store_id,
              -- As it came: which customer an alias belongs to is the dimension's matter.
              upper(trim(raw_customer_id, chr(9) || chr(10) || chr(13) || ' ')), product_id,
              category, price, quantity, total_amount, _source_object, _source_line
            FROM retail.silver.purchases_silver
            """
        ).fetchall()
        losers = connection.execute(
            """
            SELECT _source_object, _source_line, 'duplicate'
            FROM retail.silver.purchase_duplicates_silver
            UNION ALL
            SELECT _source_object, _source_line, 'conflict'
            FROM retail.silver.purchase_conflicts_silver
            """
        ).fetchall()
        gold = connection.execute(
            """
            SELECT day, category, transactions, revenue, units_sold, latest_ts
            FROM retail.gold.purchases_gold
            """
        ).fetchall()
    assert len({(row[0], row[1]) for row in losers}) == len(losers), "a loser is kept twice"
    return Layers(
        staging=[Place(*row) for row in staging],
        silver=[SilverRow(*row) for row in silver],
        losers={Place(row[0], row[1]): row[2] for row in losers},
        gold=gold_rows(gold),
        published=published_gold(medallion.lake),
        bronze=bronze_places(medallion.lake),
        quarantined=quarantined_places(medallion),
    )


def gold_rows(rows: list[tuple[Any, ...]]) -> dict[GoldKey, GoldRow]:
    found = {(row[0], row[1]): GoldRow(*row[2:]) for row in rows}
    assert len(found) == len(rows), "gold has a day and category twice"
    return found


def published_gold(lake: Path) -> dict[GoldKey, GoldRow]:
    """The rows of the files that gold's pointer names, as a BI reader finds them."""
    pointer = json.loads((lake / "gold" / "current.json").read_text())
    table = pointer["tables"]["purchases_gold"]
    rows: list[tuple[Any, ...]] = []
    for key in table["files"]:
        for row in pq.read_table(lake / key).to_pylist():
            rows.append(
                tuple(
                    row[name]
                    for name in (
                        "day",
                        "category",
                        "transactions",
                        "revenue",
                        "units_sold",
                        "latest_ts",
                    )
                )
            )
    assert len(rows) == table["rows"]
    return gold_rows(rows)


def bronze_files(lake: Path) -> list[Path]:
    return sorted((lake / "bronze").glob("dt=*/*.parquet"))


def bronze_places(lake: Path) -> list[Place]:
    places: list[Place] = []
    for path in bronze_files(lake):
        # Not read_table: the directory's dt would be taken for a column.
        table = pq.ParquetFile(path).read(columns=["_source_object", "_source_line", "ts"])
        for row in table.to_pylist():
            places.append(Place(row["_source_object"], row["_source_line"]))
            assert path.parent.name == f"dt={row['ts'].date()}", f"{path} has a row of {row['ts']}"
    return places


def quarantine_records(medallion: Medallion) -> list[dict[str, Any]]:
    """The records of the quarantine files in force."""
    superseded = {key for commit in medallion.commits() for key in commit["superseded"]}
    return [
        json.loads(line)
        for path in sorted((medallion.lake / "quarantine").glob("dt=*/*.ndjson"))
        if path.relative_to(medallion.lake).as_posix() not in superseded
        for line in path.read_bytes().splitlines()
    ]


def quarantined_places(medallion: Medallion) -> dict[Place, str]:
    records = quarantine_records(medallion)
    found = {Place(each["source_object"], each["line"]): each["reason"] for each in records}
    assert len(found) == len(records), "a line is in quarantine twice"
    return found


# MARK: the comparison


def assert_whole(medallion: Medallion, answer_key: Path | None = None) -> Truth:
    """Every line of raw is where it belongs, once, and gold is right to the cent."""
    truth = truth_of(medallion.lake, answer_key)
    layers = read_layers(medallion)
    accepted = Counter(each.place for each in truth.purchases)
    assert_same(Counter(layers.bronze), accepted, "bronze")
    assert_same(Counter(layers.staging), accepted, "staging")
    assert_same(layers.quarantined, dict(truth.quarantined), "quarantine")
    assert_same(Counter(layers.silver), Counter(truth.silver), "silver")
    assert_same(layers.losers, dict(truth.losers), "silver's losers")
    assert_same(layers.gold, truth.gold, "gold")
    assert_same(layers.published, truth.gold, "published gold")
    report = medallion.verify(deep=True, answer_key=answer_key)
    assert report["balanced"] is True
    assert report["pending"] == 0
    return truth


def assert_same(found: Mapping[Any, Any], expected: Mapping[Any, Any], what: str) -> None:
    """Compares by key, and shows a few differences where pytest would print everything."""
    lost = [key for key in expected if key not in found]
    extra = [key for key in found if key not in expected]
    other = [
        (key, found[key], expected[key])
        for key in expected
        if key in found and found[key] != expected[key]
    ]
    assert not (lost or extra or other), (
        f"{what}: {len(lost)} lost {lost[:3]}, {len(extra)} too many {extra[:3]}, "
        f"{len(other)} different {other[:3]}"
    )
