"""One recording process for each home: two would sign two bodies for one number."""

import fcntl
import os
from pathlib import Path
from typing import Self

from workseal_agent.errors import AgentError


class AlreadyRunningError(AgentError):
    """Say that another process records for this home."""


class HomeLock:
    """Hold a lock that ends with the process, however it ends."""

    def __init__(self, home: Path) -> None:
        self._path = home / "agent.lock"
        self._descriptor: int | None = None

    def __enter__(self) -> Self:
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(descriptor)
            raise AlreadyRunningError("recording runs already for this home") from error
        self._descriptor = descriptor
        return self

    def __exit__(self, *_: object) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
