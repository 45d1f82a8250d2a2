"""The rules of silver and gold, written a second time, in plain Python and without SQL.

What dbt leaves in the warehouse is compared with this, row for row.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from itertools import pairwise
from typing import Any

BLANKS = " \t\r\n"
LARGEST_AMOUNT = Decimal("9999999999999999.99")
CHANGEABLE = (
    *("ts", "store_id", "customer_id", "product_id", "category"),
    *("price", "quantity", "total_amount", "rescued_data"),
)

Row = tuple[Any, ...]
Tables = dict[str, list[Row]]


@dataclass(frozen=True)
class Line:
    """One accepted line of a raw object, as bronze has it."""

    event_id: str
    ts: datetime
    store_id: str | None
    customer_id: str | None
    product_id: str | None
    category: str | None
    price: float | None
    quantity: int | None
    total_amount: float | None
    rescued_data: str | None
    source_object: str
    source_line: int

    @property
    def place(self) -> tuple[bytes, int]:
        return self.source_object.encode(), self.source_line

    @property
    def content(self) -> Row:
        """The fields that make a repeated event a duplicate."""
        return (
            *(self.ts, self.store_id, self.customer_id, self.product_id, self.category),
            *(self.price, self.quantity, self.total_amount),
        )

    @property
    def as_it_came(self) -> Row:
        return (
            *(self.event_id, *self.content, self.rescued_data),
            *(self.source_object, self.source_line),
        )


def cents(amount: float | None) -> Decimal | None:
    """An amount's shortest decimal text, rounded half away from zero; None if it does not fit."""
    if amount is None or amount >= 1e16:
        return None
    rounded = Decimal(repr(amount)).quantize(Decimal("0.01"), ROUND_HALF_UP)
    return rounded if rounded <= LARGEST_AMOUNT else None


def expected_tables(loads: Iterable[Iterable[Line]]) -> Tables:
    """What the tables hold after the given loads, numbered from 1."""
    by_id: dict[str, list[tuple[Line, int]]] = defaultdict(list)
    for number, load in enumerate(loads, start=1):
        for line in load:
            by_id[line.event_id].append((line, number))

    tables: Tables = {"silver": [], "duplicates": [], "conflicts": [], "gold": []}
    groups: dict[tuple[date, str | None], list[tuple[Line, Decimal | None]]] = defaultdict(list)
    for lines in by_id.values():
        (winner, winner_load), *losers = sorted(lines, key=lambda item: item[0].place)
        price, total = cents(winner.price), cents(winner.total_amount)
        day = winner.ts.date()
        category = winner.category and winner.category.strip(BLANKS).lower()
        tables["silver"].append(
            (
                *(winner.event_id, winner.ts, day, winner.store_id),
                winner.customer_id and winner.customer_id.strip(BLANKS).upper(),
                *(winner.product_id, category, price, winner.quantity, total),
                (price is None) != (winner.price is None)
                or (total is None) != (winner.total_amount is None),
                *(winner.rescued_data, winner.source_object, winner.source_line, winner_load),
            )
        )
        groups[day, category].append((winner, total))
        for loser, load_number in losers:
            verdict = "duplicates" if loser.content == winner.content else "conflicts"
            tables[verdict].append(
                (
                    *loser.as_it_came,
                    *(winner.source_object, winner.source_line, load_number),
                )
            )
    for (day, category), purchases in groups.items():
        tables["gold"].append(
            (
                *(day, category, len(purchases)),
                sum((total or Decimal("0.00") for _, total in purchases), Decimal("0.00")),
                sum(line.quantity or 0 for line, _ in purchases),
                max(line.ts for line, _ in purchases),
            )
        )
    return {name: in_order(rows) for name, rows in tables.items()}


def in_order(rows: Iterable[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: [(value is not None, str(value)) for value in row])


def random_lines(source: random.Random, count: int) -> list[Line]:
    """Lines that quarrel: few ids, few values, few days, so that every rule is met often."""
    newest = datetime(2026, 3, 10, tzinfo=UTC).replace(tzinfo=None)
    ids = [f"event-{number}" for number in range(max(1, count // 3))] + ["É", "e", "E", " e"]
    objects = [
        f"raw/yyyy=2026/mm=03/dd={source.randint(8, 10):02}/HH=00/{name}.json"
        for name in ("".join(source.choices("aAzZ09-_ä", k=6)) for _ in range(max(2, count // 10)))
    ]

    def fresh(event_id: str) -> Line:
        # Close to midnight, so that another time zone is another day.
        ts = newest - timedelta(
            days=source.randrange(4),
            minutes=source.randint(-90, 90),
            microseconds=source.randrange(10**6),
        )
        return Line(
            event_id=event_id,
            ts=ts,
            store_id=source.choice(["S1", "S2", None]),
            customer_id=source.choice(["c1", " C1 ", "c2\t", "", None]),
            product_id=source.choice(["P100", "P101", None]),
            category=source.choice(["home", " Home", "GROCERY\n", "grocery", "", None]),
            price=source.choice([1.005, 2.675, 0.125, 0.0, 1e16, 12.5, None, source.random() * 50]),
            quantity=source.choice([1, 2, 2147483647, None]),
            total_amount=source.choice([0.045, 1e300, 5e-7, 100.0, None, source.random() * 500]),
            rescued_data=source.choice([None, None, '{"color":"red"}']),
            source_object="",
            source_line=0,
        )

    def changed(line: Line) -> Line:
        other = fresh(line.event_id)
        field = source.choice(CHANGEABLE)
        return replace(line, **{field: getattr(other, field)})

    first: dict[str, Line] = {}
    places: set[tuple[str, int]] = set()
    lines: list[Line] = []
    while len(lines) < count:
        event_id = source.choice(ids)
        known = first.setdefault(event_id, fresh(event_id))
        line = known if source.random() < 0.6 else changed(known)
        place = (source.choice(objects), source.randint(1, 30))
        if place not in places:
            places.add(place)
            lines.append(replace(line, source_object=place[0], source_line=place[1]))
    return lines


def few_loads(seed: int, count: int = 4) -> list[list[Line]]:
    """A small history, for tests that are about something else."""
    source = random.Random(seed)
    return random_loads(source, random_lines(source, 120), count)


def random_loads(source: random.Random, lines: list[Line], count: int) -> list[list[Line]]:
    """The lines in any order, cut anywhere."""
    shuffled = source.sample(lines, len(lines))
    cuts = sorted(source.choices(range(len(lines) + 1), k=count - 1))
    edges = [0, *cuts, len(lines)]
    return [shuffled[begin:end] for begin, end in pairwise(edges)]
