"""What was signed about a key and not answered: beside the key's file, until the log has it.

Rules: it is on disk before it is sent. The next command about this key at this verifier sends these
very bytes again, so that an answer that was lost never makes a second statement, which the log
would have to refuse.
"""

import os
import secrets
from pathlib import Path
from typing import Final

from workseal_protocol.cli.files import read_bytes, reason_of, sync_folder, write_new_secret
from workseal_protocol.cli.problem import CommandError
from workseal_protocol.digest import Digest
from workseal_protocol.encoding import MAX_BYTES, encode_sequence, split_sequence
from workseal_protocol.errors import MalformedError
from workseal_protocol.statement import Statement

_MOST: Final = 2  # both announcements of one command
_DIGITS: Final = 16


class Unanswered:
    """Hold the file for one key at one verifier."""

    def __init__(self, key_file: Path, address: str) -> None:
        place = str(Digest.of(address.encode()))[:_DIGITS]
        self.file = key_file.with_name(f"{key_file.name}.{place}.unanswered")

    def read(self) -> tuple[Statement, ...]:
        """Return what was signed and not answered, in the order in which it is sent."""
        if not os.path.lexists(self.file):
            return ()
        data = read_bytes(self.file, limit=_MOST * MAX_BYTES, what="file")
        try:
            return tuple(map(Statement.parse, split_sequence(data, max_items=_MOST)))
        except MalformedError as error:
            raise CommandError(
                f"{self.file} is damaged: what was signed is not known; remove it"
            ) from error

    def keep(self, statements: tuple[Statement, ...]) -> None:
        """Keep statements before they are sent: all of them, or none after a crash."""
        part = self.file.with_name(f"{self.file.name}.{secrets.token_hex(8)}.part")
        write_new_secret(part, encode_sequence([one.encode() for one in statements]))
        try:
            part.replace(self.file)
        except OSError as error:
            part.unlink(missing_ok=True)
            raise CommandError(f"cannot write {self.file}: {reason_of(error)}") from error
        sync_folder(self.file.absolute().parent)

    def let_go(self) -> None:
        """Let go of what was answered, or refused for good."""
        try:
            self.file.unlink(missing_ok=True)
        except OSError as error:
            raise CommandError(f"cannot remove {self.file}: {reason_of(error)}") from error
