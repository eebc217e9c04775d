"""A headless Chromium with a virtual authenticator, spoken to through its debugging pipe."""

import itertools
import json
import os
import shutil
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Any, Self

AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


class Chromium:
    """Open one page and run scripts in it."""

    def __init__(self, folder: Path) -> None:
        program = shutil.which("chromium")
        if program is None:
            raise RuntimeError("chromium is not installed")
        told, self._tell = os.pipe()
        self._hear, heard = os.pipe()
        self._numbers = itertools.count(1)
        self._buffer = b""
        self._session: str | None = None

        # It reads commands from descriptor 3 and writes answers to 4; a shell puts them there.
        self._process = subprocess.Popen(
            [
                *("/bin/bash", "-c", f'exec "$@" 3<&{told} 4>&{heard}', "bash"),
                *(program, "--headless=new", "--no-sandbox", "--disable-gpu"),
                *("--remote-debugging-pipe", f"--user-data-dir={folder}", "about:blank"),
            ],
            pass_fds=(told, heard),
            stderr=subprocess.DEVNULL,
        )
        os.close(told)
        os.close(heard)

    def open(self, url: str) -> None:
        """Open a page, with an authenticator at hand."""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        attached = self.call("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        self.call("WebAuthn.enable")
        self.call("WebAuthn.addVirtualAuthenticator", options=AUTHENTICATOR)
        self.call("Page.enable")
        self.call("Page.navigate", url=url)

    def run(self, script: str) -> Any:
        """Run the body of an asynchronous function in the page and return its value."""
        answer = self.call(
            "Runtime.evaluate",
            expression=f"(async () => {{ {script} }})()",
            awaitPromise=True,
            returnByValue=True,
            userGesture=True,
        )
        if "exceptionDetails" in answer:
            raise RuntimeError(json.dumps(answer["exceptionDetails"])[:2_000])
        return answer["result"].get("value")

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send one command and wait for its answer."""
        number = next(self._numbers)
        message: dict[str, Any] = {"id": number, "method": method, "params": parameters}
        if self._session is not None:
            message["sessionId"] = self._session
        os.write(self._tell, json.dumps(message).encode() + b"\0")
        while True:
            while b"\0" not in self._buffer:
                piece = os.read(self._hear, 1 << 16)
                if not piece:
                    raise RuntimeError("chromium ended")
                self._buffer += piece
            line, _, self._buffer = self._buffer.partition(b"\0")
            answer: dict[str, Any] = json.loads(line)
            if answer.get("id") == number:
                if "error" in answer:
                    raise RuntimeError(str(answer["error"]))
                result: dict[str, Any] = answer["result"]
                return result

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._process.terminate()
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        os.close(self._tell)
        os.close(self._hear)
