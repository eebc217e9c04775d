"""What must outlive a command: what was learned, what was seen, what was signed and not answered.

Rules: one folder for one key, for its owner alone, files 0600. What was signed is on disk before it
is sent, and stays until an answer is verified: the next command sends these very bytes again, so
that an answer that was lost never makes a second statement. A secret is on disk before anything
commits to it, and goes when it is out.
"""

import os
import re
import secrets
from contextlib import suppress
from pathlib import Path
from typing import Final

from workseal_protocol.cli.acting.known import MAX_KEPT, Known
from workseal_protocol.cli.files import read_bytes, reason_of, sync_folder, write_new_secret
from workseal_protocol.cli.problem import CommandError
from workseal_protocol.cli.seeds import read_case_key, write_case_key
from workseal_protocol.digest import DIGEST_BYTES, Digest
from workseal_protocol.encoding import MAX_BYTES
from workseal_protocol.errors import MalformedError
from workseal_protocol.sealing import PRIVATE_BYTES, case_public
from workseal_protocol.statement import Statement

_MOST_TOLD: Final = 400 * MAX_BYTES
_MOST_KNOWN: Final = MAX_KEPT * MAX_BYTES
_PART: Final = ".part"
_CASE: Final = re.compile(r"[0-9a-f]{64}")


class CaseFolder:
    """Hold the files of one key's cases."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @classmethod
    def beside(cls, key: Path) -> "CaseFolder":
        """Take the folder that stands beside a key file."""
        return cls(key.with_name(f"{key.name}.cases"))

    # --- what was learned and seen ---

    def known(self, engagement: bytes) -> Known:
        """Return what was learned of an engagement; nothing the first time."""
        data = self._read(f"{engagement.hex()}.known", _MOST_KNOWN)
        try:
            return Known() if data is None else Known.parse(data)
        except MalformedError as error:
            path = self.folder / f"{engagement.hex()}.known"
            raise CommandError(f"{path} is damaged: remove it, it is learned anew") from error

    def keep_known(self, engagement: bytes, known: Known) -> None:
        """Keep what was learned."""
        self._replace(f"{engagement.hex()}.known", known.encode())

    def told(self, case: Digest) -> bytes:
        """Return the statements of a case as they were last seen; empty the first time."""
        return self._read(f"{case}.cbor", _MOST_TOLD) or b""

    def seen(self) -> list[str]:
        """Name the cases of which something was seen."""
        names = (path.stem for path in self.folder.glob("*.cbor"))
        return sorted(name for name in names if _CASE.fullmatch(name))

    def keep_told(self, case: Digest, data: bytes) -> None:
        """Keep the statements of a case as they were seen."""
        self._replace(f"{case}.cbor", data)

    # --- what was signed and is not answered ---

    def unanswered(self, name: str) -> Statement | None:
        """Return what was signed for a case, or an engagement's filing, and not answered."""
        data = self._read(f"{name}.unanswered", MAX_BYTES)
        try:
            return None if data is None else Statement.parse(data)
        except MalformedError as error:
            path = self.folder / f"{name}.unanswered"
            raise CommandError(f"{path} is damaged: what was signed is not known") from error

    def is_kept(self, name: str) -> bool:
        """Say whether something is kept that was signed and not answered."""
        return os.path.lexists(self.folder / f"{name}.unanswered")

    def keep_unanswered(self, name: str, statement: Statement) -> None:
        """Keep a statement before it is sent; `CommandError` while there is another one.

        It is there whole or not at all: half of one could be taken for one that was sent.
        """
        self._make()
        path = self.folder / f"{name}.unanswered"
        part = self.folder / f"{name}.{secrets.token_hex(8)}{_PART}"
        write_new_secret(part, statement.encode())
        try:
            _place_new(part, path)
        finally:
            part.unlink(missing_ok=True)
        self._sync()

    def answered(self, name: str) -> None:
        """Let go of what was answered, and of what a command left that was stopped in writing."""
        for part in self.folder.glob(f"{name}.*{_PART}"):
            self._remove(part.name)
        self._remove(f"{name}.unanswered")

    # --- secrets ---

    def new_secret(self, case: Digest) -> bytes:
        """Return the secret for the sample of a case, made and on disk; the same one again."""
        kept = self._read(f"{case}.secret", DIGEST_BYTES)
        if kept is not None and len(kept) == DIGEST_BYTES:
            return kept
        self._remove(f"{case}.secret")
        self._make()
        secret = secrets.token_bytes(DIGEST_BYTES)
        write_new_secret(self.folder / f"{case}.secret", secret)
        self._sync()
        return secret

    def secret(self, case: Digest) -> bytes:
        """Return the secret that was committed to, or raise `CommandError`."""
        kept = self._read(f"{case}.secret", DIGEST_BYTES)
        if kept is None or len(kept) != DIGEST_BYTES:
            raise CommandError(
                f"there is no secret of this case in {self.folder}: without it nothing is revealed,"
                " and the sample is drawn without it"
            )
        return kept

    def forget_secret(self, case: Digest) -> None:
        """Let go of a secret that is out."""
        self._remove(f"{case}.secret")

    def case_key_file(self, case: Digest) -> Path:
        """Say where the key of a case is kept."""
        return self.folder / f"{case}.key"

    def made_case_key(self, case: Digest, path: Path) -> bytes | None:
        """Return the key at a place that was made for this case before; None for a free place.

        Raises `CommandError` for any other: whoever opens one case must not open another by it.
        """
        if not os.path.lexists(path):
            return None
        private = read_case_key(path)
        made = self._read(f"{case}.made", DIGEST_BYTES)
        if made is None and path == self.case_key_file(case):
            # Its name says the case; the command that made it was stopped before it noted that.
            return private
        if made != Digest.of(case_public(private)).raw:
            raise CommandError(
                f"{path} was not made for this case, and a key of two cases opens both: name a new"
                " file, or leave --case-key out"
            )
        return private

    def new_case_key(self, case: Digest, path: Path) -> bytes:
        """Return a new key for a case, on disk, and noted as made for it."""
        self._make()
        private = secrets.token_bytes(PRIVATE_BYTES)
        write_case_key(path, private)
        sync_folder(path.absolute().parent)
        self._replace(f"{case}.made", Digest.of(case_public(private)).raw)
        return private

    # --- the disk ---

    def _read(self, name: str, limit: int) -> bytes | None:
        path = self.folder / name
        if not os.path.lexists(path):
            return None
        self._require_own()
        return read_bytes(path, limit=limit, what="file")

    def _make(self) -> None:
        try:
            self.folder.mkdir(mode=0o700)
            # Or what is put into it could be on disk and found nowhere.
            sync_folder(self.folder.absolute().parent)
        except FileExistsError:
            self._require_own()
        except OSError as error:
            message = f"cannot make the folder {self.folder}: {reason_of(error)}"
            raise CommandError(message) from error

    def _require_own(self) -> None:
        """Refuse a folder that others may use: what it holds is believed, and some of it secret."""
        if os.name == "posix" and self.folder.stat().st_mode & 0o077:
            raise CommandError(
                f"the folder {self.folder} may be used by others; run: chmod 700 {self.folder}"
            )

    def _replace(self, name: str, data: bytes) -> None:
        self._make()
        part = self.folder / f"{name}{_PART}"
        with suppress(FileNotFoundError):
            part.unlink()
        write_new_secret(part, data)
        try:
            part.replace(self.folder / name)
        except OSError as error:
            message = f"cannot write {self.folder / name}: {reason_of(error)}"
            raise CommandError(message) from error
        self._sync()

    def _remove(self, name: str) -> None:
        try:
            (self.folder / name).unlink(missing_ok=True)
        except OSError as error:
            message = f"cannot remove {self.folder / name}: {reason_of(error)}"
            raise CommandError(message) from error

    def _sync(self) -> None:
        sync_folder(self.folder)


def _place_new(part: Path, path: Path) -> None:
    """Give a whole file its name, if that is free, or raise `CommandError`."""
    try:
        _link(part, path)
    except FileExistsError as error:
        raise CommandError(
            f"{path} exists already: another command acts in this case now, or was stopped; look at"
            " the case, and type the act again"
        ) from error
    except OSError as error:
        raise CommandError(f"cannot write {path}: {reason_of(error)}") from error


def _link(part: Path, path: Path) -> None:
    if os.name == "posix":
        try:
            path.hardlink_to(part)  # unlike a rename it replaces nothing
        except FileExistsError:
            raise
        except OSError:
            # A disk without links: then it is looked at first.
            if os.path.lexists(path):
                raise FileExistsError(str(path)) from None
        else:
            return
    part.rename(path)
