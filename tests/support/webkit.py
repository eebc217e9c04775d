"""WebKitGTK's MiniBrowser on a virtual display, spoken to by WebDriver over plain HTTP."""

import json
import shutil
import socket
import subprocess
import time
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Any, Self

_ELEMENT = "element-6066-11e4-a52e-4f735466cecf"  # how the protocol names an element
_BROWSERS = "*/webkit2gtk-4.*/MiniBrowser"


class WebKit:
    """Open one page and run scripts in it."""

    def __init__(self, folder: Path, display: str) -> None:
        driver = shutil.which("WebKitWebDriver")
        browser = next(iter(sorted(Path("/usr/lib").glob(_BROWSERS))), None)
        if driver is None or browser is None:
            raise RuntimeError("webkit2gtk-driver is not installed")
        self._port = _free_port()
        # A home of its own: nothing of one run is left for the next.
        environment = {
            "PATH": "/usr/bin:/bin", "HOME": str(folder), "XDG_RUNTIME_DIR": str(folder),
            "DISPLAY": display, "LIBGL_ALWAYS_SOFTWARE": "1",
        }  # fmt: skip
        self._process = subprocess.Popen(
            [driver, f"--port={self._port}"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment,
        )  # fmt: skip
        try:
            self._ready()
            options = {"binary": str(browser), "args": ["--automation"]}
            wanted = {"capabilities": {"alwaysMatch": {"webkitgtk:browserOptions": options}}}
            self._session = self.call("POST", "/session", wanted)["sessionId"]
        except BaseException:
            self._stop()
            raise

    def _ready(self) -> None:
        """Wait until the driver answers."""
        deadline = time.monotonic() + 60
        while True:
            try:
                self.call("GET", "/status")
            except OSError:
                if time.monotonic() > deadline or self._process.poll() is not None:
                    raise
                time.sleep(0.05)
            else:
                return

    def call(self, method: str, path: str, value: Any = None) -> Any:
        """Send a command and return its value."""
        data = None if value is None else json.dumps(value).encode()
        request = urllib.request.Request(
            f"http://127.0.0.1:{self._port}{path}", data, method=method
        )
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=120) as answer:
            return json.loads(answer.read())["value"]

    def open(self, url: str) -> None:
        """Open a page."""
        self.call("POST", f"/session/{self._session}/url", {"url": url})

    def run(self, script: str) -> Any:
        """Run the body of a function in the page and return its value."""
        body = {"script": script, "args": []}
        return self.call("POST", f"/session/{self._session}/execute/sync", body)

    def choose(self, selector: str, file: Path) -> None:
        """Choose a file as a person does."""
        path = f"/session/{self._session}/element"
        found = self.call("POST", path, {"using": "css selector", "value": selector})
        self.call("POST", f"{path}/{found[_ELEMENT]}/value", {"text": str(file)})

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self.call("DELETE", f"/session/{self._session}")
        finally:
            self._stop()

    def _stop(self) -> None:
        self._process.terminate()
        self._process.wait()


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port
