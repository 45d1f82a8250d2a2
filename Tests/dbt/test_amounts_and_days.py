"""Money to the cent, and days in UTC, whatever the machine."""

from __future__ import annotations

import math
import random
import struct
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from purchases import Line, cents, expected_tables, random_lines, random_loads
from warehouse import Warehouse, Worker

A_LINE = Line(
    event_id="",
    ts=datetime(2026, 3, 8, 12, tzinfo=UTC).replace(tzinfo=None),
    store_id=None,
    customer_id=None,
    product_id=None,
    category=None,
    price=None,
    quantity=None,
    total_amount=None,
    rescued_data=None,
    source_object="raw/a.json",
    source_line=0,
)


def test_amounts_are_rounded_as_pythons_decimal_rounds_their_text(
    warehouse: Warehouse, worker: Worker
) -> None:
    amounts = sorted({*edge_amounts(), *random_amounts(random.Random(1), 20_000)})
    warehouse.load(
        [
            replace(A_LINE, event_id=str(number), source_line=number, price=amount)
            for number, amount in enumerate(amounts, start=1)
        ]
    )
    worker.do("run")
    rounded = warehouse.query(
        "select price, amount_overflow from retail.silver.purchases_silver order by _source_line"
    )
    wrong = [
        (amount, row)
        for amount, row in zip(amounts, rounded, strict=True)
        if row != (cents(amount), cents(amount) is None)
    ]
    assert wrong == []
    assert any(overflow for _, overflow in rounded)


def edge_amounts() -> list[float]:
    edges = [
        1.005,
        2.675,
        0.005,
        0.015,
        0.045,
        0.285,
        1.115,
        1234567.895,
        0.0,
        5e-324,
        5e-7,
        9.5e-5,
    ]
    edges += [0.001, 0.00099999, 0.0049999999, 0.00499999999999999967, 1e15, 1e16, 1e17, 1e300]
    edges += [9999999999999998.0, math.nextafter(1e16, 0), math.nextafter(1e16, 2e16)]
    edges += [123456789012345.67, 99999999999999.995, 1234567890123456.5, 1.7976931348623157e308]
    return edges


def random_amounts(source: random.Random, count: int) -> list[float]:
    """A third halves of cents, a third doubles of any size, a third of any bits."""
    amounts = []
    for number in range(count):
        if number % 3 == 0:
            amounts.append(
                float(
                    f"{source.randrange(10 ** source.randint(1, 13))}.{source.randrange(100):02}5"
                )
            )
        elif number % 3 == 1:
            amounts.append(source.random() * 10 ** source.randint(-6, 17))
        else:
            [amount] = struct.unpack("<d", source.randbytes(8))
            if math.isfinite(amount):
                amounts.append(abs(amount))
    return amounts


def test_revenue_is_exact_where_doubles_are_not(warehouse: Warehouse, worker: Worker) -> None:
    warehouse.load(
        [
            replace(A_LINE, event_id=str(number), source_line=number, total_amount=amount)
            for number, amount in enumerate([0.1] * 1000 + [9999999999999998.0] * 3, start=1)
        ]
    )
    worker.do("run")
    [(revenue,)] = warehouse.query("select revenue from retail.gold.purchases_gold")
    assert revenue == Decimal("30000000000000094.00")


@pytest.mark.parametrize("time_zone", ["America/Los_Angeles", "Asia/Kolkata"])
def test_the_machines_time_zone_changes_nothing(
    time_zone: str, warehouse: Warehouse, work: Path
) -> None:
    source = random.Random(time_zone)
    loads = random_loads(source, random_lines(source, 200), count=3)
    with Worker(warehouse.path, work, environment={"TZ": time_zone}) as worker:
        for load in loads:
            warehouse.load(load)
            worker.do("run")
        expected = expected_tables(loads)
        assert warehouse.all_tables() == expected
        # The lines stand around midnight, or this would show nothing.
        assert len({row[0] for row in expected["gold"]}) > 3
        worker.do("run", full_refresh=True)
        assert warehouse.all_tables() == expected
