"""Products, stores and customers: as of the sale, whenever a dimension file changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from purchases import (
    SEED_PRODUCTS,
    UNKNOWN,
    Dimensions,
    Line,
    Product,
    expected_tables,
    few_loads,
)
from test_amounts_and_days import A_LINE
from warehouse import Warehouse, Worker

LOADS = few_loads(seed=11)
CHANGE = datetime(2026, 3, 8, 12)
BEFORE = Product("P1", Decimal("5.00"), datetime(2026, 1, 1))
AFTER = Product("P1", Decimal("6.00"), CHANGE)


def sales(count: int, **fields: Any) -> list[Line]:
    """Sales of one product at one store, an hour apart, half of them before the price changes."""
    sold: dict[str, Any] = {
        **{"store_id": "S1", "customer_id": "WEB-1", "product_id": "P1"},
        **{"price": 5.0, "quantity": 1, "total_amount": 5.0},
        **fields,
    }
    lines = [
        replace(A_LINE, event_id=f"sale-{number}", source_line=number + 1, ts=CHANGE, **sold)
        for number in range(count)
    ]
    hours = [timedelta(hours=number - count // 2) for number in range(count)]
    return [replace(line, ts=CHANGE + hour) for line, hour in zip(lines, hours, strict=True)]


def list_prices(warehouse: Warehouse) -> list[Decimal | None]:
    rows = warehouse.query("select list_price from retail.silver.purchases_silver order by ts")
    return [row[0] for row in rows]


def starts_over(warehouse: Warehouse, worker: Worker, dimensions: Dimensions) -> bool:
    """Whether the dimensions, taken in alone, ask for everything to be derived anew."""
    warehouse.replace_dimensions(dimensions)
    worker.do("run", select=["products_silver", "stores_silver", "customer_identities_silver"])
    return warehouse.query("from retail.raw.transform_restarts") != []


def test_a_price_change_in_the_middle_shows_in_the_sales_on_either_side(
    warehouse: Warehouse, worker: Worker
) -> None:
    dimensions = Dimensions(products=(BEFORE, AFTER))
    warehouse.replace_dimensions(dimensions)
    lines = sales(6)
    warehouse.load(lines[:2], lines[2:])
    worker.do("run")
    assert list_prices(warehouse) == [Decimal("5.00")] * 3 + [Decimal("6.00")] * 3
    assert warehouse.query(
        "select business_date, sold_as_listed, sold_below_list "
        "from retail.gold.product_metrics_gold"
    ) == [(CHANGE.date(), 3, 3)]
    assert warehouse.query(
        "select price, valid_from, valid_to, is_current from retail.silver.products_silver "
        "where product_id = 'P1' order by valid_from"
    ) == [
        (Decimal("5.00"), BEFORE.valid_from, CHANGE, False),
        (Decimal("6.00"), CHANGE, None, True),
    ]


def test_a_revision_that_comes_after_its_sales_is_in_them_nevertheless(
    warehouse: Warehouse, worker: Worker
) -> None:
    warehouse.replace_dimensions(Dimensions(products=(BEFORE,)))
    warehouse.load(sales(6))
    worker.do("run")
    assert list_prices(warehouse) == [Decimal("5.00")] * 6
    warehouse.replace_dimensions(Dimensions(products=(BEFORE, AFTER)))
    worker.do("run", select=["tag:live"])
    assert list_prices(warehouse) == [Decimal("5.00")] * 3 + [Decimal("6.00")] * 3
    assert (warehouse.window(), warehouse.rest_lo()) == ((1, 1), 0)
    worker.do("run")
    assert warehouse.all_tables() == expected_tables(
        [sales(6)], Dimensions(products=(BEFORE, AFTER))
    )


def test_only_a_change_that_touches_a_sale_starts_the_window_over(
    warehouse: Warehouse, worker: Worker
) -> None:
    plain = Dimensions(
        products=(BEFORE, Product("P7", Decimal("1.00"), BEFORE.valid_from)),
        stores={"S1": "America/New_York", "S7": "UTC"},
        identities=(("WEB-1", "C1"), ("WEB-7", "C7")),
    )
    warehouse.replace_dimensions(plain)
    warehouse.load(sales(6))
    worker.do("run")
    to_come = Product("P1", Decimal("9.00"), CHANGE + timedelta(hours=3))
    other = Product("P8", Decimal("9.00"), BEFORE.valid_from)
    harmless = replace(
        plain,
        products=(BEFORE, to_come, other),
        stores={"S1": "America/New_York", "S8": "Asia/Tokyo"},
        identities=((" web-1 ", "c1"), ("WEB-7", "C8"), ("WEB-9", "C9")),
    )
    assert not starts_over(warehouse, worker, harmless)
    at_the_last_sale = replace(to_come, valid_from=CHANGE + timedelta(hours=2))
    touching = [
        replace(harmless, products=(BEFORE, at_the_last_sale, other)),
        replace(harmless, products=(other,)),
        replace(harmless, stores={"S1": "America/Chicago"}),
        replace(harmless, stores={}),
        replace(harmless, identities=(("WEB-1", "C2"),)),
        replace(harmless, identities=()),
    ]
    for dimensions in touching:
        assert starts_over(warehouse, worker, dimensions)
        worker.do("run")
        assert warehouse.rest_lo() == 1
        assert warehouse.all_tables() == expected_tables([sales(6)], dimensions)


def test_two_dimensions_that_change_at_once_are_one_new_start(
    warehouse: Warehouse, worker: Worker
) -> None:
    warehouse.load(sales(6))
    worker.do("run")
    dimensions = Dimensions(
        products=(BEFORE,), stores={"S1": "Asia/Tokyo"}, identities=(("WEB-1", "C1"),)
    )
    warehouse.replace_dimensions(dimensions)
    worker.do("run")
    assert warehouse.all_tables() == expected_tables([sales(6)], dimensions)
    assert (warehouse.window(), warehouse.rest_lo()) == ((1, 1), 1)


def test_business_dates_and_hours_are_those_of_the_stores_clocks(
    warehouse: Warehouse, worker: Worker
) -> None:
    dimensions = Dimensions(stores={"S1": "America/New_York", "S2": "Nowhere/Land"})
    warehouse.replace_dimensions(dimensions)
    # The clocks of New York go forward on this day, at seven in the morning of UTC.
    moments = [datetime(2026, 3, 8, 4, 59), datetime(2026, 3, 8, 6, 59), datetime(2026, 3, 8, 7)]
    lines = [replace(line, ts=ts) for line, ts in zip(sales(3), moments, strict=True)]
    warehouse.load([*lines, replace(lines[2], event_id="none", store_id="S2", source_line=9)])
    worker.do("run")
    assert warehouse.query(
        "select business_date, business_hour, store_id from retail.gold.hourly_sales_gold "
        "order by all"
    ) == [
        (date(2026, 3, 7), 23, "S1"),
        (date(2026, 3, 8), 1, "S1"),
        (date(2026, 3, 8), 3, "S1"),
        (date(2026, 3, 8), 7, "S2"),
    ]


def test_an_alias_of_two_customers_belongs_to_one_and_is_flagged(
    warehouse: Warehouse, worker: Worker
) -> None:
    dimensions = Dimensions(identities=(("web-1", "C2"), ("WEB-1 ", "c1"), ("WEB-2", "C2")))
    warehouse.replace_dimensions(dimensions)
    warehouse.load(sales(2))
    reply = worker.do("build")
    assert warehouse.query(
        "select alias, customer_id, is_conflicting from retail.silver.customer_identities_silver"
        " order by 1"
    ) == [("WEB-1", "C1", True), ("WEB-2", "C2", False)]
    assert warehouse.query("select distinct customer_id from retail.silver.purchases_silver") == [
        ("C1",)
    ]
    warnings = [node["name"] for node in reply["nodes"] if node["status"] == "warn"]
    assert warnings == ["no_alias_names_two_customers"]


def test_a_product_listed_twice_for_one_moment_doubles_no_sale(
    warehouse: Warehouse, worker: Worker
) -> None:
    dimensions = Dimensions(products=(BEFORE, replace(BEFORE, price=Decimal("4.00"))))
    warehouse.replace_dimensions(dimensions)
    warehouse.load(sales(6))
    worker.do("build")
    assert list_prices(warehouse) == [Decimal("4.00")] * 6
    assert warehouse.all_tables() == expected_tables([sales(6)], dimensions)


def test_a_seed_with_a_duplicate_key_stops_a_build_and_leaves_gold(
    warehouse: Warehouse, work: Path, project_copy: Path
) -> None:
    warehouse.load(LOADS[0])
    seed = project_copy.parent / "contract" / "products.csv"
    with Worker(warehouse.path, work, project=project_copy) as worker:
        worker.do("run")
        gold = warehouse.all_tables()
        seed.write_text(seed.read_text() + "P100,Wireless headphones,electronics,1.00,2000-01-01\n")
        warehouse.load(LOADS[1])
        reply = worker.ask("build")
        assert (reply["ok"], reply["code"]) == (False, "node_failed")
        assert "one_price_a_product_and_day" in reply["error"]
        assert warehouse.all_tables() == gold
        # A run goes on, and no sale is doubled.
        worker.do("run")
        [(count,)] = warehouse.query("select count(*) from retail.silver.purchases_silver")
        assert count == len(expected_tables(LOADS[:2])["silver"])


def test_a_category_nobody_knows_is_kept(warehouse: Warehouse, worker: Worker) -> None:
    warehouse.load(sales(2, category=" Submarines "))
    worker.do("run")
    assert warehouse.query("select category, transactions from retail.gold.purchases_gold") == [
        ("submarines", 2)
    ]


def test_a_total_that_is_off_by_a_cent_is_kept_and_flagged(
    warehouse: Warehouse, worker: Worker
) -> None:
    warehouse.load(sales(1, price=0.1, quantity=3, total_amount=0.31))
    worker.do("run")
    assert warehouse.query(
        "select total_difference, total_check from retail.silver.purchases_silver"
    ) == [(Decimal("0.01"), "above")]
    assert warehouse.query("select totals_off from retail.gold.data_quality_gold") == [(1,)]


def test_without_dimension_files_the_seeds_are_the_catalogue(
    warehouse: Warehouse, worker: Worker
) -> None:
    seed = SEED_PRODUCTS[0]
    listed = sales(1, product_id=seed.product_id, store_id="S001", price=float(seed.price or 0))
    unlisted = [replace(line, event_id="x", source_line=2) for line in sales(1)]
    warehouse.load(listed + unlisted)
    worker.do("build")
    assert warehouse.query(
        "select product_id, transactions from retail.gold.product_metrics_gold order by 1"
    ) == [(UNKNOWN, 1), (seed.product_id, 1)]
    assert warehouse.query(
        "select store_id, transactions from retail.gold.store_metrics_gold order by 1"
    ) == [(UNKNOWN, 1), ("S001", 1)]


def test_a_model_that_fails_in_the_middle_of_a_new_start_leaves_gold(
    warehouse: Warehouse, work: Path, project_copy: Path
) -> None:
    dimensions = Dimensions(stores={"S1": "Asia/Tokyo", "S2": "Asia/Tokyo"})
    with Worker(warehouse.path, work, project=project_copy) as worker:
        warehouse.load(LOADS[0])
        worker.do("run")
        before = warehouse.all_tables()
        warehouse.replace_dimensions(dimensions)
        model = project_copy / "models" / "silver" / "purchases_silver.sql"
        good = model.read_text()
        model.write_text(good + "\nlimit 'many'")
        reply = worker.ask("run")
        assert (reply["code"], "purchases_silver" in reply["error"]) == ("node_failed", True)
        assert warehouse.all_tables() == before
        model.write_text(good)
        worker.do("run")
        assert warehouse.all_tables() == expected_tables(LOADS[:1], dimensions)


@pytest.mark.parametrize("select", [(), ("tag:live",)])
def test_an_empty_run_forgets_no_dimension(
    select: Sequence[str], warehouse: Warehouse, worker: Worker, work: Path
) -> None:
    """`--empty` is not in the worker's protocol, so this asks for what it asks dbt."""
    from test_commands import dbt_in

    warehouse.replace_dimensions(Dimensions(products=(BEFORE,)))
    warehouse.load(sales(2))
    worker.do("run")
    selected = " ".join(("--select", *select)) if select else ""
    dbt_in(warehouse, work, f"run --empty {selected}")
    assert warehouse.window() == (1, 1)
    assert warehouse.query(
        "select count(*) from retail.silver.products_silver where product_id = 'P1'"
    ) == [(1,)]
    worker.do("run")
    assert warehouse.all_tables() == expected_tables([sales(2)], Dimensions(products=(BEFORE,)))


# MARK: quarantine


def test_a_redrive_changes_the_quality_of_the_past(warehouse: Warehouse, worker: Worker) -> None:
    warehouse.load(LOADS[0])
    day = date(2026, 3, 1)
    warehouse.replace_quarantine(
        "q/1", [("malformed_json", "raw/a", 1, day), ("invalid_ts", "raw/a", 2, day)]
    )
    worker.do("build")
    query = (
        "select quarantined, quarantined_malformed_json, quarantined_invalid_ts "
        f"from retail.gold.data_quality_gold where arrival_date = '{day}'"
    )
    assert warehouse.query(query) == [(2, 1, 1)]
    # One line is good under the new contract, the other one stays.
    warehouse.replace_quarantine("q/1", [])
    warehouse.replace_quarantine("q/2", [("invalid_ts", "raw/a", 2, day)])
    worker.do("build")
    assert warehouse.query(query) == [(1, 0, 1)]
    warehouse.replace_quarantine("q/2", [])
    worker.do("build")
    assert warehouse.query(query) == []


# MARK: the calendar


def retail_year_start(year: int) -> date:
    """The day after the Saturday nearest to 31 January."""
    january_31 = date(year, 1, 31)
    nearest = min(
        (january_31 + timedelta(days=days) for days in range(-3, 4)),
        key=lambda day: day.weekday() != 5,
    )
    return nearest + timedelta(days=1)


def test_the_retail_calendar_is_that_of_the_nrf(warehouse: Warehouse, worker: Worker) -> None:
    assert [retail_year_start(year) for year in range(2023, 2027)] == [
        *(date(2023, 1, 29), date(2024, 2, 4), date(2025, 2, 2), date(2026, 2, 1))
    ]
    warehouse.load(
        [
            replace(A_LINE, event_id=str(number), source_line=number, ts=ts)
            for number, ts in enumerate((datetime(2005, 2, 1), datetime(2031, 6, 1)), start=1)
        ]
    )
    worker.do("run")
    found = warehouse.query(
        "select date, year, quarter, month, day_of_month, day_of_week, is_weekend, retail_year, "
        "retail_year_starts_on, retail_weeks_in_year, retail_quarter, retail_month, retail_week, "
        "retail_week_of_month from retail.gold.dates_gold order by date"
    )
    expected = []
    months = [(month, week) for month in range(12) for week in range((4, 5, 4)[month % 3])]
    months.append((11, 4))
    for year in range(2005, 2032):
        start, end = retail_year_start(year), retail_year_start(year + 1)
        if year == 2005:
            assert start == date(2005, 1, 30)
        for number in range((end - start).days):
            day = start + timedelta(days=number)
            month, week = months[number // 7]
            expected.append(
                (
                    *(day, day.year, (day.month + 2) // 3, day.month, day.day),
                    *(day.isoweekday() % 7 + 1, day.isoweekday() >= 6, year, start),
                    *(
                        (end - start).days // 7,
                        month // 3 + 1,
                        month + 1,
                        number // 7 + 1,
                        week + 1,
                    ),
                )
            )
    assert found == expected
    assert {row[9] for row in found} == {52, 53}


def test_scores_and_ages_are_as_of_the_data_and_not_of_today(
    warehouse: Warehouse, worker: Worker
) -> None:
    later = replace(A_LINE, ts=A_LINE.ts + timedelta(days=40))
    warehouse.load(
        [
            replace(A_LINE, event_id="a", customer_id="C1", source_line=1),
            replace(later, event_id="b", customer_id="C2", source_line=2),
        ]
    )
    worker.do("run")
    assert A_LINE.ts.replace(tzinfo=UTC) < datetime.now(UTC) - timedelta(days=60)
    assert warehouse.query(
        "select customer_id, recency_days, as_of_date from retail.gold.customers_gold "
        "where is_known order by 1"
    ) == [("C1", 40, date(2026, 4, 17)), ("C2", 0, date(2026, 4, 17))]
