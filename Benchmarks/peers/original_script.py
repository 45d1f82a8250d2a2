"""The original simulator's work, with a directory for its bucket: events by `random` and `json`."""

from __future__ import annotations

import argparse
import json
import random
import uuid
from datetime import UTC, datetime
from pathlib import Path

PRODUCTS = (
    ("P100", "electronics", 199.99),
    ("P101", "clothing", 29.99),
    ("P102", "home", 49.99),
    ("P103", "grocery", 3.49),
)


def event() -> dict[str, object]:
    product, category, price = random.choice(PRODUCTS)
    quantity = random.randint(1, 5)
    return {
        "event_id": str(uuid.uuid4()),
        "ts": datetime.now(UTC).isoformat(),
        "store_id": f"S{random.randint(1, 10):03}",
        "customer_id": f"C{random.randint(1, 5000):06}",
        "product_id": product,
        "category": category,
        "price": price,
        "quantity": quantity,
        "total_amount": round(price * quantity, 2),
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--events", type=int, required=True)
    parser.add_argument("--batch-size", type=int, default=10_000)
    options = parser.parse_args()
    directory: Path = options.output
    directory.mkdir(parents=True)
    for number in range(0, options.events, options.batch_size):
        count = min(options.batch_size, options.events - number)
        text = "\n".join(json.dumps(event()) for _ in range(count))
        (directory / f"{number}.json").write_bytes(text.encode())


if __name__ == "__main__":
    main()
