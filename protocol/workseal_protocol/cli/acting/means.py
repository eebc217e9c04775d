"""What an act needs and nobody types, from the verifier and from the folder beside the key."""

import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from workseal_protocol.casefile.exhibits import SALT_BYTES
from workseal_protocol.cli.acting.keeping import CaseFolder
from workseal_protocol.cli.acting.said import Said
from workseal_protocol.cli.files import MAX_BUNDLE_BYTES, read_bytes, require_new, write_new_secret
from workseal_protocol.cli.granted import parse_openings
from workseal_protocol.cli.inputs import read_bundle
from workseal_protocol.cli.problem import DOES_NOT_HOLD, CommandError
from workseal_protocol.cli.seeds import read_case_key
from workseal_protocol.cli.text import plain
from workseal_protocol.commitment import Opening
from workseal_protocol.digest import Digest
from workseal_protocol.dispute import Case
from workseal_protocol.sealing import case_public
from workseal_protocol.statement import Statement
from workseal_protocol.terms import Terms


class Giving(Protocol):
    """Give what a verifier has, unproven: the case checks it."""

    def value(self, terms: Terms, number: int) -> bytes:
        """Return a value of the beacon."""
        ...

    def listing(self, engagement: bytes, since: int) -> Iterator[tuple[int, bytes]]:
        """Give (index, statement) of an engagement."""
        ...


class LiveMeans:
    """Bring secrets and keys from a folder, values and the record from a verifier, or a bundle."""

    def __init__(
        self, case: Case, said: Said, folder: CaseFolder, giving: Giving | None = None
    ) -> None:
        self._case = case
        self.said = said
        self.folder = folder
        self._giving = giving
        self._made: list[Path] = []
        self._beside: bytes | None = None
        self.notes: list[str] = []
        self._revealed = False

    def value_of(self, number: int) -> bytes:
        """Return the beacon's value of a round."""
        if self._giving is None:
            raise CommandError("this act needs a value of the verifier's beacon: use --from")
        return self._giving.value(self._case.terms, number)

    def statements(self) -> Iterator[Statement]:
        """Give the record from the bundle that was named, else as the verifier lists it."""
        if self.said.bundle is not None:
            yield from read_bundle(Path(self.said.bundle)).contents.statements
        elif self._giving is None:
            raise CommandError("this act needs the record of work: name --bundle")
        else:
            for _, body in self._giving.listing(self._case.filing.engagement, 0):
                yield Statement.parse(body)

    def new_secret(self) -> bytes:
        """Return the secret of this case, on disk."""
        return self.folder.new_secret(self._case.case)

    def kept_secret(self) -> bytes:
        """Return the secret that was committed to; it goes once it is out."""
        secret = self.folder.secret(self._case.case)
        self._revealed = True
        return secret

    def new_case_key(self) -> bytes:
        """Return the key of this case, on disk; the one that was made for it before, if any."""
        path, case = self._key_file(), self._case.case
        before = self.folder.made_case_key(case, path)
        if before is not None:
            print(plain(f"the key that was made for this case before is used: {path}"))
            return before
        private = self.folder.new_case_key(case, path)
        self._made.append(path)
        print(plain(f"the key of this case is {path}: keep it out of backups"))
        print("a copy of it opens what was shown after the key is destroyed")
        return private

    def case_key(self) -> bytes:
        """Return the key that was declared."""
        path = self._key_file()
        if not os.path.lexists(path):
            raise CommandError(f"there is no {path}: name the case's key, --case-key FILE")
        private = read_case_key(path)
        if case_public(private) != self._case.sealing_key:
            text = f"{path} is not the key that was declared in this case"
            raise CommandError(text, DOES_NOT_HOLD)
        return private

    def openings(self) -> tuple[Opening, ...]:
        """Return what goes beside, read as openings."""
        return parse_openings(self._data(), self.said.file or "")

    def note(self, line: str) -> None:
        """Keep what the signer should know and no statement has."""
        self.notes.append(line)

    def _data(self) -> bytes:
        """Return what goes beside; read once, so that what was looked at is what is signed for."""
        if self.said.file is None or self.said.salted is None:
            raise CommandError("--file and --salted go together")
        if self._beside is None:
            self._beside = read_bytes(Path(self.said.file), limit=MAX_BUNDLE_BYTES, what="file")
        return self._beside

    def handed_over(self) -> bytes:
        """Write what goes beside with a salt behind it, and return the digest of both."""
        data, out = self._data(), Path(self.said.salted or "")
        if os.path.lexists(out):
            return _salted_before(out, data)
        data += secrets.token_bytes(SALT_BYTES)
        write_new_secret(out, data)
        self._made.append(out)
        return Digest.of(data).raw

    def done(self) -> None:
        """Let go of what is out."""
        if self._revealed:
            self.folder.forget_secret(self._case.case)

    def undo(self) -> None:
        """Remove what was written for a statement that nobody ever had.

        Not for one that was sent: a verifier that says that it refused it may have logged it, and
        without its salt or its key nobody opens what that names.
        """
        for path in self._made:
            path.unlink(missing_ok=True)

    def _key_file(self) -> Path:
        named = self.said.case_key
        return self.folder.case_key_file(self._case.case) if named is None else Path(named)


def _salted_before(out: Path, data: bytes) -> bytes:
    """Return the digest of a salted file of exactly this; `CommandError` where it is another's."""
    found = read_bytes(out, limit=MAX_BUNDLE_BYTES + SALT_BYTES, what="file")
    if found[:-SALT_BYTES] != data:
        require_new(out)
    print(plain(f"{out} is that file with a salt already, and is used"))
    return Digest.of(found).raw
