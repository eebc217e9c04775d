"""Making a home from a backup: aside, checked, and only then under its name.

Rules: a home is never written over. Nothing counts before the last chunk was authenticated and the
keys and the ledger agree. Objects of the vault that are missing or damaged are named, and cost
nothing but themselves. What the ledger does not name is not kept: it was withdrawn while the backup
was made. A ledger has its name only when each engagement is marked: whatever ends a restore, no
home is left that signs before it has caught up.
"""

import fcntl
import os
import re
import secrets
import shutil
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from workseal_agent.backup import CONFIG, KEYS, LEDGER, NAMES, VAULT
from workseal_agent.backupfile import open_backup
from workseal_agent.backupmaker import keep_maker
from workseal_agent.chain import OwnChain
from workseal_agent.config import Settings, load_settings
from workseal_agent.errors import AgentError
from workseal_agent.keystore import Keystore
from workseal_agent.language import phrase
from workseal_agent.ledger import Ledger
from workseal_agent.sealedstream import OpeningStream
from workseal_agent.vault import VaultReader
from workseal_agent.vaultcheck import Depth, VaultState, check_vault, expected_objects

_MEMBER = re.compile(
    rf"{KEYS}|{re.escape(CONFIG)}|{NAMES}|{re.escape(LEDGER)}|{VAULT}[0-9a-f]{{32}}"
)
# What the ledger is called until its engagements are marked: no command takes it for a ledger.
_UNMARKED = "ledger.unmarked"
# Stands in a folder that is being made into a home, and is locked as long as somebody makes it.
_MAKING = "restoring"
_PIECE = 1 << 20
_PLAIN = (tarfile.REGTYPE, tarfile.AREGTYPE)

Progress = Callable[[int], None]


class RestoreError(AgentError):
    """Say why no home was made; nothing of it is left."""


@dataclass(frozen=True, slots=True)
class Restored:
    """Say what is in the new home; `vault.problems` names what of the vault is not whole."""

    vault: VaultState
    engagements: tuple[bytes, ...]
    statements: int


def restore_home(
    file: Path,
    home: Path,
    typed: str,
    *,
    unknown_maker: bool = False,
    progress: Progress = lambda _: None,
) -> Restored:
    """Make a home from a backup by what opens it; raises `MalformedError` for what is none.

    With `unknown_maker` also from one that anybody could have made.
    """
    _require_free(home)
    with _aside(home) as folder:
        with file.open("rb") as opened:
            stream = open_backup(opened, typed, unknown_maker=unknown_maker)
            _unpack(stream, folder, progress)
        restored = _checked(Settings(folder), typed)
        _sync(folder)
        _require_free(home)
        folder.rename(home)
        _sync_folder(home.parent)
    return restored


def _require_free(home: Path) -> None:
    """Refuse a place where something is; an empty folder is nothing."""
    if home.is_symlink() or (home.exists() and (not home.is_dir() or any(home.iterdir()))):
        raise RestoreError(
            phrase(
                "{home} is there already, and a home is never written over: name another --home",
                home=home,
            )
        )


def _unpack(stream: OpeningStream, folder: Path, progress: Progress) -> None:
    (folder / VAULT).mkdir(mode=0o700)
    done = 0
    try:
        with tarfile.open(fileobj=cast("IO[bytes]", stream), mode="r|") as archive:
            for member in archive:
                plain = member.type in _PLAIN and not member.issparse()
                if not plain or not _MEMBER.fullmatch(member.name):
                    raise RestoreError("the backup holds something that is not of a home")
                source = archive.extractfile(member)
                if source is None:
                    raise RestoreError("the backup holds something that is not of a home")
                name = _UNMARKED if member.name == LEDGER else member.name
                _write(folder / name, source)
                done += member.size
                progress(done)
    except tarfile.TarError as error:
        raise RestoreError("the backup's content is not in the right form") from error
    stream.finish()


def _write(path: Path, source: IO[bytes]) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as target:
        while piece := source.read(_PIECE):
            target.write(piece)
        target.flush()
        os.fsync(target.fileno())


def _checked(settings: Settings, typed: str) -> Restored:
    """Check that keys, settings and ledger belong together, mark the ledger, look at the vault."""
    load_settings(settings.home)
    store = Keystore.load(settings.keys_file)
    signer, private = store.unlock_signer(typed), store.unlock_vault(typed)
    keep_maker(settings.maker_file, signer)
    unmarked = settings.home / _UNMARKED
    if not unmarked.exists():
        raise RestoreError("the backup holds no ledger")
    with Ledger(unmarked) as ledger:
        engagements = ledger.engagements()
        statements = 0
        for engagement in engagements:
            # Reading its chain checks it; what is told is what `status` counts.
            OwnChain(ledger, engagement, signer)
            statements += ledger.counts(engagement.id).statements
        with ledger.write() as writing:
            for engagement in engagements:
                writing.mark_restored(engagement.id)
    unmarked.rename(settings.ledger_file)
    with Ledger(settings.ledger_file) as ledger:
        _drop_unnamed(ledger, store.vault_public, settings.vault_folder)
        reader = VaultReader(settings.vault_folder, private)
        state = check_vault(
            settings.vault_folder, ledger, store.vault_public, reader, depth=Depth.KEYS
        )
    return Restored(state, tuple(one.id for one in engagements), statements)


def _drop_unnamed(ledger: Ledger, public: bytes, folder: Path) -> None:
    expected = expected_objects(ledger, public, folder)
    named = {*expected.kept, *expected.parts, *expected.announced}
    for path in folder.iterdir():
        if path.name not in named:
            path.unlink()


@contextmanager
def _aside(home: Path) -> Iterator[Path]:
    """Give a folder beside the home; it is removed unless it was renamed.

    What another restore left when it was killed is removed too.
    """
    folder = home.with_name(f"{home.name}-{secrets.token_hex(4)}.part")
    try:
        home.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _remove_left(home)
        folder.mkdir(mode=0o700)
        with _making(folder / _MAKING, os.O_CREAT | os.O_EXCL):
            yield folder
        with suppress(OSError):
            (home / _MAKING).unlink()
    except OSError as error:
        raise RestoreError(
            phrase("the home cannot be made: {reason}", reason=error.strerror)
        ) from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _remove_left(home: Path) -> None:
    """Remove the folders beside a home in which a restore of it began and nobody goes on."""
    part = re.compile(rf"{re.escape(home.name)}-[0-9a-f]{{8}}\.part")
    for folder in home.parent.iterdir():
        if not part.fullmatch(folder.name) or folder.is_symlink():
            continue
        try:
            with _making(folder / _MAKING):
                shutil.rmtree(folder, ignore_errors=True)
        except (FileNotFoundError, NotADirectoryError, BlockingIOError):
            continue  # not of a restore, or of one that still runs


@contextmanager
def _making(mark: Path, how: int = 0) -> Iterator[None]:
    """Hold the lock of a folder that is being made into a home; `OSError` when it is taken."""
    lock = os.open(mark, os.O_RDWR | os.O_CLOEXEC | how, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(lock)


def _sync(folder: Path) -> None:
    _sync_folder(folder / VAULT)
    _sync_folder(folder)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
