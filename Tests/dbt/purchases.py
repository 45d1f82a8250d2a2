"""The rules of silver and gold, written a second time, in plain Python and without SQL.

What dbt leaves in the warehouse is compared with this, row for row.
"""

from __future__ import annotations

import csv
import random
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

BLANKS = " \t\r\n"
LARGEST_AMOUNT = Decimal("9999999999999999.99")
CHANGEABLE = (
    *("ts", "store_id", "customer_id", "product_id", "category"),
    *("price", "quantity", "total_amount", "rescued_data"),
)

UNKNOWN = "(unknown)"
SEEDS = Path(__file__).resolve().parents[2] / "dbt" / "seeds"

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


@dataclass(frozen=True)
class Product:
    """A product from one moment on."""

    product_id: str
    price: Decimal | None
    valid_from: datetime


@dataclass(frozen=True)
class Dimensions:
    """What the lake's dimension files say; what they do not list is as the seeds say."""

    products: tuple[Product, ...] = ()
    #: Time zones by store.
    stores: dict[str, str] = field(default_factory=dict)
    #: (alias, customer), as they stand in the file.
    identities: tuple[tuple[str, str], ...] = ()

    def revision(self, line: Line) -> Product | None:
        """The product as of the sale; the cheaper one of two that begin at one moment."""
        listed = {product.product_id for product in self.products}
        known = [*self.products, *(seed for seed in SEED_PRODUCTS if seed.product_id not in listed)]
        valid = [
            product
            for product in known
            if product.product_id == line.product_id and product.valid_from <= line.ts
        ]
        if not valid:
            return None
        latest = max(product.valid_from for product in valid)
        return min(
            (product for product in valid if product.valid_from == latest),
            key=lambda product: (product.price is None, product.price),
        )

    def customer(self, line: Line) -> str | None:
        customer = normal(line.customer_id)
        owners = [
            owner
            for alias, identity in self.identities
            if normal(alias) == customer and (owner := normal(identity))
        ]
        return min(owners) if customer and owners else customer

    def time_zone(self, line: Line) -> str | None:
        """None if nobody lists the store."""
        return {**dict.fromkeys(SEED_STORES, "UTC"), **self.stores}.get(line.store_id or "")


def normal(customer_id: str | None) -> str | None:
    return (customer_id or "").strip(BLANKS).upper() or None


def _seed(name: str) -> list[dict[str, str]]:
    with (SEEDS / name).open(newline="") as file:
        return list(csv.DictReader(file))


SEED_PRODUCTS = [
    Product(row["product_id"], Decimal(row["price"]), datetime.fromisoformat(row["valid_from"]))
    for row in _seed("products.csv")
]
SEED_STORES = [row["store_id"] for row in _seed("stores.csv")]


def cents(amount: float | None) -> Decimal | None:
    """An amount's shortest decimal text, rounded half away from zero; None if it does not fit."""
    if amount is None or amount >= 1e16:
        return None
    rounded = Decimal(repr(amount)).quantize(Decimal("0.01"), ROUND_HALF_UP)
    return rounded if rounded <= LARGEST_AMOUNT else None


def difference(left: Decimal | None, right: Decimal | None) -> Decimal | None:
    return None if left is None or right is None else left - right


def check(difference: Decimal | None, equal: str) -> str:
    if difference is None:
        return "not checked"
    return equal if difference == 0 else "above" if difference > 0 else "below"


def arrival(line: Line) -> tuple[date, bool]:
    """The date in the object's key, and whether the sale was an hour old at the hour in it."""
    key = re.match(r"raw/yyyy=(\d{4})/mm=(\d\d)/dd=(\d\d)/(?:HH=(\d\d)/)?", line.source_object)
    if key is None:
        return line.ts.date(), False
    year, month, day = (int(part) for part in key.groups()[:3])
    hour = key.group(4)
    is_late = hour is not None and line.ts + timedelta(hours=1) < datetime(
        year, month, day, int(hour)
    )
    return date(year, month, day), is_late


def expected_tables(
    loads: Iterable[Iterable[Line]], dimensions: Dimensions | None = None
) -> Tables:
    """What the tables hold after the given loads, numbered from 1."""
    known = dimensions or Dimensions()
    by_id: dict[str, list[tuple[Line, int]]] = defaultdict(list)
    for number, load in enumerate(loads, start=1):
        for line in load:
            by_id[line.event_id].append((line, number))

    tables: Tables = {"silver": [], "duplicates": [], "conflicts": []}
    days: dict[Row, list[Row]] = defaultdict(list)
    hours: dict[Row, list[Row]] = defaultdict(list)
    stores: dict[Row, list[Row]] = defaultdict(list)
    products: dict[Row, list[Row]] = defaultdict(list)
    customers: dict[Row, list[Row]] = defaultdict(list)
    arrivals: dict[date, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for lines in by_id.values():
        (winner, winner_load), *losers = sorted(lines, key=lambda item: item[0].place)
        price, total = cents(winner.price), cents(winner.total_amount)
        day = winner.ts.date()
        category = winner.category and winner.category.strip(BLANKS).lower()
        time_zone, revision = known.time_zone(winner), known.revision(winner)
        local = winner.ts.replace(tzinfo=UTC).astimezone(ZoneInfo(time_zone or "UTC"))
        customer = known.customer(winner)
        list_price = revision.price if revision else None
        price_difference = difference(price, list_price)
        due = None if price is None or winner.quantity is None else price * winner.quantity
        total_difference = difference(total, due)
        price_check = check(price_difference, "as listed")
        arrival_date, is_late = arrival(winner)
        tables["silver"].append(
            (
                *(winner.event_id, winner.ts, day, local.date(), local.hour),
                *(winner.store_id, time_zone is not None, customer, winner.customer_id),
                *(winner.product_id, revision is not None, category, price, list_price),
                *(price_difference, price_check),
                *(winner.quantity, total, total_difference, check(total_difference, "exact")),
                (price is None) != (winner.price is None)
                or (total is None) != (winner.total_amount is None),
                *(arrival_date, is_late),
                *(winner.rescued_data, winner.source_object, winner.source_line, winner_load),
            )
        )
        sale = (winner, total, local.date(), customer, revision is not None, price_check)
        store = winner.store_id if time_zone else UNKNOWN
        days[day, category].append(sale)
        hours[local.date(), local.hour, store].append(sale)
        stores[local.date(), store].append(sale)
        products[local.date(), winner.product_id if revision else UNKNOWN].append(sale)
        customers[(customer or UNKNOWN,)].append(sale)
        arrivals[arrival_date]["purchases"] += 1
        for loser, load_number in losers:
            verdict = "duplicates" if loser.content == winner.content else "conflicts"
            tables[verdict].append(
                (
                    *loser.as_it_came,
                    *(winner.source_object, winner.source_line, load_number),
                )
            )
            arrivals[arrival(loser)[0]][verdict] += 1
        for line, _ in lines:
            arrivals[arrival(line)[0]]["late"] += arrival(line)[1]
            arrivals[arrival(line)[0]]["rescued"] += line.rescued_data is not None

    def sums(sales: list[Row]) -> Row:
        return (
            len(sales),
            sum((total or Decimal("0.00") for _, total, *_ in sales), Decimal("0.00")),
            sum(line.quantity or 0 for line, *_ in sales),
        )

    tables["gold"] = [
        (*group, *sums(sales), max(sale[0].ts for sale in sales)) for group, sales in days.items()
    ]
    tables["hours"] = [(*group, *sums(sales)) for group, sales in hours.items()]
    tables["stores"] = [
        (
            *(*group, *sums(sales), len({sale[3] for sale in sales if sale[3]})),
            len({sale[0].product_id for sale in sales if sale[4]}),
        )
        for group, sales in stores.items()
    ]
    tables["products"] = [
        (
            *(*group, *sums(sales), len({sale[3] for sale in sales if sale[3]})),
            *(sum(sale[5] == verdict for sale in sales) for verdict in ("as listed", "above")),
            *(sum(sale[5] == verdict for sale in sales) for verdict in ("below", "not checked")),
        )
        for group, sales in products.items()
    ]
    customers.setdefault((UNKNOWN,), [])
    tables["customers"] = [
        (
            *(*group, *sums(sales)),
            min((sale[0].ts for sale in sales), default=None),
            max((sale[0].ts for sale in sales), default=None),
            min((sale[2] for sale in sales), default=None),
            max((sale[2] for sale in sales), default=None),
        )
        for group, sales in customers.items()
    ]
    verdicts = ("purchases", "duplicates", "conflicts")
    tables["quality"] = [
        (
            *(day, sum(counts[verdict] for verdict in verdicts)),
            *(counts[verdict] for verdict in (*verdicts, "rescued", "late")),
        )
        for day, counts in arrivals.items()
    ]
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
            store_id=source.choice(["S1", "S2", "S003", None]),
            customer_id=source.choice(["c1", " C1 ", "c2\t", "web-1", "WEB-2 ", "", None]),
            product_id=source.choice(["P100", "P101", "P1", None]),
            category=source.choice(["home", " Home", "GROCERY\n", "grocery", "", None]),
            price=source.choice(
                [1.005, 2.675, 0.125, 0.0, 1e16, 29.99, None, source.random() * 50]
            ),
            quantity=source.choice([1, 2, 2147483647, None]),
            total_amount=source.choice(
                [0.045, 1e300, 5e-7, 59.98, 2.02, None, source.random() * 500]
            ),
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


def random_dimensions(source: random.Random) -> Dimensions:
    """Dimension files that list some of what random_lines() buys, and change while it does."""
    moments = [datetime(2026, 3, day, hour) for day in (1, 7, 8, 9, 20) for hour in (0, 23)]
    return Dimensions(
        products=tuple(
            Product(product, source.choice([Decimal("29.99"), Decimal("1.01"), None]), moment)
            for product in ("P100", "P1")
            for moment in source.choices(moments, k=source.randint(0, 3))
        ),
        stores={
            store: source.choice(["America/New_York", "Asia/Kolkata", "UTC"])
            for store in ("S1", "S2", "S003")
            if source.random() < 0.5
        },
        identities=tuple(
            (source.choice(["web-1", " WEB-1", "WEB-2"]), source.choice(["c1", "C2 ", "C3"]))
            for _ in range(source.randint(0, 3))
        ),
    )


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
