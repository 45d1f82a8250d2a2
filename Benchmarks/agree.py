"""Whether everybody made the same rows, as DuckDB reads them, and those that were generated.

A program of its own, since the harness must stay small while it measures:
`python -m Benchmarks.agree DATASET name=DIRECTORY …` prints a verdict a name, as JSON.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

#: Sums of doubles depend on their order.
RELATIVE_TOLERANCE = 1e-9
AGREE = "agree"

_DAYS = """
    SELECT
        dt::VARCHAR, count(*), sum(quantity), sum(price), sum(total_amount),
        epoch_us(min(ts)), epoch_us(max(ts)), count(*) FILTER (ts::DATE <> dt),
        bit_xor(hash(
            event_id, epoch_us(ts), store_id, customer_id, product_id, category,
            price::DOUBLE, quantity::INTEGER, total_amount::DOUBLE
        ))::VARCHAR
    FROM read_parquet(?, hive_partitioning = true, hive_types = {'dt': DATE})
    GROUP BY dt
"""


@dataclass(frozen=True)
class Day:
    """One UTC day: money in the contract's unit, times in µs since 1970."""

    rows: int
    quantity: int
    price: float
    total_amount: float
    first_micros: int
    last_micros: int
    #: Rows that lie in another day's folder than their time says.
    misplaced: int = 0
    #: Over all values of all rows in any order; empty where nobody computed it.
    digest: str = ""

    def differences(self, other: Day) -> list[str]:
        """What differs from a reference, in words."""
        found = [
            f"{name} {getattr(self, name)} instead of {getattr(other, name)}"
            for name in ("rows", "quantity", "first_micros", "last_micros", "misplaced")
            if getattr(self, name) != getattr(other, name)
        ]
        for name in ("price", "total_amount"):
            mine, theirs = getattr(self, name), getattr(other, name)
            if abs(mine - theirs) > RELATIVE_TOLERANCE * abs(theirs):
                found.append(f"sum of {name} {mine:.2f} instead of {theirs:.2f}")
        if not found and self.digest and other.digest and self.digest != other.digest:
            found.append("some value differs")
        return found


def expected_days(dataset: Path) -> dict[str, Day]:
    """What the generator counted."""
    days: dict[str, dict[str, int]] = json.loads((dataset / "expected.json").read_text())["days"]
    return {
        date: Day(
            rows=tally["rows"],
            quantity=tally["quantity"],
            price=tally["price_cents"] / 100,
            total_amount=tally["total_cents"] / 100,
            first_micros=tally["first_micros"],
            last_micros=tally["last_micros"],
        )
        for date, tally in days.items()
    }


def days_of(output: Path) -> dict[str, Day]:
    """What a contender's files hold."""
    database = duckdb.connect()
    database.execute("SET threads = 2; SET TimeZone = 'UTC'")
    rows = database.execute(_DAYS, [f"{output}/*/*.parquet"]).fetchall()
    return {row[0]: Day(*row[1:]) for row in rows}


def compare(made: dict[str, Day], expected: dict[str, Day]) -> str:
    """`agree`, or what differs."""
    missing, surplus = expected.keys() - made.keys(), made.keys() - expected.keys()
    if missing or surplus:
        return f"days missing: {sorted(missing)}, too many: {sorted(surplus)}"
    lost = sum(day.rows for day in expected.values()) - sum(day.rows for day in made.values())
    if lost:
        return f"{abs(lost)} good rows {'lost' if lost > 0 else 'too many'}"
    for date in sorted(expected):
        if found := made[date].differences(expected[date]):
            return f"{date}: {', '.join(found)}"
    return AGREE


def main(arguments: list[str]) -> None:
    expected = expected_days(Path(arguments[0]))
    verdicts: dict[str, str] = {}
    digests: dict[str, str] = {}
    for argument in arguments[1:]:
        name, _, directory = argument.partition("=")
        try:
            made: dict[str, Any] = days_of(Path(directory))
        except duckdb.Error as error:
            verdicts[name] = f"unreadable: {str(error).splitlines()[0]}"
            continue
        verdicts[name] = compare(made, expected)
        if verdicts[name] != AGREE:
            continue
        # The generator knows no digest; the first that agrees with it sets the one for the rest.
        digests = digests or {date: day.digest for date, day in made.items()}
        differing = sorted(date for date, day in made.items() if day.digest != digests[date])
        if differing:
            verdicts[name] = f"values differ on {', '.join(differing)}"
    print(json.dumps(verdicts))


if __name__ == "__main__":
    main(sys.argv[1:])
