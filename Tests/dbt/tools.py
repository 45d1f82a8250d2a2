"""Checkers of SQL and of dbt projects, and Snowflake's client, in an environment of their own."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from warehouse import REPOSITORY

TOOLS = REPOSITORY / ".deps" / "dbt-tools" / "bin"
TOOL_SECONDS = 120.0

needs_tools = pytest.mark.skipif(
    not all((TOOLS / name).exists() for name in ("dbt-bouncer", "snow", "sqlfluff")),
    reason=f"{TOOLS} is not there: Tests/dbt/setup_tools makes it",
)


def refused_by_parser(files: dict[str, str], directory: Path) -> dict[str, str]:
    """What of each file, by its name, sqlfluff cannot parse as Snowflake's SQL."""
    directory.mkdir()
    for name, text in files.items():
        (directory / name).write_text(text.strip() + "\n")
    done = subprocess.run(
        [
            *(str(TOOLS / "sqlfluff"), "lint", "--dialect", "snowflake", "--templater", "raw"),
            # One rule, which every file keeps: what is left is what does not parse.
            *("--rules", "LT12", "--format", "json", "--disable-progress-bar", str(directory)),
        ],
        stdout=subprocess.PIPE,
        text=True,
        timeout=TOOL_SECONDS,
    )
    return {
        Path(file["filepath"]).name: file["violations"][0]["description"]
        for file in json.loads(done.stdout)
        if file["violations"]
    }
