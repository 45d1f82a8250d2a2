"""`medallion serve`, and what it answers."""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from command import Medallion, Running
from promtool import Metrics

#: Every kind of line that metrics count.
FAULTS = "duplicate=0.05,conflict=0.03,rescue=0.05,corrupt=0.1,blank=0.02"


class NewLake(Protocol):
    """Makes a lake: empty, or one that went all the way to gold."""

    def __call__(self, *, settled: bool = True) -> Medallion: ...


#: Nothing here goes through a proxy of the developer's.
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass(frozen=True)
class Server:
    running: Running
    url: str

    def get(self, path: str) -> tuple[int, str]:
        try:
            with OPENER.open(self.url + path, timeout=10) as response:
                return response.status, response.read().decode()
        except urllib.error.HTTPError as refusal:
            with refusal:
                return refusal.code, refusal.read().decode()

    def metrics(self) -> Metrics:
        status, text = self.get("/metrics")
        assert status == 200, text
        return Metrics(text)

    def status(self) -> Any:
        return json.loads(self.get("/api/status")[1])

    def health(self, path: str) -> tuple[int, list[str]]:
        """The code of /healthz or /readyz, and the checks that fail."""
        code, text = self.get(path)
        answer = json.loads(text)
        assert answer["ok"] is (code == 200), text
        return code, answer["failing"]

    def waits_for(self, live: tuple[int, list[str]], ready: tuple[int, list[str]]) -> None:
        """Waits until /healthz and /readyz answer so."""
        wanted = [live, ready]
        found: list[tuple[int, list[str]]] = []

        def look() -> bool:
            found[:] = [self.health("/healthz"), self.health("/readyz")]
            return found == wanted

        try:
            self.running.wait_for(look, f"health is {wanted}", within=20)
        except AssertionError as failure:
            raise AssertionError(f"health is {found}, not {wanted}") from failure


def serve(medallion: Medallion, *arguments: str, port: int = 0) -> Server:
    """Starts the server, and waits until it tells where it listens."""
    running = medallion.start("serve", "--port", port, *arguments)

    def url() -> str | None:
        found = re.search(r"serving (http://\S+?),", running.stderr())
        return found and found[1]

    return Server(running, running.wait_for(url, "the server listens") or "")


@contextmanager
def serving(medallion: Medallion, *arguments: str) -> Iterator[Server]:
    server = serve(medallion, *arguments)
    yield server
    assert server.running.stop().code == 0
