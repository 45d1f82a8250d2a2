from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from warehouse import PROJECT, REPOSITORY, Warehouse, Worker


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Prints what tests have recorded for the reader, also of those that passed."""
    for report in terminalreporter.getreports("passed") + terminalreporter.getreports("failed"):
        for name, lines in report.user_properties:
            terminalreporter.section(name)
            for line in lines:
                terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where dbt keeps its parsed project. Shared: parsing it anew costs seconds."""
    return tmp_path_factory.mktemp("work")


@pytest.fixture(scope="session")
def warehouse_path(work: Path) -> Path:
    """One path for all, since it is part of what dbt's parsed project depends on."""
    return work / "warehouse.duckdb"


@pytest.fixture
def empty_warehouse(warehouse_path: Path) -> Warehouse:
    for path in (warehouse_path, warehouse_path.with_name("warehouse.duckdb.wal")):
        path.unlink(missing_ok=True)
    return Warehouse(warehouse_path)


@pytest.fixture
def warehouse(empty_warehouse: Warehouse) -> Warehouse:
    """A warehouse into which nothing has been loaded yet."""
    empty_warehouse.create_staging()
    return empty_warehouse


@pytest.fixture(scope="session")
def shared_worker(work: Path, warehouse_path: Path) -> Iterator[Worker]:
    with Worker(warehouse_path, work, lease=work / "warehouse.lease") as worker:
        yield worker


@pytest.fixture
def worker(shared_worker: Worker) -> Worker:
    """A worker that tests share; what it must not survive belongs to a worker of its own."""
    assert shared_worker.process.poll() is None
    return shared_worker


@pytest.fixture
def project_copy(tmp_path: Path) -> Path:
    """The dbt project, to be changed."""
    return copy_project(tmp_path)


def copy_project(directory: Path) -> Path:
    """A directory laid out like the repository, with the project and its seeds; returns `dbt/`."""
    shutil.copytree(REPOSITORY / "contract", directory / "contract")
    return Path(
        shutil.copytree(
            PROJECT,
            directory / "dbt",
            symlinks=True,
            ignore=shutil.ignore_patterns("target", "logs", "dbt_packages", "profiles.yml"),
        )
    )
