"""What the documents say is run, and what the commands print is in the documents.

A fenced block of `bash` or `console` is a list of commands, a line and a shell each, in a directory
laid out like a clone with no lake yet; a document's commands build on each other. In `console` a
command follows `$ `, and what stands below it is what it prints, numbers aside. A comment above a
block may say

    <!-- test: skip: why it is not run -->
    <!-- test: skip: covered by Tests/somewhere.py -->
    <!-- test: with "20s" as "4s" -->
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
#: `MEDALLION_BIN` names another build of the command.
BINARY = Path(os.environ.get("MEDALLION_BIN") or REPOSITORY / "bin" / "medallion")
#: Longer than any of these commands takes on a busy machine of two cores.
PATIENCE_SECONDS = 120.0

DOCUMENTS = ("README.md", "docs/local_dev_instructions.md")
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


ALL_COMMANDS = [command for document in DOCUMENTS for command in commands(document)]


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


@pytest.fixture(scope="module")
def walks(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Walk]:
    return {
        document: Walk(document, new_clone(tmp_path_factory.mktemp("clone")))
        for document in DOCUMENTS
    }


@pytest.mark.parametrize("command", ALL_COMMANDS, ids=str)
def test_a_command_does_what_the_document_shows(command: Command, walks: dict[str, Walk]) -> None:
    if command.skip is not None:
        if covered := re.fullmatch(r"covered by (\S+)", command.skip):
            _, _, arguments = command.text.partition(" ")
            assert f'"{arguments}"' in (REPOSITORY / covered[1]).read_text()
        pytest.skip(f"{command.text}: {command.skip}")
    result = walks[command.document].result(command)
    assert result.code == 0, result.stdout + result.stderr
    if command.shown is not None:
        assert shapes(result.stdout.splitlines()) == shapes(command.shown)


def shapes(lines: Iterable[str]) -> list[str]:
    """What of an output does not change from run to run: no numbers, no widths, no rules."""
    found = []
    for line in lines:
        line = re.sub(r"most of them \w+", "most of them …", line)
        line = " ".join(re.sub(r"\d+(\.\d+)?", "N", line).split())
        if line.strip("─ "):
            found.append(line)
    return found


def test_both_documents_have_commands_that_are_run() -> None:
    for document in DOCUMENTS:
        assert len([each for each in commands(document) if each.skip is None]) > 5


# MARK: what the documents must name


def test_the_readme_names_every_subcommand(tmp_path: Path) -> None:
    help_text = run(f"{BINARY} --help", tmp_path).stdout
    listed = help_text.split("SUBCOMMANDS:")[1]
    subcommands = re.findall(r"^  ([a-z]+) {2,}\S", listed, re.MULTILINE)
    assert len(subcommands) >= 10
    readme = (REPOSITORY / "README.md").read_text()
    assert [name for name in subcommands if not re.search(rf"medallion {name}\b", readme)] == []


@dataclass
class Samples:
    """What the commands print and what a lake holds, by the section of docs/json.md."""

    values: dict[str, list[Any]] = field(default_factory=dict)

    def add(self, section: str, *values: Any) -> None:
        self.values.setdefault(section, []).extend(values)

    def add_lines(self, section: str, paths: Iterable[Path]) -> None:
        for path in paths:
            self.add(section, *(json.loads(line) for line in path.read_text().splitlines()))


@pytest.fixture(scope="module")
def samples(walks: dict[str, Walk], tmp_path_factory: pytest.TempPathFactory) -> Samples:
    """From a lake in which all went well, and one with an answer key and something parked."""
    good = walks["README.md"].to_the_end() / "lake"
    parked = tmp_path_factory.mktemp("parked") / "lake"
    key = parked.with_name("key.ndjson")
    (parked / "raw").mkdir(parents=True)
    (parked / "raw" / "broken.json.gz").write_bytes(b"no gzip")
    samples = Samples()

    def ask(section: str, arguments: str, lake: Path) -> None:
        printed = run(f"{BINARY} {arguments} --json --lake {lake}", lake.parent).stdout
        samples.add(section, json.loads(printed))

    ask(
        "simulate",
        f"simulate --events 3000 --seed 1 --faults default,rescue=0.05 --answer-key {key}",
        parked,
    )
    assert run(f"{BINARY} bronze --lake {parked}", parked.parent).code == 1
    for lake in (good, parked):
        ask("status", "status", lake)
        ask("redrive", "redrive", lake)
        ask("doctor", "doctor", lake)
        samples.add_lines("A commit", (lake / "commits").glob("[1-9]*.json"))
        samples.add_lines("A quarantined line", lake.glob("quarantine/*/*.ndjson"))
    ask("verify", "verify", good)
    for command in ("status", "report", "history"):
        ask(f"pipe {command}", f"pipe {command}", good)
    ask("pipe refresh", "pipe refresh", parked)
    ask("pipe report", "pipe report dt=2026-11-23/none.parquet --timeout 0s", good)
    ask("pipe notify", "pipe notify --from-lake", good)
    keys = run(f"{BINARY} pipe keys --json --out {parked}.p8", parked.parent).stdout
    samples.add("pipe keys", json.loads(keys))
    ask("verify", f"verify --answer-key {key}", parked)
    samples.add("Published gold", json.loads((good / "gold" / "current.json").read_text()))
    samples.add_lines("The answer key", [key])
    return samples


def described(section: str) -> dict[str, str]:
    """The members that a section of docs/json.md names, and what it says of them."""
    text = (REPOSITORY / "docs" / "json.md").read_text()
    [part] = [
        part
        for part in re.split(r"^## ", text, flags=re.MULTILINE)[1:]
        if part.startswith((section, f"`medallion {section} "))
    ]
    members: dict[str, str] = {}
    for row in re.findall(r"^\| (`.+?) \| (.+) \|$", part, re.MULTILINE):
        for name in re.findall(r"`([^`]+)`", row[0]):
            members[name] = row[1]
    return members


def members(value: Any, path: str, known: Sequence[str]) -> Iterator[str]:
    """The paths of all members of a value, `a.b` and `a[].b`, as far as they have to be described.

    Members by any name are `*` where they are described as such. What is inside a member that is
    described by itself, and whose members are not, is data.
    """

    def has_described(child: str) -> bool:
        return any(name.startswith((f"{child}.", f"{child}[].")) for name in known)

    if isinstance(value, list):
        for item in value:
            yield from members(item, f"{path}[]", known)
    elif isinstance(value, dict):
        for name, item in value.items():
            parent = f"{path}." if path else ""
            if any(other.startswith(f"{parent}*.") for other in known):
                name = "*"
            child = parent + name
            if child in known or not has_described(child):
                yield child
            if has_described(child):
                yield from members(item, child, known)


SECTIONS = [
    "status",
    "verify",
    "simulate",
    "redrive",
    "doctor",
    "pipe status",
    "pipe report",
    "pipe history",
    "pipe refresh",
    "pipe notify",
    "pipe keys",
    "A commit",
    "A quarantined line",
    "Published gold",
    "The answer key",
]


@pytest.mark.parametrize("section", SECTIONS)
def test_every_member_is_described_and_every_description_has_a_member(
    section: str, samples: Samples
) -> None:
    known = described(section)
    printed: set[str] = set()
    for value in samples.values[section]:
        printed.update(members(value, "", list(known)))
    assert sorted(printed - known.keys()) == [], "not in docs/json.md"
    # What is only sometimes there says so.
    missing = [name for name in known.keys() - printed if "absent" not in known[name]]
    assert sorted(missing) == [], "in docs/json.md only"


# MARK: links


def markdown_files() -> list[Path]:
    names = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "contract/README.md"]
    return [REPOSITORY / name for name in names] + sorted((REPOSITORY / "docs").rglob("*.md"))


def anchors(path: Path) -> set[str]:
    """The anchors that GitHub makes of a document's headings."""
    text = re.sub(r"^```.*?^```", "", path.read_text(), flags=re.MULTILINE | re.DOTALL)
    return {
        re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        for heading in re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    }


@pytest.mark.parametrize("path", markdown_files(), ids=lambda path: path.name)
def test_every_link_leads_somewhere(path: Path) -> None:
    broken = []
    for link in re.findall(r"\]\(([^)\s]+)\)", path.read_text()):
        if re.match(r"https?:", link):
            continue
        name, _, anchor = link.partition("#")
        target = (path.parent / name) if name else path
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)
    assert broken == []
