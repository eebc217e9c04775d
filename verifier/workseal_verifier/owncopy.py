"""The operator's own statements, copied to the volume that is never restored from a backup.

Agents hold copies of what they sent; nobody else holds what the operator logged between a backup
and the loss of the database. A file in the form of docs/spec/copies.md, written whole each time.
"""

import fcntl
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from workseal_protocol.errors import MalformedError
from workseal_protocol.logcopy import CopiedStatement, CopyReader, encode_copy
from workseal_verifier.errors import ConfigError
from workseal_verifier.keyfiles import replace_file

OWN_FILE: Final = "own.logcopy"


class OwnCopy:
    """The copy in one lock folder; several processes may add to it."""

    def __init__(self, folder: Path, origin: str) -> None:
        self._path = folder / OWN_FILE
        self._guard = folder / "own.lock"
        self._origin = origin

    def next_index(self) -> int:
        """Return the index after the newest statement that is copied."""
        held = self._read()
        return held[-1].index + 1 if held else 0

    def add(self, statements: Iterable[tuple[int, bytes]]) -> None:
        """Copy statements by their index; those that are copied already stay as they are."""
        with self._held():
            known = {one.index: one for one in self._read()}
            fresh = [CopiedStatement(*one) for one in statements if one[0] not in known]
            if not fresh:
                return
            known |= {one.index: one for one in fresh}
            items = [known[index] for index in sorted(known)]
            replace_file(self._path, b"".join(encode_copy(self._origin, items)))

    def _read(self) -> Sequence[CopiedStatement]:
        try:
            data = self._path.read_bytes()
        except FileNotFoundError:
            return ()
        try:
            return [one for one in CopyReader([data]) if isinstance(one, CopiedStatement)]
        except MalformedError as error:
            raise ConfigError(f"{self._path} is damaged: {error}; move it away") from error

    @contextmanager
    def _held(self) -> Iterator[None]:
        handle = os.open(self._guard, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)
