"""What the documents say is run, and what the commands print is in the documents."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from documents import BINARY, REPOSITORY, Command, Walk, commands, new_clone, run

DOCUMENTS = ("README.md", "docs/local_dev_instructions.md")

ALL_COMMANDS = [command for document in DOCUMENTS for command in commands(document)]


@pytest.fixture(scope="module")
def walks(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Walk]:
    return {
        document: Walk(document, new_clone(tmp_path_factory.mktemp("clone")))
        for document in DOCUMENTS
    }


@pytest.mark.parametrize("command", ALL_COMMANDS, ids=str)
def test_a_command_does_what_the_document_shows(command: Command, walks: dict[str, Walk]) -> None:
    walks[command.document].check(command)


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
