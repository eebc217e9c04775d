"""Write down every byte that leaves this machine, as numbered files.

Rule: a file is complete before its request is sent, so nothing can leave that is not in a file.
What cannot be written down is not sent.
"""

import os
import re
from pathlib import Path

import httpx

from workseal_agent.language import phrase
from workseal_client.errors import UnreachableError

_NUMBER = re.compile(r"[0-9]{6,12}")


class TrafficRecorder(httpx.BaseTransport):
    """Pass requests on to another transport after writing each one to a file.

    The files are numbered in the order of sending; several processes may share one folder.
    """

    def __init__(self, inner: httpx.BaseTransport, folder: Path) -> None:
        self._inner = inner
        self._folder = folder
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Write the request, then send it."""
        body = request.read()
        try:
            self._write(head_of(request) + body)
        except OSError as error:
            raise UnreachableError(
                phrase(
                    "a request cannot be written into the traffic folder, and is not sent:"
                    " {reason}",
                    reason=(error.strerror or type(error).__name__).lower(),
                )
            ) from error
        return self._inner.handle_request(request)

    def close(self) -> None:
        """Close the transport below."""
        self._inner.close()

    def _write(self, data: bytes) -> None:
        # The folder is the user's: what else lies in it is stepped over.
        names = (path.stem for path in self._folder.glob("*.http"))
        number = 1 + max((int(name) for name in names if _NUMBER.fullmatch(name)), default=0)
        while True:
            path = self._folder / f"{number:06}.http"
            try:
                descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            except FileExistsError:
                number += 1
                continue
            try:
                with os.fdopen(descriptor, "wb") as file:
                    file.write(data)
            except OSError:
                path.unlink(missing_ok=True)
                raise
            return


def head_of(request: httpx.Request) -> bytes:
    """Write the request line and the headers as HTTP/1.1 puts them on the wire."""
    line = request.method.encode() + b" " + request.url.raw_path + b" HTTP/1.1\r\n"
    headers = b"".join(name + b": " + value + b"\r\n" for name, value in request.headers.raw)
    return line + headers + b"\r\n"
