"""A headless Chromium driven by playwright, in which some names lead to this machine.

The headless shell draws pages, runs scripts and takes keys as the whole browser does, and has none
of what stands around a page: a new page with its first load takes a small part of the work there.
"""

import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from playwright.sync_api import Browser, BrowserType, sync_playwright

NAMES = ("evil.test", "rebind.test")
WHOLE, SHELL = "chromium", "chromium-headless-shell"


@contextmanager
def chromed(*, whole: str | None = None) -> Iterator[Browser]:
    """Run the system's Chromium; what it blocks by itself today is switched off, to test us.

    It is the headless shell where that is there, unless ``whole`` says why a page is opened in the
    browser that people use.
    """
    with sync_playwright() as playwright:
        browser = _launch(playwright.chromium, whole)
        yield browser
        browser.close()


@contextmanager
def chromed_beside(browser: Browser, *, whole: str) -> Iterator[Browser]:
    """Run the whole browser beside one that runs, for the tests of a module that need it."""
    other = _launch(browser.browser_type, whole)
    yield other
    other.close()


def _launch(kind: BrowserType, whole: str | None) -> Browser:
    program = (None if whole else shutil.which(SHELL)) or shutil.which(WHOLE)
    assert program is not None, f"{WHOLE} is not installed"
    rules = ", ".join(f"MAP {name} 127.0.0.1" for name in NAMES)
    return kind.launch(
        executable_path=program,
        args=[
            "--no-sandbox",
            f"--host-resolver-rules={rules}",
            "--disable-features=LocalNetworkAccessChecks,BlockInsecurePrivateNetworkRequests",
        ],
    )


@contextmanager
def elsewhere() -> Iterator[int]:
    """Serve one empty page to every request, as another program of this machine; give its port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("content-type", "text/html")
            self.end_headers()
            self.wfile.write(b"<!doctype html><title>elsewhere</title><body>")

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
