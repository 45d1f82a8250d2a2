"""Gold as its readers see it: what docs/bi.md says, with the tools that it names."""

from __future__ import annotations

import csv
import os
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import chromium
import duckdb
import pytest
import servers
from command import Medallion
from documents import REPOSITORY, Command, Walk, commands, new_clone, run
from playwright.sync_api import ViewportSize
from waiting import wait_until

DOCUMENT = "docs/bi.md"
COMMANDS = commands(DOCUMENT)
VIEWS = (REPOSITORY / "bi" / "gold.sql").read_text()
PAGE = "run bi/streamlit_app.py"
#: A product's name that would do harm as HTML, as Markdown and as a formula.
HOSTILE = "=1<img src=https://example.com/x onerror=alert(1)>![x](https://example.com/y)"

pytestmark = pytest.mark.skipif(
    servers.program("duckdb") is None or servers.program("streamlit") is None,
    reason="no DuckDB command line or no Streamlit: scripts/test installs both",
)


# MARK: a lake


@dataclass(frozen=True)
class Clone:
    """A directory as the document's reader has it, with a lake that went to gold."""

    directory: Path
    medallion: Medallion

    def add_day(self, day: int, *transform: str) -> None:
        """Another day of purchases, on to gold; the product that sells most has a hostile name."""
        self.medallion.run(
            *("simulate", "--world", "retail", "--seed", 7, "--rate", 0.01),
            *("--from", f"2026-11-{day:02}", "--until", f"2026-11-{day + 1:02}"),
        )
        products = self.medallion.lake / "dimensions" / "products.csv"
        products.write_text(products.read_text().replace("Bluetooth speaker", HOSTILE))
        self.medallion.run("bronze", "--once")
        self.medallion.run("ingest", "--once")
        self.medallion.run("transform", *transform)

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        """What the warehouse itself answers."""
        with duckdb.connect() as connection:
            connection.execute(f"ATTACH '{self.medallion.warehouse}' AS retail (READ_ONLY)")
            connection.execute("USE retail")
            return connection.execute(query).fetchall()


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clone]:
    # What looks like a partition in the path is none.
    directory = new_clone(tmp_path_factory.mktemp("clone=1"))
    medallion = Medallion(directory / "lake", scratch=directory / "commands")
    clone = Clone(directory, medallion)
    clone.add_day(2)
    yield clone
    medallion.end()


def queries() -> list[str]:
    """The document's questions to gold."""
    found = [re.search(r'-c "(SELECT .* FROM gold\..*?)"', command.text) for command in COMMANDS]
    return [match[1] for match in found if match]


# MARK: the command line


@pytest.fixture(scope="module")
def walk(clone: Clone) -> Walk:
    return Walk(DOCUMENT, clone.directory)


@pytest.mark.parametrize("command", COMMANDS, ids=str)
def test_a_command_does_what_the_document_shows(command: Command, walk: Walk) -> None:
    walk.check(command)


@pytest.mark.parametrize("query", queries())
def test_the_command_line_answers_as_the_warehouse_does(query: str, clone: Clone) -> None:
    result = run(f'.venv/bin/duckdb -init bi/gold.sql -csv -c "{query}"', clone.directory)
    _, *rows = csv.reader(result.stdout.splitlines())
    expected = [
        ["NULL" if value is None else str(value) for value in row] for row in clone.ask(query)
    ]
    assert expected, "nothing to compare"
    assert sorted(rows) == sorted(expected)


def test_every_published_table_has_a_view_with_its_columns_and_rows(clone: Clone) -> None:
    with gold(clone) as connection:
        [(tables,)] = connection.sql("SELECT map_keys(getvariable('gold'))").fetchall()
        views = connection.sql(
            "SELECT view_name FROM duckdb_views() WHERE schema_name = 'gold'"
        ).fetchall()
        assert sorted(tables) == sorted(name for (name,) in views)
        for name in tables:
            for query in (
                f"SELECT count(*) FROM gold.{name}",
                f"SELECT column_name, column_type FROM (DESCRIBE gold.{name})",
            ):
                assert connection.sql(query).fetchall() == clone.ask(query), name


@contextmanager
def gold(clone: Clone) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute("SET VARIABLE lake = $lake", {"lake": str(clone.medallion.lake)})
        connection.execute(VIEWS)
        yield connection


def totals(connection: duckdb.DuckDBPyConnection) -> tuple[str, int]:
    """As `medallion status` gives them."""
    query = "SELECT CAST(sum(revenue) AS VARCHAR), sum(transactions) FROM gold.purchases_gold"
    [(revenue, transactions)] = connection.sql(query).fetchall()
    return revenue, int(transactions)


def held(clone: Clone) -> tuple[str, int]:
    """What gold holds, as `medallion status` says."""
    status = clone.medallion.status()["gold"]
    return status["revenue"], status["transactions"]


# MARK: the page

#: Loaded by the server's Python before anything else: writes down whom it wants to reach.
WITNESS = """
import sys

def look(event, arguments):
    host = None
    if event == "socket.connect" and isinstance(arguments[1], tuple):
        host = arguments[1][0]
    elif event in ("socket.getaddrinfo", "socket.gethostbyname"):
        host = arguments[0]
    if host is not None:
        with open({log!r}, "a") as log:
            print(host, file=log)

sys.addaudithook(look)
with open({log!r}, "a") as log:
    print("watching", file=log)
"""


@dataclass(frozen=True)
class Site:
    """The page, being served."""

    url: str
    #: Whom the server wanted to reach, a line each.
    witness: Path

    def outside(self) -> list[str]:
        names = self.witness.read_text().split()
        assert "watching" in names
        return [name for name in names if name not in ("watching", *chromium.HERE)]


@contextmanager
def served(command: str, directory: Path, scratch: Path) -> Iterator[Site]:
    """Runs the document's command, at a port of its own."""
    witness = scratch / "witness"
    (scratch / "sitecustomize.py").write_text(WITNESS.format(log=str(witness)))
    # A developer's own settings must not change what is tested.
    clean = {name: value for name, value in os.environ.items() if name != "MEDALLION_LAKE"}
    port = servers.free_port()
    site = Site(f"http://127.0.0.1:{port}", witness)
    process = subprocess.Popen(
        ["bash", "-c", f"exec env {command} --server.port {port}"],
        cwd=directory,
        env={**clean, "PYTHONPATH": str(scratch)},
        stdout=(scratch / "log").open("wb"),
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        wait_until(
            lambda: process.poll() is not None or servers.answers(f"{site.url}/_stcore/health"),
            "the page is served",
            within=60,
        )
        assert process.poll() is None, (scratch / "log").read_text()
        yield site
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@dataclass(frozen=True)
class Seen:
    """What a person sees of gold."""

    watched: chromium.Watched

    def metric(self, label: str) -> str:
        box = self.watched.page.get_by_test_id("stMetric").filter(has_text=label)
        return str(box.get_by_test_id("stMetricValue").inner_text())

    def totals(self) -> tuple[str, int]:
        revenue, purchases = self.metric("Revenue"), self.metric("Purchases")
        return revenue.replace(",", ""), int(purchases.replace(",", ""))

    def table(self, number: int) -> list[list[str]]:
        """A table's cells, as a screen reader has them."""
        grid = self.watched.page.locator("[role=grid]").nth(number)
        grid.wait_for(state="attached")
        rows = grid.locator("tbody tr")
        return [rows.nth(row).locator("td").all_text_contents() for row in range(rows.count())]


@pytest.fixture(scope="module")
def site(clone: Clone, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    [command] = [each.text for each in COMMANDS if each.text == f".venv/bin/streamlit {PAGE}"]
    with served(command, clone.directory, tmp_path_factory.mktemp("site")) as site:
        yield site


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium.browser() as browser:
        yield browser


#: High enough for the tables: they are drawn once they are in sight.
WHOLE_PAGE: ViewportSize = {"width": 1280, "height": 1400}


@contextmanager
def opened(site: Site, browser: Any, **options: Any) -> Iterator[Seen]:
    with chromium.open_page(browser, **options) as watched:
        watched.page.goto(site.url)
        watched.page.get_by_text("published").wait_for(timeout=60_000)
        yield Seen(watched)


BEST = """
    SELECT coalesce(name, {0}_id), CAST(sum(revenue) AS DOUBLE), CAST(sum(transactions) AS INT)
    FROM gold.{0}_metrics_gold JOIN gold.{0}s_gold USING ({0}_id)
    GROUP BY {0}_id, name ORDER BY sum(revenue) DESC, {0}_id LIMIT 10
"""


def test_the_page_shows_what_gold_holds(clone: Clone, site: Site, browser: Any) -> None:
    from axe_playwright_python.sync_playwright import Axe

    with opened(site, browser, size=WHOLE_PAGE) as seen:
        assert seen.totals() == held(clone)
        for number, kind in enumerate(("store", "product")):
            shown = [
                (name, float(revenue), int(purchases))
                for name, revenue, purchases, _ in seen.table(number)
            ]
            assert shown == clone.ask(BEST.format(kind))
        # As it is written, and nothing of it has happened.
        assert HOSTILE in [row[0] for row in seen.table(1)]
        bars = seen.watched.page.get_by_test_id("stVegaLiteChart").locator("canvas, svg")
        bars.first.wait_for()
        assert Axe().run(seen.watched.page).response["violations"] == []
        assert seen.watched.errors == []
        assert seen.watched.outside == []
    with opened(site, browser, size=chromium.PHONE) as seen:
        assert seen.totals() == held(clone)
        width = seen.watched.page.evaluate("document.documentElement.scrollWidth")
        assert width <= chromium.PHONE["width"]
    assert site.outside() == []


def test_readers_move_on_with_a_refresh_and_the_one_before_stays_readable(
    clone: Clone, site: Site, browser: Any
) -> None:
    with opened(site, browser) as seen, gold(clone) as connection:
        before = held(clone)
        [(files,)] = connection.sql("SELECT flatten(map_values(getvariable('gold')))").fetchall()
        clone.add_day(3, "--select", "tag:live")
        after = held(clone)
        assert after[1] > before[1]
        # A session that began before goes on with what it began with.
        assert all(Path(file).exists() for file in files)
        assert totals(connection) == before
        connection.execute(VIEWS)
        assert totals(connection) == after
        # The page moves on by itself.
        wait_until(lambda: seen.totals() == after, "the page shows the new refresh", within=30)
        assert seen.watched.outside == []


def test_the_page_shows_the_days_that_are_chosen(
    clone: Clone, monkeypatch: pytest.MonkeyPatch
) -> None:
    from streamlit.testing.v1 import AppTest

    monkeypatch.setenv("MEDALLION_LAKE", str(clone.medallion.lake))
    page = AppTest.from_file(str(REPOSITORY / "bi" / "streamlit_app.py"), default_timeout=60).run()
    day, count = clone.ask(
        "SELECT day, sum(transactions) FROM gold.purchases_gold GROUP BY day ORDER BY day"
    )[0]
    whole = page.metric[1].value
    page.date_input[0].set_value((day, day)).run()
    assert page.metric[1].value == f"{count:,}" != whole
    assert not page.exception


def test_a_page_without_a_lake_says_what_makes_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from streamlit.testing.v1 import AppTest

    monkeypatch.setenv("MEDALLION_LAKE", str(tmp_path))
    page = AppTest.from_file(str(REPOSITORY / "bi" / "streamlit_app.py"), default_timeout=60).run()
    assert "medallion transform" in page.warning[0].value
    assert "current.json" in page.code[0].value
    assert not page.exception


# MARK: S3


@pytest.fixture
def bucket(clone: Clone, tmp_path: Path) -> Iterator[servers.Server]:
    """An S3 server that holds the lake's gold."""
    lake = clone.medallion.lake
    try:
        with servers.seaweedfs(tmp_path) as server:
            client = server.client()
            for path in (lake / "gold").rglob("*.*"):
                client.upload_file(str(path), servers.BUCKET, f"retail/{path.relative_to(lake)}")
            yield server
    except FileNotFoundError as error:
        pytest.skip(str(error))


def test_a_lake_in_s3_is_read_by_both(
    clone: Clone,
    bucket: servers.Server,
    browser: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import duckdb_extension_httpfs

    [extension] = Path(duckdb_extension_httpfs.__file__).parent.rglob("*.duckdb_extension")
    monkeypatch.setenv("HOME", str(tmp_path))
    for name, value in bucket.environment.items():
        monkeypatch.setenv(name, value)

    def as_here(found: str) -> str:
        """The one command of the document that has these words."""
        [text] = [command.text for command in COMMANDS if re.search(found, command.text)]
        text = text.replace("INSTALL httpfs", f"INSTALL '{extension}'")
        text = text.replace("localhost:9000", bucket.endpoint.removeprefix("http://"))
        return text.replace("my-bucket", servers.BUCKET)

    for words in ("INSTALL httpfs", "PERSISTENT SECRET"):
        result = run(as_here(words), clone.directory)
        assert result.code == 0, result.stderr
    count = as_here("duckdb .*my-bucket")
    result = run(count.replace("duckdb ", "duckdb -csv -noheader "), clone.directory)
    assert result.code == 0, result.stderr
    [(rows,)] = clone.ask("SELECT count(*) FROM gold.purchases_gold")
    assert int(result.stdout) == rows
    with (
        served(as_here("my-bucket.*streamlit"), clone.directory, tmp_path) as site,
        opened(site, browser) as seen,
    ):
        assert seen.totals() == held(clone)
        assert site.outside() == []
    # Whoever has no key reads nothing: the secret holds none.
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    assert run(count, clone.directory).code != 0
