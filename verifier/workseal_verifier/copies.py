"""The commands `export` and `recover`: the whole log into a file, and a lost end back from files.

Rule: `recover` holds the home's lock, so no server runs meanwhile, and signs nothing.
"""

import os
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import BinaryIO

from workseal_protocol.bundle import MAX_BUNDLE_BYTES, Bundle
from workseal_protocol.checkpoint import SignedCheckpoint
from workseal_protocol.errors import MalformedError
from workseal_protocol.logcopy import Copied, CopiedStatement, CopiedToken, CopyReader, encode_copy
from workseal_verifier.errors import ConfigError, SettingsError
from workseal_verifier.services.rebuilding import Floor, Rebuilder, Rebuilt
from workseal_verifier.store.log import LogStore
from workseal_verifier.store.records import RecordStore

_PIECE = 1 << 20
_BUNDLE_HEAD = b"PK\x03\x04"


def write_export(log: LogStore, records: RecordStore, origin: str, out: Path) -> tuple[int, int]:
    """Write a copy of the whole log to a new file; return its statements and checkpoints."""
    counted = _Counted(_everything(log, records))
    try:
        handle = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise SettingsError(f"{out} exists: it is not replaced") from None
    try:
        # Statements and tokens are those of one moment, whatever is logged meanwhile.
        with os.fdopen(handle, "wb") as file, log.database.snapshot():
            file.writelines(encode_copy(origin, counted))
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        out.unlink()
        reason = (error.strerror or type(error).__name__).lower()
        raise ConfigError(f"{out} cannot be written: {reason}") from error
    except BaseException:
        out.unlink()
        raise
    return counted.statements, counted.checkpoints


def recover(rebuilder: Rebuilder, files: Sequence[Path], floors: Sequence[Floor]) -> Rebuilt:
    """Rebuild from log copies and bundles."""
    for path in files:
        try:
            with path.open("rb") as file:
                rebuilder.gather(*_items(file))
        except MalformedError as error:
            raise SettingsError(
                f"{path} is neither a copy of a log nor a bundle: {error}"
            ) from error
        except OSError as error:
            reason = (error.strerror or type(error).__name__).lower()
            raise ConfigError(f"{path} cannot be read: {reason}") from None
    return rebuilder.rebuild(floors)


class _Counted:
    def __init__(self, items: Iterable[Copied]) -> None:
        self._items = items
        self.statements = 0
        self.checkpoints = 0

    def __iter__(self) -> Iterator[Copied]:
        for item in self._items:
            self.statements += isinstance(item, CopiedStatement)
            self.checkpoints += isinstance(item, SignedCheckpoint)
            yield item


def _everything(log: LogStore, records: RecordStore) -> Iterator[Copied]:
    for entry in records.all():
        yield CopiedStatement(entry.position, entry.body)
    for _, _, signed in log.checkpoint_roots():
        if signed is not None:
            yield SignedCheckpoint.parse(signed)
    for size, token, _ in log.stamps():
        yield CopiedToken(size, token)


def _items(file: BinaryIO) -> tuple[str, Iterable[Copied]]:
    begin = file.read(len(_BUNDLE_HEAD))
    if begin != _BUNDLE_HEAD:
        reader = CopyReader(chain([begin], iter(lambda: file.read(_PIECE), b"")))
        return reader.origin, reader
    contents = Bundle.parse(begin + file.read(MAX_BUNDLE_BYTES)).contents
    found: list[Copied] = [
        CopiedStatement(index, statement.encode())
        for index, statement in zip(contents.indices, contents.statements, strict=True)
    ]
    found += [*contents.checkpoints, contents.checkpoint]
    found += [CopiedToken(size, token) for size, token in contents.timestamps]
    last = contents.checkpoint.checkpoint
    if contents.token is not None:
        found.append(CopiedToken(last.size, contents.token))
    return last.origin, found
