"""A proxy between the store and a real S3 server that breaks what passes through it."""

from __future__ import annotations

import http.client
import http.server
import random
import select
import socket
import struct
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

FAULTS = (
    "unavailable",
    "slow_down",
    "reset_request",
    "reset_response",
    "truncated",
    "slow",
    "lost_answer",
    "corrupt_response",
    "corrupt_request",
    "wrong_checksum",
    "expired",
    "internal_error",
)


def _error(status: int, code: str) -> tuple[int, bytes]:
    body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>injected</Message></Error>"
    return status, body.encode()


class Proxy(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, upstream: str, faults: dict[str, float], seed: int) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        parts = urlsplit(upstream)
        self.upstream = (parts.hostname or "", parts.port or 80)
        self.faults = faults
        self.injected: Counter[str] = Counter()
        self._luck = random.Random(seed)
        self._lock = threading.Lock()

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def draw(self) -> str | None:
        """The fault of the next request, if it has one."""
        with self._lock:
            luck = self._luck.random()
            for name, rate in self.faults.items():
                luck -= rate
                if luck < 0:
                    self.injected[name] += 1
                    return name
        return None

    def handle_error(self, *_: object) -> None:
        """A client that goes away is no news."""


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Proxy

    def _pass_on(self) -> None:
        fault = self.server.draw()
        length = int(self.headers.get("Content-Length") or 0)
        if fault == "reset_request":
            self.rfile.read(length // 2)
            return self._reset()
        body = self.rfile.read(length)
        early = {
            "unavailable": _error(503, "ServiceUnavailable"),
            "slow_down": _error(503, "SlowDown"),
            "internal_error": _error(500, "InternalError"),
            "expired": _error(400, "ExpiredToken"),
        }
        if fault in early:
            return self._answer(
                early[fault][0], {"Content-Type": "application/xml"}, early[fault][1]
            )
        # AWS compares every body with its signed hash; this server only those of objects.
        if fault == "corrupt_request" and body and self.command == "PUT":
            body = _flipped(body)
        connection = http.client.HTTPConnection(*self.server.upstream, timeout=60)
        connection.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        for name, value in self.headers.items():
            connection.putheader(name, value)
        connection.endheaders(body or None)
        response = connection.getresponse()
        content = response.read()
        if fault == "lost_answer":
            return self._reset()
        headers = {
            name: value
            for name, value in response.headers.items()
            if name.lower() not in ("connection", "transfer-encoding", "content-length")
        }
        if fault == "wrong_checksum":
            headers = {
                name: "AAAAAAAAAAA=" if name.lower() == "x-amz-checksum-crc64nvme" else value
                for name, value in headers.items()
            }
        # A listing has no checksum: whoever can change it can say anything.
        is_object = self.command == "GET" and "xml" not in response.headers.get("Content-Type", "")
        if fault == "corrupt_response" and content and is_object:
            content = _flipped(content)
        said = int(response.headers.get("Content-Length") or len(content))
        self._answer(response.status, headers, content, said, fault)
        connection.close()

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = _pass_on

    def _answer(
        self,
        status: int,
        headers: dict[str, str],
        content: bytes,
        length: int | None = None,
        fault: str | None = None,
    ) -> None:
        self.send_response_only(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content) if length is None else length))
        self.end_headers()
        if self.command == "HEAD":
            return
        if fault in ("reset_response", "truncated") and content:
            self.wfile.write(content[: len(content) // 2])
            self.wfile.flush()
            if fault == "reset_response":
                self._reset()
            self.close_connection = True
        elif fault == "slow" and content:
            step = max(1, len(content) // 8)
            for start in range(0, len(content), step):
                self.wfile.write(content[start : start + step])
                self.wfile.flush()
                if self._has_gone(within=0.05):
                    self.close_connection = True
                    return
        else:
            self.wfile.write(content)

    def _has_gone(self, within: float) -> bool:
        """Whether the client hangs up before so many seconds have passed."""
        readable, _, _ = select.select([self.connection], [], [], within)
        return bool(readable) and not self.connection.recv(1, socket.MSG_PEEK)

    def _reset(self) -> None:
        """Ends the connection as a crashed machine does."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        pass


def _flipped(body: bytes) -> bytes:
    middle = len(body) // 2
    return body[:middle] + bytes([body[middle] ^ 1]) + body[middle + 1 :]


@contextmanager
def proxy(upstream: str, faults: dict[str, float], seed: int = 1) -> Iterator[Proxy]:
    """A proxy that injects each fault into that part of the requests."""
    with Proxy(upstream, faults, seed) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield server
        finally:
            server.shutdown()
