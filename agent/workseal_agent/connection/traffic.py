"""Write down every byte that leaves this machine, as numbered files.

Rule: a file is complete before its request is sent, so nothing can leave that is not in a file.
What cannot be written down is not sent.
"""

import os
import re
from pathlib import Path

from workseal_agent.language import phrase
from workseal_client import Request, Response, Transport, UnreachableError

_NUMBER = re.compile(r"[0-9]{6,12}")


class TrafficRecorder:
    """Pass requests on to another transport after writing each one to a file.

    The files are numbered in the order of sending; several processes may share one folder.
    """

    def __init__(self, inner: Transport, folder: Path) -> None:
        self._inner = inner
        self._folder = folder
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def send(self, request: Request) -> Response:
        """Write the request, then send it."""
        try:
            self._write(request.head() + request.body)
        except OSError as error:
            raise UnreachableError(
                phrase(
                    "a request cannot be written into the traffic folder, and is not sent:"
                    " {reason}",
                    reason=(error.strerror or type(error).__name__).lower(),
                )
            ) from error
        return self._inner.send(request)

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
