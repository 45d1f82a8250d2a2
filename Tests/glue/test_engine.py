"""`medallion bronze --engine spark`: the same command, the other engine."""

from __future__ import annotations

from collections.abc import Callable

from command import Medallion


def test_spark_does_the_work_of_bronze(new_medallion: Callable[[str], Medallion]) -> None:
    medallion = new_medallion("lake")
    medallion.run(
        *("simulate", "--events", 2000, "--batch-size", 200, "--seed", 4),
        *("--faults", "corrupt=0.05,late=0.05"),
    )
    done = medallion.run("bronze", "--engine", "spark", within=180)
    status = medallion.status()
    judged = status["bronze"]["rows"] + status["quarantine"]["lines"]
    assert status["raw"]["lines"] == 2000 == judged + status["blank"]["lines"]
    assert done.stdout == (
        f"10 objects, 2000 lines: {status['bronze']['rows']} accepted, "
        f"{status['quarantine']['lines']} quarantined, {status['blank']['lines']} blank\n"
    )
    # Nothing is left for this program's own engine, which follows on the same lake.
    assert medallion.run("bronze", "--once").stdout.startswith("0 objects")
    medallion.run("ingest", "--once")
    assert medallion.verify(deep=True)["balanced"]


def test_it_says_where_spark_could_be_had(new_medallion: Callable[[str], Medallion]) -> None:
    medallion = new_medallion("lake")
    medallion.run("simulate", "--events", 10)
    failed = medallion.run("bronze", "--engine", "spark", "--follow", check=2)
    assert "leave out --follow" in failed.stderr
