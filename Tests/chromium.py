"""A real browser for tests of web pages, one that reaches this machine alone.

`Tests/browser/setup` brings Chromium. `python Tests/chromium.py` prints which one is found.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

NAMES = ("chromium", "google-chrome", "chromium-browser", "google-chrome-stable")
PLACES = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)
#: No name but these has an address: a request to anywhere else fails, and is seen.
HERE = ("127.0.0.1", "localhost")

DESKTOP: ViewportSize = {"width": 1280, "height": 900}
PHONE: ViewportSize = {"width": 390, "height": 844}


def find() -> str | None:
    """The browser's path: what `CHROMIUM` names, the system's, or Playwright's own."""
    if named := os.environ.get("CHROMIUM"):
        return named
    for name in NAMES:
        if found := shutil.which(name):
            return found
    with sync_playwright() as playwright:
        places = (*PLACES, playwright.chromium.executable_path)
    return next((place for place in places if Path(place).exists()), None)


@contextmanager
def browser() -> Iterator[Browser]:
    """A browser without a window; skips the test where there is none."""
    path = find()
    if path is None:
        pytest.skip("no Chromium: Tests/browser/setup says why")
    rules = "MAP * ~NOTFOUND, " + ", ".join(f"EXCLUDE {name}" for name in HERE)
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=path, args=[f"--host-resolver-rules={rules}"]
        )
        try:
            yield started
        finally:
            started.close()


@dataclass
class Watched:
    """A page, and what it did that a person does not see."""

    page: Page
    #: Requests to any other host, for pages must need none.
    outside: list[str] = field(default_factory=list)
    #: Errors in the page's console, and what its scripts threw.
    errors: list[str] = field(default_factory=list)


@contextmanager
def open_page(browser: Browser, size: ViewportSize = DESKTOP) -> Iterator[Watched]:
    """A page of a profile of its own."""
    context = browser.new_context(viewport=size)
    watched = Watched(context.new_page())
    page = watched.page

    def see(url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("data", "blob") and parts.hostname not in HERE:
            watched.outside.append(url)

    page.on("request", lambda request: see(request.url))
    page.on("websocket", lambda socket: see(socket.url))
    page.on("pageerror", lambda error: watched.errors.append(str(error)))
    page.on(
        "console",
        lambda message: watched.errors.append(message.text) if message.type == "error" else None,
    )
    try:
        yield watched
    finally:
        context.close()


if __name__ == "__main__":
    path = find()
    print(path or "no Chromium: Tests/browser/setup says why")
    sys.exit(path is None)
