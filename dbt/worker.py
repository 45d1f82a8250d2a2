"""Runs dbt on request, in one process that keeps dbt loaded and the project parsed.

A cold dbt takes five seconds before its first query, for imports and parsing; here they are paid
once, and parsing once for all lakes. One JSON object a line comes in on stdin, one goes out on
stdout for each:

    {"id": 1, "command": "run", "select": ["purchases_silver"], "full_refresh": false,
     "target": "duckdb", "timeout_seconds": 600, "lease_timeout_seconds": 60}

    {"id": 1, "ok": true, "code": null, "error": null, "elapsed_seconds": 0.52,
     "nodes": [{"name": "purchases_silver", "resource_type": "model", "status": "success",
                "message": "OK", "rows": null, "seconds": 0.11}]}

Only `command` is needed: `run`, `build` (without the models' unit tests), `seed`, `test`; `verify`,
whose reply has `facts`, what the layers hold (macros/verify/verify_equation.sql); or `parse`, which
reads the project and touches no warehouse. `code` says what to do about a failure: `bad_request`
(mend the request), `adapter_missing` (install what `error` names), `nothing_selected` (mend
`select`), `lease_timeout` (ask again), `timeout` (the worker has ended; start another),
`node_failed` (look at `nodes`; each failed model's table is as it was before), `dbt_failed`
(`error` has dbt's sentence).

The environment names the warehouse (MEDALLION_WAREHOUSE) and the file whose advisory lock is the
right to open it (MEDALLION_LEASE). The lock is held for one request, and by the time the reply is
written every connection to the warehouse is closed. A target that is not DuckDB has no file and
needs no lock: the profile says where it is.

The worker ends at once, in the middle of a query if need be, when stdin ends, when its parent dies,
on SIGTERM, and when a request takes too long; the models stand that at any moment (see README.md).
SIGINT is ignored: Ctrl-C reaches the whole terminal, and the parent decides what it means.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import fcntl
import hashlib
import json
import os
import queue
import re
import signal
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from dbt.cli.main import dbtRunner, dbtRunnerResult
    from dbt.contracts.graph.manifest import Manifest
    from dbt_common.events.base_types import EventMsg

COMMANDS = ("run", "build", "seed", "test", "verify", "parse")

#: What the project says where its seeds have not been loaded (macros/window/open_window.sql).
SEEDS_MISSING = "The seeds are not there"

#: Exit codes: the parent went away or ended stdin; a request took too long.
EXIT_PARENT_GONE = 0
EXIT_TIMEOUT = 3

#: What makes a parsed manifest stale, below the project's directory.
PROJECT_SOURCES = (
    *("dbt_project.yml", "models", "macros", "seeds", "tests", "snapshots", "analyses"),
    *("functions", "packages.yml", "dependencies.yml", "dbt_packages", "vars.yml", ".dbtignore"),
)

#: Variables of ours that a profile asks for, and that change nothing of what is parsed.
OWN_VARIABLES = {"MEDALLION_WAREHOUSE", "MEDALLION_DUCKDB_MEMORY", "MEDALLION_RUN_ID"}


# MARK: the protocol


class BadRequest(ValueError):
    """A request that cannot be understood; the message says what is wrong with it."""


@dataclass(frozen=True)
class Request:
    """One line of stdin."""

    id: Any
    command: str
    select: tuple[str, ...] = ()
    full_refresh: bool = False
    target: str | None = None
    #: From the request's arrival at the head of the queue to its reply; None waits for ever.
    timeout_seconds: float | None = None
    #: For the warehouse's lease alone; None waits as long as the request may take.
    lease_timeout_seconds: float | None = None

    @staticmethod
    def parse(line: bytes) -> Request:
        """The request that a line holds. Throws BadRequest."""
        try:
            fields = json.loads(line)
        except ValueError as error:
            raise BadRequest(f"the line is not JSON: {error}") from None
        if not isinstance(fields, dict):
            raise BadRequest("the line is not a JSON object")
        known = Request.__dataclass_fields__.keys()
        unknown = sorted(fields.keys() - known)
        if unknown:
            raise BadRequest(f"unknown field {unknown[0]!r}; there are {', '.join(known)}")
        command = fields.get("command")
        if command not in COMMANDS:
            raise BadRequest(f"command is {command!r}, not one of {', '.join(COMMANDS)}")
        select = fields.get("select") or []
        if not isinstance(select, list) or not all(_is_selector(item) for item in select):
            raise BadRequest("select is not a list of dbt selectors")
        full_refresh = fields.get("full_refresh") or False
        if not isinstance(full_refresh, bool):
            raise BadRequest("full_refresh is not true or false")
        target = fields.get("target")
        if not (target is None or isinstance(target, str)):
            raise BadRequest("target is not a name")
        return Request(
            id=fields.get("id"),
            command=command,
            select=tuple(select),
            full_refresh=full_refresh,
            target=target,
            timeout_seconds=_seconds(fields, "timeout_seconds"),
            lease_timeout_seconds=_seconds(fields, "lease_timeout_seconds"),
        )


def _is_selector(item: object) -> bool:
    # A leading dash would be read by dbt as an option.
    return isinstance(item, str) and item != "" and not item.startswith("-")


def _seconds(fields: dict[str, Any], name: str) -> float | None:
    value = fields.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1e9:
        raise BadRequest(f"{name} is not a positive number")
    return float(value)


class Failure(Exception):
    """A request that was understood and did not succeed."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Replies:
    """Writes replies, whole lines and one for each request, from whichever thread."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._lock = threading.Lock()

    def write(self, reply: dict[str, Any]) -> None:
        line = memoryview(json.dumps(reply, allow_nan=False).encode() + b"\n")
        with self._lock:
            try:
                while line:
                    line = line[os.write(self._descriptor, line) :]
            except BrokenPipeError:
                os._exit(EXIT_PARENT_GONE)


def reply_to(
    request_id: object,
    began: float,
    code: str | None = None,
    error: str | None = None,
    nodes: Sequence[dict[str, Any]] = (),
    facts: dict[str, Any] | None = None,
) -> dict[str, Any]:
    return {
        "id": request_id,
        "ok": code is None,
        "code": code,
        "error": error,
        "elapsed_seconds": round(time.monotonic() - began, 3),
        "nodes": list(nodes),
        **({} if facts is None else {"facts": facts}),
    }


# MARK: the lease


@contextlib.contextmanager
def lease(path: Path | None, timeout_seconds: float | None) -> Iterator[None]:
    """Holds the warehouse's lease. Throws Failure if it is not free in time.

    Only the main thread may take it: the time limit is an alarm that interrupts the wait.
    """
    if path is None:
        yield
        return
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        with _alarm(timeout_seconds, f"{path} was not free within {timeout_seconds} s"):
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _alarm(seconds: float | None, message: str) -> Iterator[None]:
    def interrupt(_signal: int, _frame: FrameType | None) -> NoReturn:
        raise Failure("lease_timeout", message)

    signal.signal(signal.SIGALRM, interrupt)
    try:
        signal.setitimer(signal.ITIMER_REAL, seconds or 0)
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, signal.SIG_IGN)


# MARK: dbt


def clear_spill() -> None:
    """Removes what a killed run has left where DuckDB spills (see profiles.yml.example).

    Nobody does it otherwise, and it may be gigabytes. Only the holder of the lease may.
    """
    spill = Path(os.environ.get("MEDALLION_WAREHOUSE", "") + ".dbt-tmp")
    for file in spill.glob("duckdb_temp_*"):
        file.unlink(missing_ok=True)


class Project:
    """The dbt project, parsed once, and again when a file of it or the target changes."""

    def __init__(
        self,
        project_dir: Path,
        profiles_dir: Path,
        target_path: Path,
        log_path: Path,
        parsed_path: Path | None = None,
    ) -> None:
        self._project_dir = project_dir
        self._profiles_dir = profiles_dir
        self._parsed_path = parsed_path
        self._options = [
            *("--project-dir", str(project_dir), "--profiles-dir", str(profiles_dir)),
            *("--target-path", str(target_path), "--log-path", str(log_path)),
            *("--no-use-colors", "--no-write-json", "--log-level", "none"),
            *("--log-level-file", "info"),
        ]
        self._parsed: tuple[str | None, Fingerprint, Manifest] | None = None
        #: The manifest whose seeds this process has loaded.
        self._seeded: Manifest | None = None

    def run(self, request: Request) -> list[dict[str, Any]]:
        """Runs a command and returns what became of its nodes. Throws Failure.

        A `run` loads the seeds first, the first time, and when a file of the project has changed.
        """
        from dbt.cli.main import dbtRunner

        manifest = self.parse(request.target)
        name_run()
        arguments = [request.command, *self._options]
        target = [] if request.target is None else ["--target", request.target]
        arguments += target
        if request.command == "build":
            # They try the models' rules on rows of their own, not what is in this warehouse.
            arguments += ["--exclude-resource-type", "unit_test"]
        if request.full_refresh:
            arguments += ["--full-refresh"]
        if request.select:
            arguments += ["--select", *request.select]
        runner = dbtRunner(manifest=manifest)
        try:
            # A `build` loads the seeds itself.
            if request.command == "run" and self._seeded is not manifest:
                self._seed(runner, target)
                self._seeded = manifest
            result = runner.invoke(arguments)
            if request.command == "run" and SEEDS_MISSING in str(result.exception):
                # This is another warehouse than the last time.
                self._seed(runner, target)
                result = runner.invoke(arguments)
        finally:
            release_warehouse()
        if result.exception is not None:
            raise Failure("dbt_failed", one_line(result.exception))
        nodes = node_results(result)
        if not nodes and request.select:
            raise Failure("nothing_selected", f"nothing matches {' '.join(request.select)}")
        if not result.success and first_failed(nodes) is None:
            raise Failure("dbt_failed", f"{request.command} failed, dbt.log says why")
        return nodes

    def _seed(self, runner: dbtRunner, target: list[str]) -> None:
        """Loads the seeds. Throws Failure, which names the one that failed."""
        result = runner.invoke(["seed", *self._options, *target])
        failed = first_failed(node_results(result))
        if failed is not None:
            raise Failure("node_failed", f"{failed['name']}: {one_line(failed['message'])}")
        if result.exception is not None:
            raise Failure("dbt_failed", one_line(result.exception))

    def verify(self, request: Request) -> dict[str, Any]:
        """What the layers hold, as the macro `verify_equation` counts it. Throws Failure."""
        from dbt.cli.main import dbtRunner

        manifest = self.parse(request.target)
        name_run()
        said: list[str] = []

        def listen(event: EventMsg) -> None:
            if event.info.name == "JinjaLogInfo":
                said.append(event.data.msg)

        arguments = ["run-operation", "verify_equation", *self._options]
        if request.target is not None:
            arguments += ["--target", request.target]
        try:
            result = dbtRunner(manifest=manifest, callbacks=[listen]).invoke(arguments)
        finally:
            release_warehouse()
        if not result.success or len(said) != 1:
            message = (
                operation_message(result) or result.exception or "verify_equation said nothing"
            )
            raise Failure("dbt_failed", one_line(message))
        facts: dict[str, Any] = json.loads(said[0])
        return facts

    def needs_lease(self, target: str | None) -> bool:
        """Whether the target's warehouse is a file that one process opens at a time.

        Throws Failure.
        """
        return self.parse(target).metadata.adapter_type == "duckdb"

    def parse(self, target: str | None) -> Manifest:
        """The project's manifest, from memory if no file has changed. Throws Failure."""
        fingerprint = self._fingerprint()
        if self._parsed is not None and self._parsed[:2] == (target, fingerprint):
            return self._parsed[2]
        digest = self._digest(target) if self._parsed_path else None
        if self._parsed_path is None or digest is None:
            manifest = self._parse(target)
        else:
            kept = KeptManifest(self._parsed_path / f"parsed-{target or 'default'}.msgpack")
            found = kept.read(digest)
            manifest = found or self._parse(target)
            # Unless a file was changed while dbt read it.
            if found is None and self._digest(target) == digest:
                kept.write(digest, manifest)
        self._parsed = (target, fingerprint, manifest)
        return manifest

    def _parse(self, target: str | None) -> Manifest:
        from dbt.cli.main import dbtRunner
        from dbt.contracts.graph.manifest import Manifest

        arguments = ["parse", *self._options]
        if target is not None:
            arguments += ["--target", target]
        result = dbtRunner().invoke(arguments)
        if not isinstance(result.result, Manifest):
            message = one_line(result.exception)
            if missing := re.search(r"Could not find adapter type (\w+)", message):
                raise Failure(
                    "adapter_missing", f"dbt-{missing[1]} is not installed beside {sys.executable}"
                )
            raise Failure("dbt_failed", message)
        return result.result

    def _files(self) -> list[Path]:
        """What a parsed project depends on; some need not be there."""
        paths = [self._profiles_dir / "profiles.yml"]
        for name in PROJECT_SOURCES:
            source = self._project_dir / name
            paths += source.rglob("*") if source.is_dir() else [source]
        return paths

    def _fingerprint(self) -> Fingerprint:
        marks: Fingerprint = {}
        for path in self._files():
            with contextlib.suppress(FileNotFoundError):
                status = path.stat()
                marks[str(path)] = (status.st_mtime_ns, status.st_size, status.st_ino)
        return marks

    def _digest(self, target: str | None) -> str | None:
        """Equal where a parsed project is: the same text in one place, read by the same dbt.

        None if a file cannot be read, or vanishes.
        """
        try:
            return self._digest_of_files(target)
        except (OSError, UnicodeDecodeError):
            return None

    def _digest_of_files(self, target: str | None) -> str:
        import dbt.version

        # Of dbt and its adapters, whose macros are part of a parsed project.
        packages = Path(dbt.version.__file__).parent.parent.glob("dbt_*.dist-info")
        parts = [sys.version, str(target), *sorted(path.name for path in packages)]
        # A profile may take the names of database and schema from the environment.
        for path in (self._profiles_dir / "profiles.yml", self._project_dir / "dbt_project.yml"):
            if path.exists():
                names = asked_variables(path.read_text())
                parts += [f"{name}={os.environ.get(name)}" for name in names]
        digest = hashlib.sha256()
        for part in parts:
            digest.update(part.encode() + b"\0")
        for path in sorted(self._files()):
            if path.is_file():
                # The profile is not where the project is, and may be a copy for each lake.
                name = path.name if path.parent == self._profiles_dir else str(path)
                content = hashlib.sha256(path.read_bytes())
                digest.update(name.encode() + b"\0" + content.digest())
        return digest.hexdigest()


class KeptManifest:
    """A parsed project in a file, for the next worker, of whichever lake.

    dbt keeps one itself, for one warehouse: it takes the path of another for another project, and
    reads all of it again, for seconds.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self, digest: str) -> Manifest | None:
        """The manifest that was kept under the digest; None if there is none that can be read."""
        from dbt.contracts.graph.manifest import Manifest
        from dbt.parser.manifest import extended_mashumuro_decoder

        try:
            kept, _, content = self._path.read_bytes().partition(b"\n")
            if kept != digest.encode():
                return None
            return Manifest.from_msgpack(content, decoder=extended_mashumuro_decoder)
        except Exception:
            # It is not there, or cut short: as good as none.
            return None

    def write(self, digest: str, manifest: Manifest) -> None:
        from dbt.parser.manifest import extended_mashumaro_encoder

        # What the environment said is in the manifest, and may be another the next time.
        if manifest.env_vars:
            return
        # Where nothing may be written, each lake has the project parsed once.
        with contextlib.suppress(Exception):
            content = manifest.to_msgpack(extended_mashumaro_encoder)
            self._path.parent.mkdir(parents=True, exist_ok=True)
            replace(self._path, digest.encode() + b"\n" + content)


def asked_variables(profile: str) -> list[str]:
    """The variables that a profile or project asks for and that may say what models are called.

    Dbt's own may. Where the warehouse is says nothing of it, and of a secret no digest is made.
    """
    names = {*re.findall(r"env_var\(\s*['\"](\w+)", profile)}
    names |= {name for name in os.environ if name.startswith("DBT_")}
    secret = re.compile("SECRET|PASS|TOKEN|KEY")
    return sorted(name for name in names - OWN_VARIABLES if not secret.search(name))


#: What a file of the project looked like: modification time, size, inode.
Fingerprint = dict[str, tuple[int, int, int]]


def name_run() -> None:
    """Gives the request at hand a name of its own, by which a profile may tag its queries."""
    os.environ["MEDALLION_RUN_ID"] = str(uuid.uuid4())


def release_warehouse() -> None:
    """Closes every connection of dbt's adapters, so that others can open the warehouse's file.

    dbt-duckdb keeps its DuckDB instance between invocations, and with it the lock on the file.
    """
    from dbt.adapters.factory import cleanup_connections

    cleanup_connections()
    # Loaded only where a target is DuckDB.
    duckdb = sys.modules.get("dbt.adapters.duckdb.connections")
    if duckdb is None:
        return
    environment = duckdb.DuckDBConnectionManager._ENV
    if environment is not None:
        environment.close()
    duckdb.DuckDBConnectionManager.close_all_connections()


def node_results(result: dbtRunnerResult) -> list[dict[str, Any]]:
    """What became of each node that the command ran; hooks appear with their resource type."""
    nodes = []
    for node in getattr(result.result, "results", []):
        # A build lists exposures, too, and does nothing about them.
        if str(node.node.resource_type) == "exposure":
            continue
        response = node.adapter_response or {}
        nodes.append(
            {
                "name": node.node.name,
                "resource_type": str(node.node.resource_type),
                "status": str(node.status),
                "message": None if node.message is None else str(node.message),
                "rows": response.get("rows_affected"),
                "seconds": round(node.execution_time, 3),
            }
        )
    return nodes


def operation_message(result: dbtRunnerResult) -> str:
    """What an operation that failed says, in one line; its results name no node."""
    return "; ".join(
        one_line(done.message) for done in getattr(result.result, "results", []) if done.message
    )


def first_failed(nodes: Sequence[dict[str, Any]]) -> dict[str, Any] | None:
    return next((node for node in nodes if node["status"] in ("error", "fail")), None)


def one_line(message: object) -> str:
    """A message, or that of an exception, without line breaks."""
    return " ".join(str(message).split()) or type(message).__name__


# MARK: the process


class Deadline:
    """Ends the process when a request takes too long, after saying so in its reply."""

    def __init__(self, request: Request, began: float, replies: Replies) -> None:
        self._request = request
        self._began = began
        self._replies = replies
        self._lock = threading.Lock()
        self._answered = False
        self._timer: threading.Timer | None = None
        if request.timeout_seconds is not None:
            self._timer = threading.Timer(request.timeout_seconds, self._expire)
            self._timer.daemon = True
            self._timer.start()

    def answer(self, reply: dict[str, Any]) -> None:
        with self._lock:
            self._answered = True
            if self._timer is not None:
                self._timer.cancel()
            self._replies.write(reply)

    def _expire(self) -> None:
        with self._lock:
            if self._answered:
                return
            message = f"{self._request.command} took longer than {self._request.timeout_seconds} s"
            self._replies.write(reply_to(self._request.id, self._began, "timeout", message))
            os._exit(EXIT_TIMEOUT)


def watch_stdin(descriptor: int, lines: queue.SimpleQueue[bytes]) -> None:
    """Passes on the lines of stdin and ends the process with it."""
    with os.fdopen(descriptor, "rb") as stdin:
        for line in stdin:
            if line.strip():
                lines.put(line)
    os._exit(EXIT_PARENT_GONE)


def watch_parent() -> None:
    """On Linux, ends the process when its parent dies, even if someone else holds stdin open.

    The kernel's signal also comes when only the thread that started us ends, so it is a reason to
    look and no more. Must be called before any other thread starts: they inherit the mask.
    """
    if sys.platform != "linux":
        return
    parent = os.getppid()
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
    set_parent_death_signal = 1
    ctypes.CDLL(None, use_errno=True).prctl(set_parent_death_signal, signal.SIGUSR1, 0, 0, 0)

    def look() -> None:
        while os.getppid() == parent:
            signal.sigwait({signal.SIGUSR1})
        os._exit(EXIT_PARENT_GONE)

    start_thread(look)


def start_thread(target: Callable[[], None]) -> None:
    threading.Thread(target=target, daemon=True).start()


def serve(
    project: Project,
    lease_path: Path | None,
    lines: queue.SimpleQueue[bytes],
    replies: Replies,
) -> NoReturn:
    """Answers requests in the order they came, for ever."""
    while True:
        line = lines.get()
        began = time.monotonic()
        try:
            request = Request.parse(line)
        except BadRequest as error:
            replies.write(reply_to(id_of(line), began, "bad_request", str(error)))
            continue
        deadline = Deadline(request, began, replies)
        nodes: list[dict[str, Any]] = []
        facts: dict[str, Any] | None = None
        code, message = None, None
        try:
            # Before the lease, which it decides on: parsing touches no warehouse.
            held = lease_path if project.needs_lease(request.target) else None
            if request.command != "parse":
                with lease(held, request.lease_timeout_seconds):
                    if held is not None:
                        clear_spill()
                    if request.command == "verify":
                        facts = project.verify(request)
                    else:
                        nodes = project.run(request)
                failed = first_failed(nodes)
                if failed is not None:
                    code, message = (
                        "node_failed",
                        f"{failed['name']}: {one_line(failed['message'])}",
                    )
        except Failure as failure:
            code, message = failure.code, str(failure)
        except Exception as error:
            code, message = "dbt_failed", f"{type(error).__name__}: {one_line(error)}"
        deadline.answer(reply_to(request.id, began, code, message, nodes, facts))


def id_of(line: bytes) -> object:
    """The id of a request that is otherwise bad, so that its sender can match the reply."""
    try:
        fields = json.loads(line)
    except ValueError:
        return None
    return fields.get("id") if isinstance(fields, dict) else None


def profiles(given: Path | None, project_dir: Path, target_path: Path) -> Path:
    """The directory of profiles.yml: the one given, else the project's own, else the example's."""
    if given is not None:
        return given
    if (project_dir / "profiles.yml").exists():
        return project_dir
    directory = target_path / "profiles"
    directory.mkdir(parents=True, exist_ok=True)
    example = project_dir / "profiles.yml.example"
    copy = directory / "profiles.yml"
    content = example.read_bytes()
    if not copy.exists() or copy.read_bytes() != content:
        replace(copy, content)
    return directory


def replace(path: Path, content: bytes) -> None:
    """Puts a file in another's place, whole, whatever else does so at the same time."""
    work = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        work.write_bytes(content)
        work.replace(path)
    except OSError:
        work.unlink(missing_ok=True)
        raise


def main() -> NoReturn:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    here = Path(__file__).resolve().parent
    parser.add_argument("--project-dir", type=Path, default=here, help="dbt project (%(default)s)")
    parser.add_argument(
        "--profiles-dir", type=Path, help="where profiles.yml is (the project, else its example)"
    )
    parser.add_argument("--target-path", type=Path, required=True, help="for dbt's work files")
    parser.add_argument("--log-path", type=Path, required=True, help="for dbt.log")
    parser.add_argument("--target", help="what most requests will ask for (the profile's default)")
    parser.add_argument(
        "--parsed-path", type=Path, help="where the parsed project is kept for other workers"
    )
    arguments = parser.parse_args()

    # dbt's locks make multiprocessing start a process that tidies up after us; it need not complain
    # about an end in the middle, which is how this one ends.
    sys.warnoptions.append("ignore::UserWarning:multiprocessing.resource_tracker")

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    watch_parent()

    # The protocol keeps the real stdin and stdout for itself: what dbt prints goes to stderr.
    requests, replies = os.dup(0), Replies(os.dup(1))
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)
    lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    start_thread(lambda: watch_stdin(requests, lines))

    # dbt changes the working directory to the project's.
    target_path, log_path = arguments.target_path.resolve(), arguments.log_path.resolve()
    project_dir = arguments.project_dir.resolve()
    profiles_dir = profiles(arguments.profiles_dir, project_dir, target_path).resolve()
    if "MEDALLION_WAREHOUSE" in os.environ:
        os.environ["MEDALLION_WAREHOUSE"] = str(Path(os.environ["MEDALLION_WAREHOUSE"]).absolute())
    lease_path = None
    if "MEDALLION_LEASE" in os.environ:
        lease_path = Path(os.environ["MEDALLION_LEASE"]).absolute()

    parsed_path = None if arguments.parsed_path is None else arguments.parsed_path.resolve()

    project = Project(project_dir, profiles_dir, target_path, log_path, parsed_path)
    # Paid before the first request comes. If the project is broken, its reply will say so.
    with contextlib.suppress(Exception):
        project.parse(arguments.target)
    serve(project, lease_path, lines, replies)


if __name__ == "__main__":
    main()
