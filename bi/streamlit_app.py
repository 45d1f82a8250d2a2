"""Gold in a browser:  .venv/bin/streamlit run bi/streamlit_app.py

`MEDALLION_LAKE` names the lake, a directory or s3://bucket/prefix; without it ./lake.
"""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path
from typing import Any

import altair as alt
import duckdb
import streamlit as st

LAKE = os.environ.get("MEDALLION_LAKE", "lake")
VIEWS = Path(__file__).with_name("gold.sql").read_text()
#: How often the page looks for a newer refresh.
EVERY_SECONDS = 5

DAILY = """
    SELECT CAST(day AS VARCHAR) AS utc_day, coalesce(category, '(none)') AS category, revenue,
      transactions, units_sold
    FROM gold.purchases_gold
    WHERE day BETWEEN coalesce($first, day) AND coalesce($last, day)
    ORDER BY utc_day, category
"""
TOTALS = f"""
    SELECT coalesce(sum(revenue), 0), coalesce(sum(transactions), 0), coalesce(sum(units_sold), 0)
    FROM ({DAILY})
"""
#: The ten that sold most, of the stores or the products; what has no name goes by its id.
BEST = """
    SELECT coalesce(name, {0}_id) AS {0}, coalesce(sum(revenue), 0) AS revenue,
      sum(transactions) AS purchases, {1}
    FROM gold.{0}_metrics_gold JOIN gold.{0}s_gold USING ({0}_id)
    WHERE business_date BETWEEN coalesce($first, business_date) AND coalesce($last, business_date)
    GROUP BY {0}_id, {0}, {1}
    ORDER BY revenue DESC, {0}_id
    LIMIT 10
"""


def read_gold(first: date | None, last: date | None) -> dict[str, Any]:
    """What the page shows of some days, all of it of the refresh that the pointer names now."""
    days = {"first": first, "last": last}
    # An extension is there if the reader installed it; the page fetches none.
    with duckdb.connect(config={"autoinstall_known_extensions": False}) as connection:
        connection.execute("SET VARIABLE lake = $lake", {"lake": LAKE})
        connection.execute(VIEWS)
        return {
            "pointer": connection.sql("SELECT getvariable('pointer')").fetchall()[0][0],
            "totals": connection.execute(TOTALS, days).fetchall()[0],
            "daily": connection.execute(DAILY, days).df(),
            "stores": connection.execute(BEST.format("store", "region"), days).df(),
            "products": connection.execute(BEST.format("product", "category"), days).df(),
        }


def show_best(kind: str, rows: Any) -> None:
    st.header(f"Top {kind}")
    columns = {
        "revenue": st.column_config.ProgressColumn(
            format="%.2f", min_value=0, max_value=max([*rows["revenue"], 1])
        )
    }
    # A table that shows a name as it is written, whatever it holds.
    st.dataframe(rows, hide_index=True, column_config=columns)


@st.fragment(run_every=EVERY_SECONDS)
def show_gold() -> None:
    title, days = st.columns([3, 1], vertical_alignment="bottom")
    title.title("Retail gold")
    chosen = days.date_input("Days, all unless chosen", value=[], key="days")
    first, last = (*chosen, None, None)[:2] if isinstance(chosen, tuple) else (chosen, chosen)
    try:
        gold = read_gold(first, last)
    except duckdb.Error as error:
        st.warning(
            "There is no gold to read yet: `medallion run` or `medallion transform` publishes it. "
            f"This page looks again every {EVERY_SECONDS} seconds. What DuckDB says:"
        )
        st.code(str(error), language=None, wrap_lines=True)
        return

    revenue, purchases, units = gold["totals"]
    for column, label, value in zip(
        st.columns(3),
        ("Revenue", "Purchases", "Units"),
        (f"{revenue:,.2f}", f"{purchases:,}", f"{units:,}"),
        strict=True,
    ):
        column.metric(label, value, border=True)

    st.header("Revenue by day and category")
    bars = alt.Chart(gold["daily"]).mark_bar()
    # Days as text: a browser's time zone cannot move them.
    st.altair_chart(
        bars.encode(
            x=alt.X("utc_day:O", title="UTC day"),
            y=alt.Y("sum(revenue):Q", title=None),
            color=alt.Color("category:N", legend=alt.Legend(title=None, orient="top", columns=4)),
            tooltip=["utc_day", "category", alt.Tooltip("sum(revenue):Q", format=",.2f")],
        )
    )
    stores, products = st.columns(2)
    with stores:
        show_best("stores", gold["stores"])
    with products:
        show_best("products", gold["products"])
    pointer = gold["pointer"]
    st.text(
        f"Refresh {pointer['refresh']}, published {pointer['published_at']:%Y-%m-%d %H:%M:%S} UTC. "
        "Stores and products go by the dates of the stores' own clocks."
    )


st.set_page_config(page_title="Gold", layout="wide")
show_gold()
