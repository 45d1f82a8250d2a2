"""The commands of a document, to be run as they stand there.

A fenced block of `bash` or `console` is a list of commands, a line and a shell each, in a directory
laid out like a clone with no lake yet; a document's commands build on each other. In `console` a
command follows `$ `, and what stands below it is what it prints, numbers aside. A comment above a
block may say

    <!-- test: skip: why it is not run -->
    <!-- test: skip: covered by Tests/somewhere.py -->
    <!-- test: with "20s" as "4s" -->
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
#: `MEDALLION_BIN` names another build of the command.
BINARY = Path(os.environ.get("MEDALLION_BIN") or REPOSITORY / "bin" / "medallion")
#: Longer than any of these commands takes on a busy machine of two cores.
PATIENCE_SECONDS = 120.0

#: Languages of fenced blocks: those that are run, and those that are not.
COMMANDS = {"bash", "console"}
PICTURES = {"mermaid", "text", "json", "yaml"}
#: What of a working tree is a developer's own, and must not be part of the test's clone.
OWN_FILES = {".git", "bin", "dbt", "lake", "medallion.yaml"}

FENCE = re.compile(r"^```(\w*)$")
MARKER = re.compile(r"^<!-- test: (.*) -->$")


# MARK: documents


@dataclass(frozen=True)
class Command:
    """One command of a document."""

    document: str
    line: int
    text: str
    #: What its block says before it of directory and environment, as a shell's `cd … && `.
    before: str
    #: Why it is not run; None if it is.
    skip: str | None
    #: What the document shows as its output; None where it shows nothing.
    shown: tuple[str, ...] | None = None

    def __str__(self) -> str:
        return f"{self.document}:{self.line} {self.text[:60]}"


@dataclass
class Block:
    """One fenced block, and the markers above it."""

    document: str
    language: str
    first_line: int
    lines: list[str] = field(default_factory=list)
    skip: str | None = None
    replacements: list[tuple[str, str]] = field(default_factory=list)

    def mark(self, marker: str) -> None:
        if reason := re.fullmatch(r"skip: (.+)", marker):
            self.skip = reason[1]
        elif swap := re.fullmatch(r'with "(.+)" as "(.+)"', marker):
            self.replacements.append((swap[1], swap[2]))
        else:
            raise ValueError(f"{self.document}:{self.first_line}: unknown marker '{marker}'")

    def commands(self) -> Iterator[Command]:
        sign = "$ " if self.language == "console" else ""
        before = ""
        for offset, line in enumerate(self.lines):
            if not line.strip() or not line.startswith(sign) or line.startswith("#"):
                continue
            if line.startswith((f"{sign}cd ", f"{sign}export ")):
                before += f"{line.removeprefix(sign)} && "
                continue
            shown = None
            if self.language == "console":
                rest = self.lines[offset + 1 :]
                end = next((i for i, other in enumerate(rest) if other.startswith("$ ")), len(rest))
                shown = tuple(rest[:end])
            text = line.removeprefix(sign)
            for old, new in self.replacements:
                text = text.replace(old, new)
            line_number = self.first_line + offset
            yield Command(self.document, line_number, text, before, self.skip, shown)


def blocks(document: str) -> list[Block]:
    """The blocks that are run. Throws ValueError for a block or a marker that says nothing."""
    found: list[Block] = []
    markers: list[str] = []
    block: Block | None = None
    inside_other = False
    for number, line in enumerate((REPOSITORY / document).read_text().splitlines(), start=1):
        fence, comment = FENCE.match(line), MARKER.match(line)
        if block is not None or inside_other:
            if line == "```":
                block, inside_other = None, False
            elif block is not None:
                block.lines.append(line)
        elif fence:
            if fence[1] in COMMANDS:
                block = Block(document, fence[1], number + 1)
                for marker in markers:
                    block.mark(marker)
                found.append(block)
            elif fence[1] not in PICTURES or markers:
                raise ValueError(f"{document}:{number}: a block of '{fence[1]}' is not run")
            inside_other = block is None
            markers = []
        elif comment:
            markers.append(comment[1])
        elif line and markers:
            raise ValueError(f"{document}:{number}: a marker must stand right above its block")
    return found


def commands(document: str) -> list[Command]:
    return [command for block in blocks(document) for command in block.commands()]


# MARK: running them


@dataclass(frozen=True)
class Result:
    code: int
    stdout: str
    stderr: str


def run(text: str, directory: Path) -> Result:
    """Runs a line in bash, and ends it with all its children if it takes too long."""
    # A developer's own settings must not change what is tested.
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("MEDALLION_")
    }
    if "MEDALLION_BIN" in os.environ:
        environment["MEDALLION_HOME"] = str(REPOSITORY)
    process = subprocess.Popen(
        ["bash", "-c", text],
        cwd=directory,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        stdout, stderr = process.communicate(timeout=PATIENCE_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        stdout, stderr = process.communicate()
        pytest.fail(f"not done within {PATIENCE_SECONDS} s: {text}\n{stdout}{stderr}")
    return Result(process.returncode, stdout, stderr)


@dataclass
class Walk:
    """A document's commands, each run once and after all those above it."""

    document: str
    clone: Path
    results: dict[int, Result] = field(default_factory=dict)

    def result(self, command: Command) -> Result:
        for each in commands(self.document):
            if each.line <= command.line and each.skip is None and each.line not in self.results:
                self.results[each.line] = run(each.before + each.text, self.clone)
        return self.results[command.line]

    def check(self, command: Command) -> None:
        """Fails unless a command does what the document shows; skips it where a marker says so."""
        if command.skip is not None:
            if covered := re.fullmatch(r"covered by (\S+)", command.skip):
                _, _, arguments = command.text.partition(" ")
                assert f'"{arguments}"' in (REPOSITORY / covered[1]).read_text()
            pytest.skip(f"{command.text}: {command.skip}")
        result = self.result(command)
        assert result.code == 0, result.stdout + result.stderr
        if command.shown is not None:
            printed = shapes(result.stdout.splitlines())
            assert printed == shapes(command.shown), result.stdout

    def to_the_end(self) -> Path:
        """The clone after the last command."""
        self.result([each for each in commands(self.document) if each.skip is None][-1])
        return self.clone


def new_clone(directory: Path) -> Path:
    """A directory that looks like a clone that was built and has run nothing yet."""
    if not BINARY.exists():
        pytest.fail(f"{BINARY} is not there: run 'make build', or set MEDALLION_BIN")
    for entry in REPOSITORY.iterdir():
        if entry.name not in OWN_FILES:
            (directory / entry.name).symlink_to(entry)
    # dbt looks for the lake beside the directory where it is started.
    ignored = shutil.ignore_patterns("target", "logs")
    shutil.copytree(REPOSITORY / "dbt", directory / "dbt", symlinks=True, ignore=ignored)
    (directory / "bin").mkdir()
    (directory / "bin" / "medallion").symlink_to(BINARY)
    return directory


def shapes(lines: Iterable[str]) -> list[str]:
    """What of an output does not change from run to run: no numbers, no widths, no rules."""
    found = []
    for line in lines:
        line = re.sub(r"most of them \w+", "most of them …", line)
        line = " ".join(re.sub(r"\d+(\.\d+)?", "N", line).split())
        if line.strip("─┌┬┐├┼┤└┴┘ "):
            found.append(line)
    return found
