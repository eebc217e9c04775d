"""The second key of a command: a recovery key, or the one that takes another's place."""

import os
import secrets
from pathlib import Path

from workseal_protocol.cli.files import sync_folder
from workseal_protocol.cli.seeds import read_signer, write_seed
from workseal_protocol.keys import SEED_BYTES, SeedSigner


class OtherKey:
    """Take a key from its file; where there is none yet, make one, and write it when told."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._seed: bytes | None = None
        if os.path.lexists(file):
            self.signer = read_signer(file)
        else:
            self._seed = secrets.token_bytes(SEED_BYTES)
            self.signer = SeedSigner(self._seed)

    def write(self) -> None:
        """Write a key that was made here; what stands at its place meanwhile stays."""
        if self._seed is not None:
            write_seed(self._file, self._seed)
            # Or a log could name for ever what a power cut took.
            sync_folder(self._file.absolute().parent)

    def take_back(self) -> None:
        """Remove a key that was made here and is of no use: the log refused it for good."""
        if self._seed is not None:
            self._file.unlink(missing_ok=True)
