"""Snowpipe's REST calls: the vendor's SDK, our own client, and those who mean no good."""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import http.server
import json
import shutil
import socket
import subprocess
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import duckdb
import pytest
from command import Finished, Medallion, Running
from waiting import wait_until

jwt = pytest.importorskip("jwt", reason="PyJWT is not installed: 'make test' installs it")
ingest = pytest.importorskip(
    "snowflake.ingest", reason="snowflake-ingest is not installed: 'make test' installs it"
)
ingest_error = pytest.importorskip("snowflake.ingest.error")

PIPE = "retail.raw.retail_bronze_pipe"
ACCOUNT = "LOCAL"
USER = "LOADER"
PASSPHRASE = "correct-horse"


# MARK: keys, a lake, a server


@dataclass(frozen=True)
class Keys:
    directory: Path

    @property
    def private(self) -> Path:
        return self.directory / "rsa_key.p8"

    @property
    def encrypted(self) -> Path:
        return self.directory / "rsa_key.enc.p8"

    @property
    def public(self) -> Path:
        return self.directory / "rsa_key.pub"

    def fingerprint(self) -> str:
        """By openssl, which knows nothing of this program."""
        der = subprocess.run(
            ["openssl", "pkey", "-in", self.private, "-pubout", "-outform", "DER"],
            capture_output=True,
            check=True,
        ).stdout
        digest = subprocess.run(
            ["openssl", "dgst", "-sha256", "-binary"], input=der, capture_output=True, check=True
        ).stdout
        return "SHA256:" + base64.b64encode(digest).decode()


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    keys = Keys(tmp_path_factory.mktemp("keys"))
    private, public, encrypted = str(keys.private), str(keys.public), str(keys.encrypted)
    # The last one as the vendor's own guide has it.
    for line in (
        f"genpkey -quiet -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out {private}",
        f"pkey -in {private} -pubout -out {public}",
        f"pkcs8 -topk8 -v2 des3 -in {private} -out {encrypted} -passout pass:{PASSPHRASE}",
    ):
        command = line.split(" ")
        subprocess.run(["openssl", *command], check=True, capture_output=True)
    return keys


@dataclass
class Served:
    """A lake with bronze files that nobody loaded, and `medallion serve` on it."""

    medallion: Medallion
    keys: Keys
    running: Running | None = None
    port: int = 0
    #: Paths of the bronze files, relative to the stage.
    files: list[str] = field(default_factory=list)

    @property
    def users(self) -> Path:
        return self.medallion.scratch / "users.yaml"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self, *arguments: str | Path, environment: dict[str, str] | None = None) -> None:
        running = self.medallion.start(
            *("serve", "--port", 0, "--users", self.users, *arguments), environment=environment
        )

        def listening() -> int:
            for line in running.stderr().splitlines():
                if "serving http://127.0.0.1:" in line:
                    return int(line.split("127.0.0.1:")[1].split(",")[0])
            return 0

        self.port = running.wait_for(listening, "the server listens")
        self.running = running

    def kill(self) -> Finished:
        assert self.running is not None
        return self.running.kill()

    def stop(self) -> Finished:
        assert self.running is not None
        return self.running.stop()

    def token(self, header: dict[str, Any] | None = None, **changes: Any) -> str:
        """A good token, and what is changed of it; None takes a claim away."""
        now = int(time.time())
        claims = {
            "iss": f"{ACCOUNT}.{USER}.{self.keys.fingerprint()}",
            "sub": f"{ACCOUNT}.{USER}",
            "iat": now,
            "exp": now + 3540,
            **changes,
        }
        claims = {name: value for name, value in claims.items() if value is not None}
        return str(jwt.encode(claims, self.keys.private.read_text(), "RS256", header))

    def call(
        self,
        call: str,
        body: bytes | None = None,
        *,
        token: str | None = None,
        pipe: str = PIPE,
        query: str = "",
        headers: dict[str, str] | None = None,
    ) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(
                "GET" if body is None else "POST",
                f"/v1/data/pipes/{quote(pipe)}/{call}?requestId={uuid.uuid4()}{query}",
                body,
                {
                    "Authorization": f"Bearer {token or self.token()}",
                    "Content-Type": "application/json",
                    **(headers or {}),
                },
            )
            response = connection.getresponse()
            text = response.read()
            return Answer(response.status, json.loads(text) if text else None)
        finally:
            connection.close()

    def insert(self, *paths: str) -> Answer:
        return self.call(
            "insertFiles", json.dumps({"files": [{"path": path} for path in paths]}).encode()
        )

    def sdk(self) -> Any:
        """The vendor's own client, as it is."""
        return ingest.SimpleIngestManager(
            account=ACCOUNT.lower(),
            user=USER.lower(),
            pipe=PIPE,
            private_key=self.keys.private.read_text(),
            scheme="http",
            host="127.0.0.1",
            port=self.port,
        )

    def client(
        self, *arguments: str | Path | int, key: Path | None = None, **options: Any
    ) -> Finished:
        """This command, as a client of the endpoint."""
        return self.medallion.run(
            *("pipe", *arguments, "--account", ACCOUNT, "--user", USER),
            *("--private-key", key or self.keys.private, "--endpoint", self.url),
            **options,
        )

    def loaded(self) -> list[str]:
        """What the warehouse's own history has, file by file, in their order."""
        return [path for path, status in self.copy_history() if status == "Loaded"]

    def copy_history(self) -> list[tuple[str, str]]:
        def look() -> list[tuple[str, str]] | None:
            try:
                connection = duckdb.connect(str(self.medallion.warehouse), read_only=True)
            except duckdb.IOException:
                # A load is at it.
                return None
            try:
                return connection.execute(
                    "SELECT FILE_NAME, STATUS FROM raw.copy_history ORDER BY LAST_LOAD_TIME"
                ).fetchall()
            finally:
                connection.close()

        if not self.medallion.warehouse.exists():
            return []
        found: list[list[tuple[str, str]]] = []

        def looked() -> bool:
            rows = look()
            if rows is not None:
                found.append(rows)
            return rows is not None

        wait_until(looked, "the warehouse is free")
        return found[0]


@dataclass(frozen=True)
class Answer:
    status: int
    body: Any

    @property
    def code(self) -> str:
        assert set(self.body) == {"data", "code", "message", "success", "headers"}
        assert self.body["success"] is False and self.body["data"] is None
        return str(self.body["code"])


@pytest.fixture(scope="module")
def bronze(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lake of four days with a bronze file each, of which nothing is loaded."""
    directory = tmp_path_factory.mktemp("bronze")
    medallion = Medallion(directory / "lake", scratch=directory / "commands")
    for day in range(4):
        medallion.run(
            *("simulate", "--events", 50, "--batch-size", 50, "--seed", day, "--faults", "none"),
            *(
                "--from",
                f"2026-10-0{day + 1}T00:00:00Z",
                "--until",
                f"2026-10-0{day + 2}T00:00:00Z",
            ),
        )
    medallion.run("bronze", "--once")
    return medallion.lake


@pytest.fixture
def served(bronze: Path, keys: Keys, new_medallion: Callable[[str], Medallion]) -> Iterator[Served]:
    medallion = new_medallion("lake")
    shutil.copytree(bronze, medallion.lake)
    medallion.scratch.mkdir(parents=True, exist_ok=True)
    served = Served(medallion, keys)
    stage = medallion.lake / "bronze"
    served.files = sorted(str(path.relative_to(stage)) for path in stage.rglob("*.parquet"))
    assert len(served.files) >= 4
    medallion.run(
        *("pipe", "keys", "--account", ACCOUNT, "--user", USER),
        *("--private-key", keys.private, "--users", served.users),
        on_lake=False,
    )
    served.start()
    yield served


# MARK: the vendor's SDK


def test_the_vendors_sdk_ingests_reports_and_scans(served: Served) -> None:
    sdk = served.sdk()
    named = served.files[:2]
    request = uuid.uuid4()
    answer = sdk.ingest_files([ingest.StagedFile(path, None) for path in named], request)
    assert answer["responseCode"] == "SUCCESS"
    assert answer["status"] == "success"
    assert answer["requestId"] == str(request)

    seen: dict[str, Any] = {}

    def reported() -> bool:
        report = sdk.get_history()
        assert report["pipe"].lower() == PIPE
        assert report["completeResult"] is True
        seen.update({file["path"]: file for file in report["files"]})
        return set(named) <= seen.keys()

    wait_until(reported, "both files are in the report")
    for path in named:
        file = seen[path]
        assert file["status"] == "LOADED" and file["complete"] is True
        assert file["rowsInserted"] == file["rowsParsed"] > 0
        assert file["errorsSeen"] == 0
        assert file["fileSize"] == (served.medallion.lake / "bronze" / path).stat().st_size
        assert file["timeReceived"] <= file["lastInsertTime"]
        assert "firstError" not in file and "systemError" not in file
    # The mark leaves out what was told before, and other files were not loaded.
    assert sdk.get_history()["files"] == []
    assert sdk.get_history(recent_seconds=600)["files"] == []
    assert sorted(served.loaded()) == named

    scan = sdk.get_history_range("2026-01-01T00:00:00Z", "2100-01-01T00:00:00+00:00")
    assert sorted(file["path"] for file in scan["files"]) == named
    assert {"startTimeInclusive", "endTimeExclusive", "rangeStartTime", "rangeEndTime"} <= set(scan)
    # A file that was loaded is not loaded again.
    sdk.ingest_files([ingest.StagedFile(path, 1) for path in named])
    sdk.ingest_files([ingest.StagedFile(served.files[2], None)])
    wait_until(lambda: len(served.loaded()) == 3, "the third file is loaded")
    assert sorted(served.loaded()) == served.files[:3]


def test_the_vendors_sdk_goes_on_after_the_server_was_killed_in_the_middle(served: Served) -> None:
    # Recorded, and killed before anything could be loaded.
    served.medallion.run("pipe", "pause")
    sdk = served.sdk()
    sdk.ingest_files([ingest.StagedFile(path, None) for path in served.files])
    port = served.port
    served.kill()
    assert served.loaded() == []
    served.medallion.run("pipe", "resume")
    # While nobody answers, the SDK tries again; it must meet the same port.
    with ThreadPoolExecutor() as pool:
        early = pool.submit(sdk.get_history)
        served.start("--port", str(port))
        assert served.port == port
        assert early.result(90)["pipe"].lower() == PIPE
    wait_until(lambda: sorted(served.loaded()) == served.files, "everything named is loaded")
    # Killed again right after: the report is what it was.
    served.kill()
    served.start("--port", str(port))
    report = served.sdk().get_history()
    assert sorted(file["path"] for file in report["files"]) == served.files
    assert {file["status"] for file in report["files"]} == {"LOADED"}


def test_the_vendors_sdk_tells_refusals_as_it_tells_the_real_ones(served: Served) -> None:
    sdk = served.sdk()
    sdk.pipe = "retail.raw.nobodys_pipe"
    with pytest.raises(ingest_error.IngestResponseError) as caught:
        sdk.ingest_files([ingest.StagedFile("a", None)])
    assert caught.value.http_error_code == 404
    assert caught.value.code == "390404"
    stranger = ingest.SimpleIngestManager(
        *(ACCOUNT, "stranger", PIPE, served.keys.private.read_text()),
        **{"scheme": "http", "host": "127.0.0.1", "port": served.port},
    )
    with pytest.raises(ingest_error.IngestResponseError) as caught:
        stranger.get_history()
    assert caught.value.http_error_code == 401
    assert caught.value.code == "394300"


# MARK: durability


@pytest.mark.parametrize(("point", "queued"), [("before-queue", False), ("after-queue", True)])
def test_a_kill_around_the_record_leaves_all_of_a_request_or_nothing(
    served: Served, point: str, queued: bool
) -> None:
    served.stop()
    served.start(environment={"MEDALLION_CRASH_AT": point})
    with pytest.raises((http.client.HTTPException, OSError)):
        served.insert(*served.files)
    assert served.running is not None and served.running.wait().code == -9
    served.start()
    if queued:
        wait_until(lambda: len(served.loaded()) == len(served.files), "it was recorded")
    # The client, who had no answer, asks again.
    assert served.insert(*served.files).status == 200
    wait_until(lambda: sorted(served.loaded()) == served.files, "each is loaded once")


@pytest.mark.parametrize("point", ["before-load", "after-load"])
def test_a_kill_around_the_load_loads_each_file_once(served: Served, point: str) -> None:
    served.stop()
    served.start(environment={"MEDALLION_CRASH_AT": point})
    assert served.insert(*served.files).status == 200
    assert served.running is not None and served.running.wait().code == -9
    served.start()

    def reported() -> bool:
        report = served.call("insertReport").body
        return (
            sorted(file["path"] for file in report["files"]) == served.files
            and report["statistics"]["activeFilesCount"] == 0
        )

    wait_until(reported, "all are in the report")
    assert sorted(served.loaded()) == served.files
    served.stop()
    served.medallion.run("transform")
    assert served.medallion.verify(deep=True)["pending"] == 0


def test_beside_ingest_and_a_run_each_file_is_loaded_once(served: Served) -> None:
    follow = served.medallion.start("ingest", "--follow")
    assert served.insert(*served.files, "dt=2026-10-01/none.parquet").status == 200
    follow.wait_for(lambda: len(served.loaded()) == len(served.files), "somebody loads them")

    def answered() -> bool:
        files = served.call("insertReport").body["files"]
        return {"dt=2026-10-01/none.parquet": "LOAD_FAILED"}.items() <= {
            file["path"]: file["status"] for file in files
        }.items()

    follow.wait_for(answered, "what is not there is told, too")
    assert sorted(served.loaded()) == served.files
    assert follow.stop().code == 0
    # The server holds the stage for no longer than a load.
    served.medallion.run("ingest", "--once")
    report = served.medallion.verify()
    assert [check for check in report["checks"] if not check["ok"]] == []


# MARK: this command as a client


def test_notify_waits_and_an_encrypted_key_opens_with_its_passphrase(served: Served) -> None:
    finished = served.client(
        *("notify", "--from-lake", "--wait", "--json"),
        key=served.keys.encrypted,
        environment={"MEDALLION_PRIVATE_KEY_PASSPHRASE": PASSPHRASE},
    )
    outcome = finished.json()
    assert [file["path"] for file in outcome["files"]] == served.files
    assert outcome["waiting"] == []
    assert sorted(served.loaded()) == served.files
    again = served.client("notify", "--from-lake", "--json").json()
    assert again == {"files": len(served.files), "requests": 1, "skipped": served.files}
    status = served.client("status", "--json").json()
    assert status["executionState"] == "RUNNING" and status["pendingFileCount"] == 0
    assert status["lastIngestedFilePath"] in served.files
    history = served.client("history", "--json").json()["files"]
    assert sorted(file["path"] for file in history) == served.files
    assert served.client("history", "--until", "2026-01-01", "--since", "2025-01-01").stdout == (
        "0 files since 2025-01-01T00:00:00.000Z\n"
    )
    report = served.client("report", served.files[0], "--json").json()
    assert [file["status"] for file in report["files"]] == ["LOADED"]


def test_report_fails_for_a_file_that_failed_and_names_one_that_waits(served: Served) -> None:
    served.client("pause")
    served.client("notify", "dt=2026-10-01/none.parquet", served.files[0])
    waits = served.client("report", served.files[0], "--timeout", "1s", check=1)
    assert f"waits: {served.files[0]}" in waits.stdout
    assert "PAUSED" in served.client("status").stdout
    served.client("resume")
    failed = served.client(
        *("report", "dt=2026-10-01/none.parquet", served.files[0], "--json"), check=1
    ).json()
    assert {file["path"]: file["status"] for file in failed["files"]} == {
        "dt=2026-10-01/none.parquet": "LOAD_FAILED",
        served.files[0]: "LOADED",
    }
    queued = served.client("refresh", "--prefix", served.files[1][:13], "--json").json()["files"]
    assert queued == [served.files[1]]
    wait_until(lambda: served.files[1] in served.loaded(), "the refreshed file is loaded")


def test_many_files_go_in_calls_of_5000(served: Served) -> None:
    served.client("pause")
    paths = [f"dt=2026-10-01/{number}.parquet" for number in range(5001)]
    summary = served.client("notify", *paths, "--json").json()
    assert (summary["files"], summary["requests"]) == (5001, 2)
    assert served.client("status", "--json").json()["pendingFileCount"] == 5001 + len(served.files)
    assert served.call("insertReport").body["statistics"]["activeFilesCount"] == 5001


def test_a_key_that_cannot_be_used_is_told_with_the_mend(served: Served, tmp_path: Path) -> None:
    for key, environment, words in (
        (served.keys.public, {}, "is a public key"),
        (served.users, {}, "no RSA private key"),
        (tmp_path / "none.p8", {}, "no such file"),
        (served.keys.encrypted, {}, "set MEDALLION_PRIVATE_KEY_PASSPHRASE"),
        (
            served.keys.encrypted,
            {"MEDALLION_PRIVATE_KEY_PASSPHRASE": "wrong"},
            "passphrase does not open it",
        ),
    ):
        finished = served.client("status", key=key, environment=environment, check=1)
        assert words in finished.stderr, str(finished)
        assert len(finished.stderr.strip().splitlines()) == 1
        assert "wrong\n" not in finished.stderr


def test_a_user_or_pipe_that_is_not_there_is_told(served: Served) -> None:
    finished = served.client("report", "--pipe", "retail.raw.other", check=1)
    assert "390404" in finished.stderr
    other = served.medallion.run(
        *("pipe", "status", "--account", ACCOUNT, "--user", "nobody"),
        *("--private-key", served.keys.private, "--endpoint", served.url),
        check=1,
    )
    assert "394300" in other.stderr and "--user" in other.stderr
    assert served.client("status", "--pipe", "bronze", check=2).stderr
    assert served.medallion.run("pipe", "status", "--pipe", "a.b.c", check=2).stderr
    assert served.medallion.run("pipe", "status", "--user", "x", check=2).stderr
    remote = served.medallion.run(
        *("pipe", "status", "--account", ACCOUNT, "--user", USER, "--private-key"),
        *(served.keys.private, "--endpoint", "http://example.com"),
        check=2,
    )
    assert "https" in remote.stderr


def test_keys_are_made_for_their_owner_alone_and_never_overwritten(
    served: Served, tmp_path: Path
) -> None:
    out = tmp_path / "new.p8"
    made = served.medallion.run(
        "pipe", "keys", "--user", USER, "--out", out, "--json", on_lake=False
    ).json()
    assert out.stat().st_mode & 0o777 == 0o600
    copy = Keys(tmp_path)
    copy.private.write_bytes(out.read_bytes())
    assert made["fingerprint"] == copy.fingerprint()
    public = (tmp_path / "new.pub").read_text()
    assert made["public_key"] == "".join(public.splitlines()[1:-1])
    assert made["statement"] == (f"ALTER USER {USER} SET RSA_PUBLIC_KEY='{made['public_key']}';")
    again = served.medallion.run("pipe", "keys", "--out", out, check=1, on_lake=False)
    assert "is there already" in again.stderr
    # A second key of the user works beside the first, without a restart.
    served.medallion.run(
        *("pipe", "keys", "--account", ACCOUNT, "--user", USER),
        *("--private-key", out, "--users", served.users),
        on_lake=False,
    )
    assert served.client("status", key=out).code == 0
    assert served.client("status").code == 0
    third = served.medallion.run(
        *("pipe", "keys", "--account", ACCOUNT, "--user", USER),
        *("--private-key", out, "--users", served.users),
        check=1,
        on_lake=False,
    )
    assert "has two keys" in third.stderr


# MARK: the pipe of the lake itself


def test_the_lakes_own_pipe_is_asked_without_a_server(served: Served) -> None:
    served.stop()
    medallion = served.medallion
    medallion.run("pipe", "pause")
    assert medallion.status()["pipe"]["state"] == "PAUSED"
    refused = medallion.run("ingest", "--once", check=1)
    assert "medallion pipe resume" in refused.stderr
    status = medallion.run("pipe", "status", "--json").json()
    assert status["executionState"] == "PAUSED"
    assert status["pendingFileCount"] == len(served.files)
    assert status["oldestPendingFilePath"] in served.files
    lag = medallion.status()["pipe"]["lag_seconds"]
    assert lag > 0
    medallion.run("pipe", "resume")
    medallion.run("ingest", "--once")
    assert medallion.status()["pipe"] == {"state": "RUNNING", "pending": 0, "lag_seconds": None}
    report = medallion.run("pipe", "report", "--json").json()
    assert sorted(file["path"] for file in report["files"]) == served.files
    assert medallion.run("pipe", "refresh", "--json").json() == {"files": []}


def test_a_broken_file_is_told_to_a_webhook_and_a_file(served: Served, tmp_path: Path) -> None:
    served.stop()
    received: list[Any] = []
    refusing = threading.Event()
    refusing.set()

    class Hook(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if refusing.is_set():
                self.send_response(503)
            else:
                received.append(json.loads(body))
                self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *arguments: Any) -> None:
            return None

    hook = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hook)
    thread = threading.Thread(target=hook.serve_forever)
    thread.start()
    try:
        path = served.medallion.lake / "bronze" / served.files[0]
        path.write_bytes(path.read_bytes()[:-1])
        secret = f"http://127.0.0.1:{hook.server_port}/services/T0KEN"
        served.start("--error-notification", secret)
        assert served.insert(*served.files).status == 200
        wait_until(lambda: len(served.loaded()) == len(served.files) - 1, "the others are loaded")
        assert served.running is not None
        served.running.wait_for(
            lambda: "an error notification waits" in served.running.stderr(), "it is refused"
        )
        refusing.clear()
        assert served.insert("dt=2026-10-01/none.parquet").status == 200
        wait_until(lambda: len(received) == 2, "both are delivered")
        errors = {body["messages"][0]["fileName"]: body for body in received}
        assert set(errors) == {served.files[0], "dt=2026-10-01/none.parquet"}
        assert {body["messageType"] for body in received} == {"INGEST_FAILED_FILE"}
        assert "T0KEN" not in served.stop().stderr
    finally:
        hook.shutdown()
        thread.join()
        hook.server_close()
    assert ("dt=2026-10-01/none.parquet", "Load failed") in served.copy_history()


# MARK: those who mean no good


def test_every_wrong_token_is_401_with_its_code(served: Served, tmp_path: Path) -> None:
    now = int(time.time())
    stranger = tmp_path / "stranger.p8"
    subprocess.run(
        ["openssl", "genpkey", "-quiet", "-algorithm", "RSA", "-out", stranger], check=True
    )
    subject, issuer = f"{ACCOUNT}.{USER}", f"{ACCOUNT}.{USER}.{served.keys.fingerprint()}"
    foreign = jwt.encode(
        {"iss": issuer, "sub": subject, "iat": now, "exp": now + 60},
        stranger.read_text(),
        "RS256",
    )
    secret = served.keys.public.read_bytes()
    claims = {"iss": issuer, "sub": subject, "iat": now, "exp": now + 60}

    def unsigned(header: dict[str, Any]) -> str:
        def part(value: Any) -> str:
            text = json.dumps(value).encode()
            return base64.urlsafe_b64encode(text).rstrip(b"=").decode()

        return f"{part(header)}.{part(claims)}."

    def by_public_key() -> str:
        # The old confusion: the public key taken for the secret of an HMAC.
        signing = unsigned({"alg": "HS256", "typ": "JWT"})[:-1]
        mac = hmac.new(secret, signing.encode(), hashlib.sha256).digest()
        return f"{signing}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"

    good = served.token()
    cases = {
        "390144": ["", "abc", "a.b.c", good[:-5] + ".", good + ".x", "é" * 10],
        "394300": [
            served.token(sub=f"{ACCOUNT}.EVE", iss=issuer.replace(USER, "EVE")),
        ],
        "394301": [served.token(iat=None), served.token(exp=None)],
        "394302": [
            served.token(iat=now + 3600, exp=now + 7000),
            served.token(exp=now + 3700),
        ],
        "394303": [served.token(iat=now - 7200, exp=now - 3700)],
        "394304": [served.token(iss=f"{subject}.SHA256:{base64.b64encode(b'x' * 32).decode()}")],
        "394305": [
            unsigned({"alg": "none"}),
            unsigned({"alg": "RS512"}),
            by_public_key(),
        ],
        "394306": [foreign, good[:-8] + ("AAAAAAA" + ("A" if good[-1] != "A" else "Q"))],
        "394307": [served.token(sub=f"OTHER.{USER}", iss=issuer.replace(ACCOUNT, "OTHER"))],
    }
    for code, tokens in cases.items():
        for token in tokens:
            raw = raw_request(served, f"Bearer {token}")
            assert (raw.status, raw.code) == (401, code), token[:40]
    for header in ("", "Basic abc", good, "Bearer"):
        assert raw_request(served, header).code == "390144"
    # Pipes are not told apart to those who may not ask.
    assert served.call("insertReport", token="x", pipe="a.b.c").status == 401
    # Skew of a minute is allowed, and the scheme's case does not matter.
    assert served.call("insertReport", token=served.token(iat=now + 50, exp=now + 60)).status == 200
    assert raw_request(served, f"bearer {good}").status == 200
    assert served.loaded() == []
    stopped = served.stop()
    assert good not in stopped.stderr and good.split(".")[2] not in stopped.stderr


def raw_request(served: Served, authorization: str) -> Answer:
    with socket.create_connection(("127.0.0.1", served.port), timeout=30) as connection:
        head = (
            f"GET /v1/data/pipes/{PIPE}/insertReport HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
        )
        if authorization:
            head += f"Authorization: {authorization}\r\n"
        connection.sendall((head + "\r\n").encode())
        answer = http.client.HTTPResponse(connection)
        answer.begin()
        return Answer(answer.status, json.loads(answer.read()))


def test_what_is_no_request_is_refused_and_nothing_is_half_queued(served: Served) -> None:
    served.medallion.run("pipe", "pause")
    good = served.files[0]
    many = [{"path": f"dt=2026-10-01/{number}.parquet"} for number in range(5001)]
    for body in (
        b"",
        b"not json",
        b"[]",
        b"{}",
        b'{"files":[]}',
        b'{"files":"x"}',
        b'{"files":[{"size":1}]}',
        b'{"files":[{"path":1}]}',
        b'{"files":[{"path":"' + good.encode() + b'"},{"path":"../raw/x.json"}]}',
        b'{"files":[{"path":"' + good.encode() + b'"},{"path":"/etc/passwd"}]}',
        b'{"files":[{"path":"' + good.encode() + b'"},{"path":"s3://other/x"}]}',
        b'{"files":[{"path":"' + good.encode() + b'","size":-1}]}',
        b'{"files":[{"path":"' + b"a" * 1025 + b'"}]}',
        b'{"files":[{"path":"\xff"}]}',
        b"[" * 100_000,
        json.dumps({"files": many}).encode(),
    ):
        answer = served.call("insertFiles", body)
        assert (answer.status, answer.code) == (400, "390400"), body[:60]
    wrong = {"Content-Type": "application/xml"}
    assert served.call("insertFiles", b"<files/>", headers=wrong).status == 415
    assert served.call("insertFiles", b"x" * (9 << 20)).status == 413
    for query in ("", "&startTimeInclusive=yesterday", "&startTimeInclusive=2026-11-01T00:00:00"):
        assert served.call("loadHistoryScan", query=query).status == 400
    assert served.call("insertReport").body["statistics"]["activeFilesCount"] == 0
    # Lines of text are taken as well, and 5 000 files.
    plain = {"Content-Type": "text/plain"}
    text = "\n".join(served.files).encode()
    assert served.call("insertFiles", text, headers=plain).status == 200
    assert served.call("insertFiles", json.dumps({"files": many[:5000]}).encode()).status == 200
    waiting = served.call("insertReport").body["statistics"]["activeFilesCount"]
    assert waiting == len(served.files) + 5000


def test_a_header_of_10_mb_ends_its_connection_and_nothing_else(served: Served) -> None:
    head = f"GET /v1/data/pipes/{PIPE}/insertReport HTTP/1.1\r\nHost: x\r\nX-Long: ".encode()
    with socket.create_connection(("127.0.0.1", served.port), timeout=30) as connection:
        answer = b""
        try:
            connection.sendall(head)
            for _ in range(160):
                connection.sendall(b"a" * (64 << 10))
            answer = connection.recv(1 << 16)
        except OSError:
            # It was closed while there was more to come.
            pass
        assert answer == b"" or answer.startswith(b"HTTP/1.1 4"), answer
    with socket.create_connection(("127.0.0.1", served.port), timeout=30) as connection:
        lines = b"".join(b"X-%d: a\r\n" % number for number in range(5000))
        try:
            connection.sendall(head[: head.index(b"X-Long")] + lines + b"\r\n")
            answer = connection.recv(1 << 16)
        except OSError:
            answer = b""
        assert answer == b"" or answer.startswith(b"HTTP/1.1 4"), answer
    assert served.call("insertReport").status == 200
    assert resident_mib(served) < 200


def resident_mib(served: Served) -> float:
    assert served.running is not None
    status = Path(f"/proc/{served.running.process.pid}/status").read_text()
    (line,) = [line for line in status.splitlines() if line.startswith("VmRSS:")]
    return int(line.split()[1]) / 1024


def test_slow_clients_and_garbage_do_not_keep_others_waiting(served: Served) -> None:
    body = json.dumps({"files": [{"path": served.files[0]}]}).encode()
    head = (
        f"POST /v1/data/pipes/{PIPE}/insertFiles HTTP/1.1\r\nHost: x\r\n"
        f"Authorization: Bearer {served.token()}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    ).encode()
    slow = []
    try:
        for number in range(100):
            connection = socket.create_connection(("127.0.0.1", served.port), timeout=30)
            # Some stop within the header, some before the last byte of the body.
            connection.sendall(head[: 40 + number] if number % 2 else head + body[:-1])
            slow.append(connection)
        for garbage in (b"\x16\x03\x01\x02\x00\x01", b"\0" * 1000, b"GET\r\n\r\n"):
            with socket.create_connection(("127.0.0.1", served.port), timeout=30) as connection:
                connection.sendall(garbage)
        began = time.monotonic()
        assert served.call("insertReport").body["statistics"]["activeFilesCount"] == 0
        assert time.monotonic() - began < 5
        # The last byte makes one of them whole.
        slow[0].sendall(body[-1:])
        answer = http.client.HTTPResponse(slow[0])
        answer.begin()
        assert answer.status == 200
        # Open connections do not hold up the end.
        finished = served.stop()
        assert finished.code == 0, str(finished)
    finally:
        for connection in slow:
            connection.close()


def test_serve_ends_on_a_signal_and_tells_what_it_lacks(served: Served, tmp_path: Path) -> None:
    busy = served.medallion.run("serve", "--port", served.port, "--users", served.users, check=1)
    assert served.running is not None
    assert f"(process {served.running.process.pid}) listens there" in busy.stderr
    assert served.stop().code == 0
    missing = served.medallion.run("serve", "--port", 0, "--users", tmp_path / "none.yaml", check=1)
    assert "medallion pipe keys" in missing.stderr
    broken = tmp_path / "users.yaml"
    for text in ("", "users: 1", "account: x\nusers:\n  A: {}\n", "account: [", "{"):
        broken.write_text(text)
        finished = served.medallion.run("serve", "--port", 0, "--users", broken, check=1)
        assert str(broken) in finished.stderr
    broken.write_text(
        f"account: x\nusers:\n  A:\n    rsa_public_key: {base64.b64encode(b'no')!r}\n"
    )
    served.medallion.run("serve", "--port", 0, "--users", broken, check=1)
    served.medallion.run("serve", "--port", 70000, "--users", served.users, check=2)
