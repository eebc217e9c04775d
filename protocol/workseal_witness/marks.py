"""How far the witness has cosigned each log, beside the database: what a restore does not bring.

A database that is behind its mark was restored from a backup. A witness that went on from there
could cosign a second history of the stretch in between.

Rules: the folder is never part of a backup. A mark moves after the database is durable and before
anything is signed, so it is never ahead of a database that nobody touched.
"""

import os
import re
from pathlib import Path

from workseal_protocol.digest import Digest, sha256
from workseal_protocol.witness import NOTHING_SEEN, Seen
from workseal_witness.errors import HomeError, RestoredError

_FORM = re.compile(rb"(0|[1-9][0-9]{0,18}) ([0-9a-f]{64})\n")
_WIDTH = 128


class Marks:
    """Read and move the marks of a home."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def require_reached(self, origin: str, seen: Seen) -> None:
        """Refuse a database that is behind the mark, or that names another root at its size."""
        mark = self._read(origin)
        if mark.size > seen.size:
            raise RestoredError(
                f"this witness has cosigned {origin} up to size {mark.size}, and its database ends"
                f" at {seen.size}: a backup was restored; a new witness needs a new name and key"
            )
        if mark.size == seen.size and mark.root != seen.root:
            raise RestoredError(f"the database holds another tree of {origin} than was cosigned")

    def move(self, origin: str, seen: Seen) -> None:
        """Move a mark forward; one that is further already stays.

        Without fsync: it guards against a restore, not against a power cut, after which an older
        mark is still a true one. Padded to one width, so that one write replaces all of it.
        """
        if seen.size <= self._read(origin).size:
            return
        line = f"{seen.size} {seen.root}\n".encode().ljust(_WIDTH)
        try:
            handle = os.open(self._path(origin), os.O_WRONLY | os.O_CREAT, 0o600)
            try:
                os.pwrite(handle, line, 0)
            finally:
                os.close(handle)
        except OSError as error:
            raise HomeError(f"{self._folder} cannot be written: {error.strerror}") from error

    def _read(self, origin: str) -> Seen:
        path = self._path(origin)
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            return NOTHING_SEEN
        except OSError as error:
            raise HomeError(f"{path} cannot be read: {error.strerror}") from error
        if not data:
            return NOTHING_SEEN  # another process has just made it
        form = _FORM.fullmatch(data.rstrip(b" "))
        if form is None:
            raise HomeError(
                f"{path} is damaged; remove it if you know that the database is no older copy"
            )
        return Seen(int(form[1]), Digest(bytes.fromhex(form[2].decode())))

    def _path(self, origin: str) -> Path:
        return self._folder / sha256(origin.encode()).hex()
