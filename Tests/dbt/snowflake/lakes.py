"""Lakes for the emulator to load, made by the command itself."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from warehouse import REPOSITORY

MEDALLION = Path(os.environ.get("MEDALLION_BIN") or REPOSITORY / "bin" / "medallion")
PATIENCE_SECONDS = 600.0


def medallion(*arguments: object, environment: dict[str, str] | None = None, code: int = 0) -> str:
    """What a command prints, which must end with the given code."""
    done = subprocess.run(
        [str(MEDALLION), *map(str, arguments)],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | (environment or {}),
        timeout=PATIENCE_SECONDS,
    )
    assert done.returncode == code, done.stdout
    return done.stdout


def staged_lake(lake: Path) -> Path:
    """A lake with every fault, whose files came in three batches; staged, not transformed."""
    # The same sales over another span of time have the same ids and other content; and an object
    # that arrived earlier than one loaded before it displaces that one's rows.
    for until in ("2026-03-11", "2026-03-06", "2026-03-15"):
        medallion(
            *("simulate", "--lake", lake, "--world", "retail", "--seed", 1),
            *("--events", 500, "--from", "2026-03-01", "--until", until),
            *("--faults", "all=0.05,duplicate=0.03"),
        )
        medallion("bronze", "--lake", lake, "--once")
        medallion("ingest", "--lake", lake, "--once")
    return lake


def bronze_files(lake: Path) -> list[Path]:
    return sorted((lake / "bronze").rglob("*.parquet"))
