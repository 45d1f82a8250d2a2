"""The real command, run as a person or a supervisor runs it: arguments, environment, signals."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from waiting import wait_until

T = TypeVar("T")

REPOSITORY = Path(__file__).resolve().parents[2]
#: `MEDALLION_BIN` names another build of the command.
BINARY = Path(os.environ.get("MEDALLION_BIN") or REPOSITORY / "bin" / "medallion")
#: Longer than any of these commands takes on a busy machine of two cores.
PATIENCE_SECONDS = 90.0
#: Within this a stopped command and its children must be gone.
STOP_SECONDS = 10.0


def handles(pid: int, number: signal.Signals) -> bool:
    """Whether a process does something of its own about a signal, by what the kernel says of it."""
    status = Path(f"/proc/{pid}/status").read_text()
    masks = dict(line.split(":\t", 1) for line in status.splitlines() if line.startswith("Sig"))
    # Caught, or blocked so that a thread can wait for it, or ignored in favour of a descriptor.
    bits = int(masks["SigCgt"], 16) | int(masks["SigBlk"], 16) | int(masks["SigIgn"], 16)
    return bool(bits >> (number - 1) & 1)


def copy_home(directory: Path, *, with_python: bool) -> Path:
    """The project's files as a clone has them, to be broken."""
    shutil.copytree(REPOSITORY / "contract", directory / "contract")
    shutil.copytree(
        REPOSITORY / "dbt",
        directory / "dbt",
        symlinks=True,
        ignore=shutil.ignore_patterns("target", "logs", "dbt_packages", "profiles.yml"),
    )
    if with_python:
        (directory / ".venv").symlink_to(REPOSITORY / ".venv")
    return directory


@dataclass(frozen=True)
class Finished:
    """A command that has ended."""

    arguments: tuple[str, ...]
    code: int
    stdout: str
    stderr: str
    seconds: float

    def json(self) -> Any:
        return json.loads(self.stdout)

    def __str__(self) -> str:
        return (
            f"medallion {' '.join(self.arguments)}: exit {self.code} after {self.seconds:.1f} s\n"
            f"--- stdout\n{self.stdout}--- stderr\n{self.stderr}"
        )


@dataclass
class Running:
    """A command that goes on; its output collects in files."""

    arguments: tuple[str, ...]
    process: subprocess.Popen[bytes]
    output: Path
    errors: Path
    began: float = field(default_factory=time.monotonic)

    def stdout(self) -> str:
        return self.output.read_text(errors="replace")

    def stderr(self) -> str:
        return self.errors.read_text(errors="replace")

    def is_running(self) -> bool:
        return self.process.poll() is None

    def send(self, number: int) -> None:
        self.process.send_signal(number)

    def kill(self) -> Finished:
        """SIGKILL, as a power loss or the out-of-memory killer would end it."""
        self.process.kill()
        return self.wait(STOP_SECONDS)

    def stop(self, number: int = signal.SIGTERM, within: float = STOP_SECONDS) -> Finished:
        """Sends a signal and expects the end of the process within the time that is promised."""
        self.send(number)
        return self.wait(within)

    def wait(self, within: float = PATIENCE_SECONDS) -> Finished:
        try:
            code = self.process.wait(within)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(STOP_SECONDS)
            raise AssertionError(
                f"medallion {' '.join(self.arguments)} did not end within {within} s\n"
                f"--- stdout\n{self.stdout()}--- stderr\n{self.stderr()}"
            ) from None
        return Finished(
            self.arguments, code, self.stdout(), self.stderr(), time.monotonic() - self.began
        )

    def wait_for(self, condition: Callable[[], T], what: str, within: float = 60.0) -> T:
        """Waits for a condition, and fails at once if the command ends before it holds."""

        def look() -> T | None:
            result = condition()
            if not result and not self.is_running():
                raise AssertionError(f"ended before: {what}\n{self.wait()}")
            return result

        result = wait_until(look, f"{what}\n{self.stderr()}", within)
        assert result is not None
        return result


@dataclass
class Medallion:
    """The command on one lake."""

    #: The lake's directory; it need not be there yet.
    lake: Path
    #: Where the commands are started: a directory without a medallion.yaml of the developer's.
    scratch: Path
    #: The directory with contract/, dbt/ and .venv/.
    home: Path = REPOSITORY
    #: This host's ledger, warehouse and logs; beside the lake's own directories if None.
    state: Path | None = None
    #: What `--lake` says, where that is not the directory.
    place: str | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    started: list[Running] = field(default_factory=list)

    # MARK: places

    @property
    def state_directory(self) -> Path:
        return self.state or self.lake

    @property
    def ledger(self) -> Path:
        return self.state_directory / "ledger.sqlite"

    @property
    def warehouse(self) -> Path:
        return self.state_directory / "warehouse.duckdb"

    @property
    def raw(self) -> Path:
        return self.lake / "raw"

    def commits(self) -> list[dict[str, Any]]:
        """Every commit but the lake's identity, in order."""
        directory = self.lake / "commits"
        numbers = sorted(int(path.stem) for path in directory.glob("*.json") if path.stem != "0")
        return [json.loads((directory / f"{number}.json").read_text()) for number in numbers]

    def forget_ledger(self) -> None:
        for suffix in ("", "-wal", "-shm"):
            self.ledger.with_name(self.ledger.name + suffix).unlink(missing_ok=True)

    def forget_warehouse(self) -> None:
        for suffix in ("", ".wal"):
            self.warehouse.with_name(self.warehouse.name + suffix).unlink(missing_ok=True)

    # MARK: running

    def run(
        self,
        *arguments: str | Path | int | float,
        check: int | None = 0,
        within: float = PATIENCE_SECONDS,
        environment: Mapping[str, str] | None = None,
        on_lake: bool = True,
        cwd: Path | None = None,
    ) -> Finished:
        """Runs a command to its end.

        `check` is the exit code that the test counts on, None for any. `on_lake` names this lake
        (and state) with a flag.
        """
        running = self.start(*arguments, environment=environment, on_lake=on_lake, cwd=cwd)
        finished = running.wait(within)
        if check is not None:
            assert finished.code == check, str(finished)
        return finished

    def start(
        self,
        *arguments: str | Path | int | float,
        environment: Mapping[str, str] | None = None,
        on_lake: bool = True,
        cwd: Path | None = None,
    ) -> Running:
        words = [str(argument) for argument in arguments]
        if on_lake:
            words += ["--lake", self.place or str(self.lake)]
            if self.state is not None:
                words += ["--state", str(self.state)]
        # A developer's own settings must not change what is tested.
        clean = {
            name: value for name, value in os.environ.items() if not name.startswith("MEDALLION_")
        }
        everything = {
            **clean,
            "MEDALLION_HOME": str(self.home),
            # Any port that is free, since many of these run at once.
            "MEDALLION_PORT": "0",
            # A trap must end the process at once, not after seconds of printing its stack.
            "SWIFT_BACKTRACE": "enable=no",
            **self.environment,
            **(environment or {}),
        }
        number = len(self.started)
        self.scratch.mkdir(parents=True, exist_ok=True)
        output = self.scratch / f"{number}.out"
        errors = self.scratch / f"{number}.err"
        with output.open("wb") as out, errors.open("wb") as err:
            process = subprocess.Popen(
                [str(BINARY), *words],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                env=everything,
                cwd=cwd or self.scratch,
                start_new_session=True,
            )
        running = Running(tuple(words), process, output, errors)
        self.started.append(running)
        return running

    def crash(
        self, *arguments: str | Path | int | float, at: str, within: float = PATIENCE_SECONDS
    ) -> Finished:
        """Runs a command that must die by SIGKILL at a crash point."""
        running = self.start(*arguments, environment={"MEDALLION_CRASH_AT": at})
        finished = running.wait(within)
        assert finished.code == -signal.SIGKILL, f"{at} was not reached: {finished}"
        return finished

    # MARK: asking

    def status(self) -> Any:
        return self.run("status", "--json").json()

    def verify(
        self,
        *,
        deep: bool = False,
        answer_key: Path | None = None,
        check: int | None = 0,
        within: float = PATIENCE_SECONDS,
    ) -> Any:
        arguments: list[str | Path] = ["verify", "--json"]
        if deep:
            arguments.append("--deep")
        if answer_key is not None:
            arguments += ["--answer-key", answer_key]
        return self.run(*arguments, check=check, within=within).json()

    # MARK: children

    def processes(self) -> dict[int, str]:
        """Every process whose command line or environment names this lake or its state."""
        directories = {str(path).encode() for path in (self.lake, self.state_directory)}
        needles = [path + end for path in directories for end in (b"/", b"\0")]
        found: dict[int, str] = {}
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit() or int(entry.name) == os.getpid():
                continue
            try:
                words = (entry / "cmdline").read_bytes()
                variables = (entry / "environ").read_bytes()
            except OSError:
                continue
            # A process that has ended and only waits for its parent has no command line.
            if words and any(needle in words + b"\0" + variables + b"\0" for needle in needles):
                found[int(entry.name)] = words.replace(b"\0", b" ").decode(errors="replace")
        return found

    def assert_nothing_left_behind(self) -> None:
        """No child outlives its command, at least not for long."""
        wait_until(lambda: not self.processes(), "nothing is left behind", STOP_SECONDS)

    def end(self) -> None:
        """Ends what a failed test left running."""
        for running in self.started:
            if running.is_running():
                running.process.kill()
                running.process.wait(STOP_SECONDS)
        for pid in self.processes():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
