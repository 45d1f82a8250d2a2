"""Any order of arrival, any split into runs, any failure: the same tables, row for row."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from purchases import (
    Dimensions,
    Line,
    expected_tables,
    random_dimensions,
    random_lines,
    random_loads,
)
from waiting import wait_until
from warehouse import PROJECT, Warehouse, Worker

MODELS = sorted(path.stem for path in (PROJECT / "models").rglob("*.sql"))
LIVE = ["tag:live"]


def assert_converged(
    warehouse: Warehouse, loads: list[list[Line]], dimensions: Dimensions | None = None
) -> None:
    assert_live_converged(warehouse, loads, dimensions)
    tables, expected = warehouse.all_tables(), expected_tables(loads, dimensions)
    for name, rows in expected.items():
        assert tables[name] == rows, name
    assert warehouse.rest_lo() == len(loads)
    assert warehouse.query("from retail.raw.transform_displaced") == []


def assert_live_converged(
    warehouse: Warehouse, loads: list[list[Line]], dimensions: Dimensions | None = None
) -> None:
    tables, expected = warehouse.tables(), expected_tables(loads, dimensions)
    for name, rows in tables.items():
        assert rows == expected[name], name
    assert warehouse.window() == (len(loads), len(loads))
    assert warehouse.query("from retail.raw.transform_prior_winners") == []


@pytest.mark.parametrize("seed", range(4))
def test_any_loads_and_any_runs_give_what_python_gives(
    seed: int, warehouse: Warehouse, worker: Worker
) -> None:
    source = random.Random(seed)
    loads = random_loads(source, random_lines(source, 300), count=14)
    dimensions = Dimensions()
    loaded = 0
    while loaded < len(loads):
        count = source.randint(0, min(3, len(loads) - loaded))
        warehouse.load(*loads[loaded : loaded + count])
        loaded += count
        if source.random() < 0.3:
            dimensions = random_dimensions(source)
            warehouse.replace_dimensions(dimensions)
        action = source.choice(
            ["all", "live", "live", "live", "one model", "one and what follows", "refresh"]
        )
        if action == "all":
            worker.do("run")
            assert_converged(warehouse, loads[:loaded], dimensions)
        elif action == "live":
            worker.do("run", select=LIVE)
            assert_live_converged(warehouse, loads[:loaded], dimensions)
        else:
            model = source.choice(MODELS)
            suffix = "+" if action == "one and what follows" else ""
            reply = worker.ask("run", select=[model + suffix], full_refresh=action == "refresh")
            # A model alone needs those before it to exist, as everywhere in dbt.
            assert reply["ok"] or "does not exist" in reply["error"], reply["error"]
    worker.do("run")
    assert_converged(warehouse, loads, dimensions)
    converged = warehouse.everything()
    worker.do("run")
    assert warehouse.everything() == converged
    worker.do("run", full_refresh=True)
    assert_converged(warehouse, loads, dimensions)
    assert warehouse.everything() == converged
    if seed == 0:
        # dbt's own tests have no complaint either.
        worker.do("build")
        assert warehouse.everything() == converged


def test_losers_that_run_without_silver_drop_no_line(warehouse: Warehouse, worker: Worker) -> None:
    """Line 1 is the purchase and line 2 its loser. 3 and 4 come, and the losers alone look at them:
    they do not know of line 1, and must not take 2 for the winner."""
    line = replace(random_lines(random.Random(0), 1)[0], source_object="raw/a.json")
    loads = [
        [replace(line, source_line=number) for number in numbers] for numbers in ((1, 2), (4, 3))
    ]
    warehouse.load(loads[0])
    worker.do("run")
    warehouse.load(loads[1])
    worker.do("run", select=["purchase_losers_silver"])
    assert warehouse.all_tables() == expected_tables(loads[:1])
    worker.do("run")
    assert_converged(warehouse, loads)


def test_a_worker_killed_at_a_random_moment_loses_and_doubles_nothing(
    warehouse: Warehouse, worker: Worker, work: Path
) -> None:
    source = random.Random(100)
    loads = random_loads(source, random_lines(source, 300), count=8)
    for number in range(0, len(loads), 2):
        warehouse.load(*loads[number : number + 2])
        with Worker(warehouse.path, work) as victim:
            victim.do("parse")
            victim.send("run")
            victim.replies.arrives_within(source.uniform(0.05, 0.5))
            victim.process.kill()
    worker.do("run")
    assert_converged(warehouse, loads)


# Before a model is after those it depends on; inside is after its statements and before its commit.
CRASH_POINTS = [
    "after-the-window-opened",
    *("before-purchases_silver", "inside-purchases_silver"),
    *("before-purchase_losers_silver", "inside-purchase_losers_silver"),
    *("before-purchases_gold", "inside-purchases_gold"),
    *("inside-products_silver", "inside-customer_months_silver", "before-customer_totals_silver"),
    *("inside-hourly_sales_gold", "before-data_quality_gold"),
    "before-the-window-closes",
]


def test_a_worker_killed_at_each_boundary_loses_and_doubles_nothing(
    warehouse: Warehouse, worker: Worker, work: Path, tmp_path: Path, project_copy: Path
) -> None:
    source = random.Random(200)
    add_crash_points(project_copy, tmp_path)
    lines = random_lines(source, 500)
    loads = random_loads(source, lines, count=len(CRASH_POINTS) + 1)
    warehouse.load(loads[0])
    worker.do("run")
    for loaded, point in enumerate(CRASH_POINTS, start=1):
        warehouse.load(loads[loaded])
        (tmp_path / point).touch()
        with Worker(warehouse.path, work, project=project_copy) as victim:
            victim.send("run")
            wait_until((tmp_path / f"{point}.reached").exists, f"dbt reached {point}")
        (tmp_path / point).unlink()
        # Sometimes the next run grows the window that was left open, sometimes it closes it.
        if source.random() < 0.4:
            worker.do("run")
            assert_converged(warehouse, loads[: loaded + 1])
        elif source.random() < 0.4:
            worker.do("run", select=[source.choice(MODELS)])
    worker.do("run")
    assert_converged(warehouse, loads)


def add_crash_points(project: Path, directory: Path) -> None:
    """Makes a project in which every model stands still where a file in `directory` says so."""
    (project / "macros" / "crash_point.sql").write_text(
        f"""
        {{% macro crash_point(name) %}}
            {{%- if execute -%}}
                {{%- set stop = "{directory}/" ~ name -%}}
                {{%- if run_query("select * from glob('" ~ stop ~ "')").rows | length > 0 -%}}
                    {{%- do run_query("copy (select 1) to '" ~ stop ~ ".reached' (format csv)") -%}}
                    select count(*) from range(1000000000000)
                {{%- endif -%}}
            {{%- endif -%}}
        {{% endmacro %}}
        """
    )
    configuration = yaml.safe_load((project / "dbt_project.yml").read_text())
    configuration["on-run-start"].append("{{ crash_point('after-the-window-opened') }}")
    configuration["on-run-end"].insert(0, "{{ crash_point('before-the-window-closes') }}")
    configuration["models"]["retail_streaming"] |= {
        "+pre-hook": "{{ crash_point('before-' ~ this.name) }}",
        "+post-hook": "{{ crash_point('inside-' ~ this.name) }}",
    }
    (project / "dbt_project.yml").write_text(yaml.safe_dump(configuration))


def test_a_model_that_fails_leaves_its_table_and_the_window(
    warehouse: Warehouse, work: Path, project_copy: Path
) -> None:
    source = random.Random(300)
    loads = random_loads(source, random_lines(source, 200), count=4)
    with Worker(warehouse.path, work, project=project_copy) as worker:
        warehouse.load(loads[0])
        worker.do("run")
        for number, path in enumerate(
            ["silver/purchases_silver", "silver/purchase_losers_silver", "gold/purchases_gold"],
            start=1,
        ):
            warehouse.load(loads[number])
            before = warehouse.tables()
            model = project_copy / "models" / f"{path}.sql"
            good = model.read_text()
            model.write_text(good + "\n-- broken\nlimit 'many'")
            reply = worker.ask("run")
            assert (reply["ok"], reply["code"]) == (False, "node_failed")
            assert model.stem in reply["error"]
            after = warehouse.tables()
            if model.stem == "purchases_gold":
                assert after["gold"] == before["gold"]
            elif model.stem == "purchases_silver":
                assert after == before
            else:
                assert (after["duplicates"], after["conflicts"]) == (
                    before["duplicates"],
                    before["conflicts"],
                )
            assert warehouse.window()[0] == 1
            model.write_text(good)
        worker.do("run")
        assert_converged(warehouse, loads)


def test_equal_keys_of_different_ids_change_nothing(
    warehouse: Warehouse, work: Path, project_copy: Path
) -> None:
    macro = project_copy / "macros" / "engine" / "event_key.sql"
    macro.write_text(
        macro.read_text().replace(
            "md5_number_lower({{ event_id }})", "length({{ event_id }})::ubigint"
        )
    )
    assert "length" in macro.read_text()
    source = random.Random(400)
    loads = random_loads(source, random_lines(source, 200), count=4)
    with Worker(warehouse.path, work, project=project_copy) as worker:
        for load in loads:
            warehouse.load(load)
            worker.do("run", select=[source.choice(["purchases_silver+", "+purchases_silver"])])
            worker.do("run")
        assert_converged(warehouse, loads)
