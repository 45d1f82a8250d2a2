"""The worker's protocol, and what it leaves behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest
from purchases import expected_tables, few_loads
from waiting import wait_until
from warehouse import (
    PROJECT,
    ReplyReader,
    Warehouse,
    Worker,
    held,
    is_waiting_for_lock,
    session_members,
    worker_command,
    worker_environment,
)

LOADS = few_loads(seed=8)


def test_a_reply_says_what_became_of_each_node(warehouse: Warehouse, worker: Worker) -> None:
    warehouse.load(LOADS[0])
    reply = worker.do("run")
    assert set(reply) == {"id", "ok", "code", "error", "elapsed_seconds", "nodes"}
    assert (reply["code"], reply["error"]) == (None, None)
    models = {node["name"]: node for node in reply["nodes"] if node["resource_type"] == "model"}
    assert set(models) == {path.stem for path in (PROJECT / "models").rglob("*.sql")}
    silver = models["purchases_silver"]
    assert set(silver) == {"name", "resource_type", "status", "message", "rows", "seconds"}
    assert silver["status"] == "success"
    assert 0 < silver["seconds"] < reply["elapsed_seconds"]


def test_a_build_names_what_was_done_and_nothing_else(warehouse: Warehouse, worker: Worker) -> None:
    warehouse.load(LOADS[0])
    nodes = worker.do("build")["nodes"]
    assert {node["status"] for node in nodes} == {"success", "pass"}
    kinds = {node["resource_type"] for node in nodes}
    assert {"model", "seed", "test"} <= kinds
    assert "unit_test" not in kinds


def test_the_rules_of_the_models_hold_for_literal_rows(
    warehouse: Warehouse, worker: Worker
) -> None:
    warehouse.load(LOADS[0])
    worker.do("build")
    nodes = worker.do("test", select=["test_type:unit"])["nodes"]
    tests = [node for node in nodes if node["resource_type"] == "unit_test"]
    assert tests and {node["status"] for node in tests} == {"pass"}


def test_requests_in_a_row_are_answered_in_order(warehouse: Warehouse, worker: Worker) -> None:
    warehouse.load(LOADS[0])
    sent = [worker.send("run"), worker.send("run", select=["purchases_gold"]), worker.send("seed")]
    assert [worker.receive()["id"] for _ in sent] == sent
    assert warehouse.all_tables() == expected_tables(LOADS[:1])


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        (b"run", "not JSON"),
        (b"[]", "not a JSON object"),
        (b'{"id": 7}', "command is None"),
        (b'{"id": 7, "command": "clean"}', "command is 'clean'"),
        (b'{"id": 7, "command": "run", "selct": []}', "unknown field 'selct'"),
        (b'{"id": 7, "command": "run", "select": "purchases_gold"}', "select is not a list"),
        (b'{"id": 7, "command": "run", "select": ["--vars"]}', "select is not a list"),
        (b'{"id": 7, "command": "run", "full_refresh": 1}', "full_refresh is not true or false"),
        (b'{"id": 7, "command": "run", "target": 1}', "target is not a name"),
        (b'{"id": 7, "command": "run", "timeout_seconds": -1}', "not a positive number"),
        (b'{"id": 7, "command": "run", "timeout_seconds": NaN}', "not a positive number"),
    ],
)
def test_a_bad_request_is_answered_and_harms_nothing(
    line: bytes, complaint: str, worker: Worker
) -> None:
    worker.send_line(line)
    reply = worker.receive()
    assert (reply["ok"], reply["code"]) == (False, "bad_request")
    assert complaint in reply["error"]
    assert reply["id"] == (7 if b'"id"' in line else None)
    worker.do("parse")


def test_a_selection_of_nothing_is_a_failure(warehouse: Warehouse, worker: Worker) -> None:
    reply = worker.ask("run", select=["purchases_goId"])
    assert (reply["code"], reply["error"]) == (
        "nothing_selected",
        "nothing matches purchases_goId",
    )


def test_an_unknown_target_is_dbts_complaint(worker: Worker) -> None:
    reply = worker.ask("run", target="oracle")
    assert reply["code"] == "dbt_failed"
    assert "oracle" in reply["error"]


def test_a_target_whose_adapter_is_not_installed_says_what_to_install(
    warehouse: Warehouse, work: Path, tmp_path: Path, project_copy: Path
) -> None:
    profiles = (PROJECT / "profiles.yml.example").read_text()
    (tmp_path / "profiles.yml").write_text(profiles.replace("type: snowflake", "type: oracle"))
    with Worker(warehouse.path, work, profiles=tmp_path) as worker:
        for command in ("parse", "run"):
            reply = worker.ask(command, target="snowflake")
            assert reply["code"] == "adapter_missing"
            assert reply["error"].startswith("dbt-oracle is not installed")
        worker.do("parse", target="duckdb")


def test_verify_counts_the_layers(warehouse: Warehouse, worker: Worker) -> None:
    reply = worker.ask("verify")
    assert reply["code"] == "dbt_failed"
    assert "Nothing has been transformed" in reply["error"]
    warehouse.load(*LOADS)
    worker.do("run")
    facts = worker.do("verify")["facts"]
    tables = expected_tables(LOADS)
    staged = sum(map(len, LOADS))
    assert facts["staging_rows"] == facts["transformed_rows"] == staged
    assert (facts["lo"], facts["hi"]) == (len(LOADS), len(LOADS))
    assert facts["silver_rows"] == len(tables["silver"])
    assert facts["duplicates"] == len(tables["duplicates"])
    assert facts["conflicts"] == len(tables["conflicts"])
    assert facts["gold_transactions"] == facts["silver_rows"]
    assert facts["gold_revenue"] == facts["silver_revenue"]
    revenue = sum((row[3] for row in tables["gold"]), Decimal())
    assert facts["gold_revenue"] == str(revenue.quantize(Decimal("0.01")))
    # This warehouse has no load history.
    assert facts["files"] is None and "foreign_rows" not in facts


def test_the_warehouse_is_free_when_the_reply_is_there(
    warehouse: Warehouse, worker: Worker
) -> None:
    warehouse.load(LOADS[0])
    open_to_write = [
        *(sys.executable, "-c"),
        "import duckdb, sys; duckdb.connect(sys.argv[1]).execute('create table main.mine (i int)')",
        str(warehouse.path),
    ]
    for request in ({"command": "run"}, {"command": "run", "select": ["nothing"]}):
        worker.ask(**request)
        subprocess.run(open_to_write, check=True)
        warehouse.query("drop table retail.main.mine")
    # A request that fails in the middle leaves no connection either.
    warehouse.query("alter table retail.silver.purchases_silver drop column store_id")
    warehouse.load(LOADS[1])
    assert worker.ask("run")["code"] == "node_failed"
    subprocess.run(open_to_write, check=True)


def test_the_lease_is_waited_for_and_held(warehouse: Warehouse, worker: Worker, work: Path) -> None:
    lease = work / "warehouse.lease"
    with held(lease):
        worker.send("run")
        wait_until(lambda: is_waiting_for_lock(worker.process.pid), "the worker waits")
        # The holder has the warehouse for itself.
        warehouse.load(LOADS[0])
    assert worker.receive()["ok"]
    assert warehouse.all_tables() == expected_tables(LOADS[:1])


def test_what_a_killed_run_has_spilled_is_cleared_away(
    warehouse: Warehouse, worker: Worker
) -> None:
    spill = Path(f"{warehouse.path}.dbt-tmp")
    spill.mkdir(exist_ok=True)
    left = spill / "duckdb_temp_storage_S96K-0.tmp"
    left.write_bytes(b"half a sort")
    worker.do("seed")
    assert not left.exists()


def test_a_lease_that_is_not_free_in_time_is_a_failure_that_can_be_repeated(
    warehouse: Warehouse, worker: Worker, work: Path
) -> None:
    warehouse.load(LOADS[0])
    lease = work / "warehouse.lease"
    with held(lease):
        reply = worker.ask("run", lease_timeout_seconds=0.05)
        assert reply["code"] == "lease_timeout"
        assert str(lease) in reply["error"]
        worker.do("parse")
    worker.do("run", lease_timeout_seconds=60)


def test_a_request_that_takes_too_long_ends_the_worker(
    warehouse: Warehouse, work: Path, tmp_path: Path
) -> None:
    lease = tmp_path / "lease"
    with held(lease), Worker(warehouse.path, work, lease=lease) as worker:
        worker.do("parse")
        reply = worker.ask("run", timeout_seconds=0.05)
        assert (reply["ok"], reply["code"]) == (False, "timeout")
        assert worker.wait() == 3
        worker.replies.wait_for_end()


def test_the_end_of_stdin_ends_the_worker_in_the_middle_of_a_query(
    warehouse: Warehouse, work: Path, tmp_path: Path, project_copy: Path
) -> None:
    reached = tmp_path / "reached"
    (project_copy / "models" / "gold" / "endless.sql").write_text(
        f"""
        {{{{ config(pre_hook="copy (select 1) to '{reached}' (format csv)") }}}}
        select count(*) as n from range(1000000000000)
        """
    )
    with Worker(warehouse.path, work, project=project_copy) as worker:
        worker.send("run", select=["endless"])
        wait_until(reached.exists, "the query runs")
        worker.stdin.close()
        assert worker.wait() == 0
        session = worker.process.pid
        wait_until(lambda: not session_members(session), "no child is left")
    warehouse.load(LOADS[0])


def test_the_end_of_the_parent_ends_the_worker(warehouse: Warehouse, work: Path) -> None:
    """Also when somebody else still holds the other end of its stdin."""
    if sys.platform != "linux":
        pytest.skip("only Linux tells a process of its parent's death")
    start = "import subprocess, sys; subprocess.Popen(sys.argv[1:]).wait()"
    stdin, hold = os.pipe()
    parent = subprocess.Popen(
        [sys.executable, "-c", start, *worker_command(PROJECT, work)],
        stdin=stdin,
        stdout=subprocess.PIPE,
        env=worker_environment(warehouse.path),
        start_new_session=True,
    )
    assert parent.stdout
    replies = ReplyReader(parent.stdout.fileno())
    os.write(hold, json.dumps({"id": 1, "command": "parse"}).encode() + b"\n")
    assert replies.next()["ok"]
    assert len(session_members(parent.pid)) >= 2
    parent.kill()
    parent.wait()
    replies.wait_for_end()
    wait_until(lambda: not session_members(parent.pid), "no child is left")
    for descriptor in (stdin, hold):
        os.close(descriptor)
    parent.stdout.close()


def test_sigint_is_ignored_and_sigterm_ends_the_worker(warehouse: Warehouse, work: Path) -> None:
    with Worker(warehouse.path, work) as worker:
        worker.do("parse")
        worker.process.send_signal(signal.SIGINT)
        worker.do("seed")
        worker.process.send_signal(signal.SIGTERM)
        assert worker.wait() == -signal.SIGTERM


def test_a_changed_model_is_used_at_once(
    warehouse: Warehouse, work: Path, project_copy: Path
) -> None:
    warehouse.load(LOADS[0])
    gold = project_copy / "models" / "gold" / "purchases_gold.sql"
    with Worker(warehouse.path, work, project=project_copy) as worker:
        worker.do("run")
        gold.write_text(
            gold.read_text().replace(
                "count(*) as transactions", "cast(7 as bigint) as transactions"
            )
        )
        worker.do("run", full_refresh=True)
        assert {row[2] for row in warehouse.tables()["gold"]} == {7}
        gold.write_text("select {{ not a template")
        assert worker.ask("run")["code"] == "dbt_failed"
        gold.write_text((PROJECT / "models" / "gold" / "purchases_gold.sql").read_text())
        worker.do("run", full_refresh=True)
    assert warehouse.all_tables() == expected_tables(LOADS[:1])


def test_a_parsed_project_serves_the_workers_of_all_lakes(
    tmp_path: Path, project_copy: Path
) -> None:
    parsed = tmp_path / "parsed"

    def has_parsed(lake: str, **environment: str) -> bool:
        """Whether a lake's worker has dbt read the project."""
        work = tmp_path / lake
        work.mkdir(exist_ok=True)
        log = work / "logs" / "dbt.log"
        log.unlink(missing_ok=True)
        with Worker(
            work / "warehouse.duckdb",
            work,
            project=project_copy,
            parsed=parsed,
            environment=environment,
        ) as worker:
            worker.do("seed")
        return "Performance info" in log.read_text()

    assert has_parsed("first")
    # The text decides, whatever the times say.
    model = project_copy / "models" / "gold" / "purchases_gold.sql"
    model.touch()
    assert not has_parsed("second")
    # A profile may name its schemas by what it finds there.
    assert has_parsed("first", SNOWFLAKE_ROLE="other")
    model.write_text(model.read_text() + "-- changed\n")
    assert has_parsed("first", SNOWFLAKE_ROLE="other")
    # What was cut short is as good as none.
    [kept] = parsed.iterdir()
    kept.write_bytes(kept.read_bytes()[:100_000])
    assert has_parsed("first", SNOWFLAKE_ROLE="other")


def test_a_run_writes_nothing_into_the_project(
    warehouse: Warehouse, work: Path, project_copy: Path
) -> None:
    warehouse.load(LOADS[0])
    before = sorted(project_copy.rglob("*"))
    with Worker(warehouse.path, work, project=project_copy) as worker:
        worker.do("run")
    assert sorted(project_copy.rglob("*")) == before
    assert (work / "logs" / "dbt.log").exists()


def test_without_a_profile_the_worker_uses_the_example(
    warehouse: Warehouse, tmp_path: Path, project_copy: Path
) -> None:
    command = [sys.executable, str(PROJECT / "worker.py"), "--project-dir", str(project_copy)]
    with subprocess.Popen(
        [*command, "--target-path", "target", "--log-path", "logs"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=worker_environment(Path("made.duckdb")),
        cwd=tmp_path,
    ) as process:
        assert process.stdin and process.stdout
        process.stdin.write(b'{"id": 1, "command": "seed"}\n')
        process.stdin.flush()
        assert ReplyReader(process.stdout.fileno()).next()["ok"]
    assert (tmp_path / "target" / "profiles" / "profiles.yml").exists()
    # Relative paths are those of the directory the worker was started in.
    assert (tmp_path / "made.duckdb").exists()


def test_a_run_loads_the_seeds_where_they_are_not_there(
    warehouse: Warehouse, worker: Worker
) -> None:
    """Also where the worker has loaded them once, into a warehouse that is gone."""
    warehouse.load(LOADS[0])
    worker.do("run", select=["tag:live"])
    warehouse.query("drop table retail.bronze.products")
    worker.do("run", select=["tag:live"])
    assert warehouse.query("select count(*) from retail.bronze.products") == [(4,)]


def test_a_seed_that_cannot_be_loaded_is_named(
    warehouse: Warehouse, work: Path, project_copy: Path
) -> None:
    warehouse.load(LOADS[0])
    seed = project_copy.parent / "contract" / "products.csv"
    with Worker(warehouse.path, work, project=project_copy) as worker:
        worker.do("run")
        before = warehouse.all_tables()
        seed.write_text(seed.read_text() + "P104,Tea,grocery,cheap,2000-01-01\n")
        warehouse.load(LOADS[1])
        reply = worker.ask("run")
        assert (reply["ok"], reply["code"]) == (False, "node_failed")
        assert reply["error"].startswith("products:")
        assert warehouse.all_tables() == before
