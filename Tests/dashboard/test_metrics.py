"""/metrics is Prometheus's format, tells what status tells, and goes on over restarts."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from command import REPOSITORY, Medallion
from promtool import Metrics, Promtool
from serving import FAULTS, NewLake, Server, serving

#: Members of `status --json` by metric; those of its maps and of time are looked at apart.
TOLD_BY_STATUS = {
    "raw_objects_total": "raw.objects",
    "raw_lines_total": "raw.lines",
    "raw_bytes_total": "raw.bytes",
    "raw_waiting_objects": "raw.waiting",
    "raw_changed_objects": "raw.changed",
    "commits_total": "commits",
    "bronze_files_total": "bronze.files",
    "bronze_rows_total": "bronze.rows",
    "blank_lines_total": "blank.lines",
    "parked": "parked",
    "pipe_pending_files": "pipe.pending",
    "staging_rows": "staging.rows",
    "staging_waiting_rows": "staging.waiting",
    "silver_rows": "silver.rows",
    "silver_duplicates": "silver.duplicates",
    "silver_conflicts": "silver.conflicts",
    "gold_transactions": "gold.transactions",
    "gold_revenue": "gold.revenue",
    "dbt_ok": "dbt.ok",
    "balanced": "balance.balanced",
}


def member(value: Any, path: str) -> float:
    for name in path.split("."):
        value = value[name]
    return float(value)


def assert_tells(metrics: Metrics, status: Any) -> None:
    assert {name: metrics[name] for name in TOLD_BY_STATUS} == {
        name: member(status, path) for name, path in TOLD_BY_STATUS.items()
    }
    reasons = {
        series.split('"')[1]: value
        for series, value in metrics.values.items()
        if series.startswith("medallion_quarantine_lines{") and value
    }
    assert reasons == status["quarantine"]["reasons"]
    rescued = {
        series.split('"')[1]: value
        for series, value in metrics.values.items()
        if series.startswith("medallion_rescued_members_total{") and value
    }
    fields = contract_fields()
    told = status["bronze"]["rescued"]
    expected = {name: count for name, count in told.items() if name in fields}
    others = sum(count for name, count in told.items() if name not in fields)
    assert rescued == expected | ({"(other)": others} if others else {})


def contract_fields() -> set[str]:
    schema = json.loads((REPOSITORY / "contract" / "purchase_event.schema.json").read_text())
    return set(schema["properties"])


@pytest.fixture(scope="module")
def server(new_lake: NewLake) -> Iterator[Server]:
    """On a lake that went all the way to gold, and is not touched."""
    with serving(new_lake()) as server:
        yield server


def test_promtool_finds_no_fault_with_the_metrics(server: Server, promtool: Promtool) -> None:
    metrics = server.metrics()
    assert promtool.run("check", "metrics", text=metrics.text) == ""
    assert len(metrics.types) > 35


def test_what_is_no_metrics_is_found(promtool: Promtool) -> None:
    with pytest.raises(AssertionError):
        promtool.run("check", "metrics", text='medallion_x{field="a"b"} 1\n')


def test_metrics_are_what_status_tells(server: Server, template: Medallion) -> None:
    status = template.status()
    assert_tells(server.metrics(), status)
    assert (
        status["quarantine"]["lines"] and status["bronze"]["rescued"] and status["silver"]["rows"]
    )
    assert status["blank"]["lines"] and status["silver"]["duplicates"]
    metrics = server.metrics()
    # One batch, one file or more loaded, one refresh.
    assert metrics["bronze_batch_seconds_count"] == metrics["bronze_lag_seconds_count"] == 1
    assert metrics["pipe_lag_seconds_count"] == status["bronze"]["files"]
    assert metrics["refresh_seconds_count"] == metrics["gold_freshness_seconds_count"] == 1
    assert metrics["refresh_seconds_sum"] == pytest.approx(
        status["dbt"]["elapsed_seconds"], abs=0.01
    )
    assert abs(metrics["gold_age_seconds"] - status["freshness_seconds"]) < 60


def test_the_status_that_is_served_is_that_of_the_command(
    server: Server, template: Medallion
) -> None:
    served, printed = server.status(), template.status()
    for status in (served, printed):
        # The one is a copy, and time goes by.
        del status["lake"], status["freshness_seconds"]
    assert served == printed


def test_histograms_add_up(server: Server) -> None:
    metrics = server.metrics()
    names = [name for name, type_ in metrics.types.items() if type_ == "histogram"]
    assert len(names) == 5
    for name in names:
        buckets = [
            value for series, value in metrics.values.items() if series.startswith(f"{name}_bucket")
        ]
        assert buckets == sorted(buckets)
        assert metrics.values[f'{name}_bucket{{le="+Inf"}}'] == buckets[-1]
        assert metrics.values[f"{name}_count"] == buckets[-1] > 0


def test_counters_go_on_over_a_restart_and_what_others_do(new_lake: NewLake) -> None:
    medallion = new_lake()
    with serving(medallion) as server:
        before = server.metrics()
    with serving(medallion) as server:
        restarted = server.metrics()
        assert restarted.counters == before.counters
        # Other processes work on the lake.
        medallion.run("simulate", "--events", 200, "--seed", 12, "--faults", FAULTS)
        medallion.run("bronze", "--once")
        medallion.run("ingest", "--once")
        status = medallion.status()
        server.running.wait_for(
            lambda: server.metrics()["staging_rows"] == status["staging"]["rows"], "it is seen"
        )
        after = server.metrics()
        assert_tells(after, status)
    assert after["bronze_batch_seconds_count"] == 2
    assert after["raw_lines_total"] > before["raw_lines_total"]
    # One refresh is due.
    assert after["staging_waiting_rows"] > 0
    assert {s for s, value in before.counters.items() if after.values[s] < value} == set()


def test_names_and_values_of_the_data_are_no_labels(new_lake: NewLake, promtool: Promtool) -> None:
    medallion = new_lake(settled=False)
    hour = medallion.raw / "yyyy=2026" / "mm=11" / "dd=23" / "HH=22"
    hour.mkdir(parents=True)
    hostile = [
        'x"\n{}',
        "a} 1\nmedallion_parked 99\n#",
        "price\\",
        *(f"name{i}" for i in range(300)),
    ]
    event = {"event_id": "00000000-0000-4000-8000-000000000001", "ts": "2026-11-23T22:00:00Z"}
    lines = [json.dumps(event | {name: 1 for name in hostile})]
    # Quarantined lines that would like to be a reason.
    lines += ['{"x\\"} 1\\nmedallion_parked 99": 1}', 'reason="x"\x00{}']
    (hour / "hostile.json").write_text("\n".join(lines) + "\n")
    with serving(medallion) as server:
        clean = server.metrics()
        medallion.run("bronze", "--once")
        server.running.wait_for(
            lambda: server.metrics()["raw_lines_total"] == len(lines), "the lines are seen"
        )
        metrics = server.metrics()
    assert promtool.run("check", "metrics", text=metrics.text) == ""
    assert metrics["parked"] == 0
    assert 'x"\n{}' in medallion.status()["bronze"]["rescued"]
    assert metrics['rescued_members_total{field="(other)"}'] == len(hostile)
    assert sum(v for s, v in metrics.values.items() if "quarantine_lines" in s) == 2
    # The same series as before there was any data, but for what is not known before that.
    assert metrics.labels() == clean.labels()
    assert metrics.values.keys() - clean.values.keys() == set()
    contract = (REPOSITORY / "contract" / "README.md").read_text()
    for reason in metrics.labels()["reason"]:
        assert f"`{reason}`" in contract
    assert metrics.labels()["field"] == contract_fields() | {"(other)"}


def test_the_document_describes_each_metric(server: Server) -> None:
    text = (REPOSITORY / "docs" / "dashboard.md").read_text()
    rows = re.findall(r"^\| `(medallion_\w+)(?:\{(\w+)\})?` \| (\w+) \|", text, re.MULTILINE)
    metrics = server.metrics()
    assert {name: type_ for name, _, type_ in rows} == metrics.types
    labelled = {
        series.split("{")[0]: series.split("{")[1].split("=")[0]
        for series in metrics.values
        if "{" in series and "le=" not in series
    }
    assert {name: label for name, label, _ in rows if label} == labelled
