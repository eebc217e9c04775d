"""A headless Firefox, spoken to by Marionette, the protocol that is built into it."""

import json
import shutil
import socket
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

_ELEMENT = "element-6066-11e4-a52e-4f735466cecf"  # how the protocol names an element
_PREFERENCES = """\
user_pref("marionette.port", 0);
user_pref("app.update.enabled", false);
user_pref("datareporting.policy.dataSubmissionEnabled", false);
user_pref("network.proxy.type", 0);
"""


class Firefox:
    """Open one page and run scripts in it."""

    def __init__(self, profile: Path) -> None:
        program = shutil.which("firefox-esr")
        if program is None:
            raise RuntimeError("firefox-esr is not installed")
        profile.mkdir(parents=True, exist_ok=True)
        (profile / "user.js").write_text(_PREFERENCES)
        self._process = subprocess.Popen(
            [program, "--headless", "--marionette", "--no-remote", "--profile", profile],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._number = 0
        self._buffer = b""
        self._socket = socket.create_connection(("127.0.0.1", self._port(profile)), timeout=120)
        self._message()  # what it says of itself
        self.call("WebDriver:NewSession")

    def _port(self, profile: Path) -> int:
        """Wait until it has written the port that it took."""
        deadline = time.monotonic() + 120
        file = profile / "MarionetteActivePort"
        while time.monotonic() < deadline:
            if file.exists() and file.read_text():
                return int(file.read_text())
            time.sleep(0.1)
        raise RuntimeError("Firefox did not begin")

    def call(self, name: str, **parameters: Any) -> Any:
        """Send a command and return its result."""
        self._number += 1
        text = json.dumps([0, self._number, name, parameters]).encode()
        self._socket.sendall(b"%d:%s" % (len(text), text))
        _, _, error, result = self._message()
        if error is not None:
            raise RuntimeError(f"{error['error']}: {error['message']}")
        return result

    def _message(self) -> Any:
        while b":" not in self._buffer:
            self._buffer += self._received()
        length, _, rest = self._buffer.partition(b":")
        while len(rest) < int(length):
            rest += self._received()
        self._buffer = rest[int(length) :]
        return json.loads(rest[: int(length)])

    def _received(self) -> bytes:
        data = self._socket.recv(65_536)
        if not data:
            raise RuntimeError("Firefox closed the connection")
        return data

    def open(self, url: str) -> None:
        """Open a page."""
        self.call("WebDriver:Navigate", url=url)

    def run(self, script: str) -> Any:
        """Run the body of a function in the page and return its value."""
        return self.call("WebDriver:ExecuteScript", script=script, args=[])["value"]

    def choose(self, selector: str, file: Path) -> None:
        """Choose a file as a person does."""
        found = self.call("WebDriver:FindElement", using="css selector", value=selector)["value"]
        self.call("WebDriver:ElementSendKeys", id=found[_ELEMENT], text=str(file))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._socket.close()
        self._process.terminate()
        self._process.wait()
