"""The vault: frames and secrets that this process can write and destroy, and not read.

One file for one object (docs/spec/vault.md). Rules: `VaultWriter` knows the public key alone; an
object is on the disk, whole, before `put_*` returns; destroying overwrites the sealed data key
first. No text of an error holds anything of the content.
"""

import contextlib
import errno
import fcntl
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

import zstandard

from workseal_agent.errors import VaultError, VaultFullError
from workseal_agent.language import phrase
from workseal_agent.vaultfile import NoObjectError, open_object_file
from workseal_agent.vaultkey import SealingKey
from workseal_agent.vaultobject import (
    SEALED_AT,
    SEALED_BYTES,
    Content,
    ObjectKind,
    object_id,
    seal_object,
)
from workseal_agent.vaultreader import (
    PART,
    SEED_BYTES,
    StoredFrame,
    VaultProblem,
    VaultReader,
    VaultReport,
    examine_outside,
    vault_size,
)
from workseal_protocol.digest import Digest
from workseal_protocol.frame import FrameHeader

__all__ = [
    "PART",
    "SEED_BYTES",
    "StoredFrame",
    "VaultProblem",
    "VaultReader",
    "VaultReport",
    "VaultWriter",
    "examine_outside",
    "vault_size",
]

MAX_NAME_BYTES = 256
MAX_SECRET_BYTES = 1_048_576

_ZSTD_LEVEL = 3
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class VaultWriter:
    """Put and destroy objects with the public key alone.

    Several processes may write to one folder. What a crash left half written is removed here,
    unless another process is writing just now.
    """

    def __init__(self, folder: Path, public: bytes) -> None:
        self._folder = folder
        self._public = public
        self._key = SealingKey(public)
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with _folder_lock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB) as locked:
                for part in folder.glob(f"*{PART}") if locked else ():
                    # A folder of that name is none of ours, and holds up no recording.
                    if part.is_symlink() or not part.is_dir():
                        part.unlink(missing_ok=True)
        except OSError as error:
            raise VaultError(
                phrase("the vault folder cannot be used: {reason}", reason=error.strerror)
            ) from error

    def put_frame(
        self, header: FrameHeader, commitment: Digest, pixels: bytes, seed: bytes
    ) -> None:
        """Keep a frame; durable when this returns, and wholly absent when it raises.

        Raises `VaultFullError` without room, `VaultError` when the commitment is there already.
        """
        if len(pixels) != header.width * header.height * 3:
            raise ValueError("the pixels do not have the size that the header gives")
        if len(seed) != SEED_BYTES:
            raise ValueError(f"a frame seed has {SEED_BYTES} bytes")
        body = zstandard.ZstdCompressor(level=_ZSTD_LEVEL).compress(pixels)
        self._put(Content(ObjectKind.FRAME, commitment.raw, seed + header.encode(), body))

    def put_secret(self, name: bytes, value: bytes) -> None:
        """Keep a secret under a name; as durable as a frame, and like it never replaced."""
        if not 1 <= len(name) <= MAX_NAME_BYTES or len(value) > MAX_SECRET_BYTES:
            raise ValueError("a secret has a name of 1 to 256 bytes and at most 1 MiB")
        self._put(Content(ObjectKind.SECRET, name, b"", value))

    def destroy(self, commitment: Digest) -> bool:
        """Destroy a frame's key, then its file; durable, safe to repeat.

        Returns False when the vault holds no such frame.
        """
        return self._destroy(ObjectKind.FRAME, commitment.raw)

    def destroy_secret(self, name: bytes) -> bool:
        """Destroy a secret's key, then its file; False when there is none."""
        return self._destroy(ObjectKind.SECRET, name)

    def _put(self, content: Content) -> None:
        identity = object_id(self._public, content.kind, content.name)
        data = seal_object(self._key, identity, content)
        try:
            with _folder_lock(self._folder, fcntl.LOCK_SH):
                self._write(identity.hex(), data)
        except FileExistsError as error:
            raise VaultError("the vault holds this object already") from error
        except OSError as error:
            if error.errno in _FULL:
                raise VaultFullError("there is no room in the vault") from error
            raise VaultError(
                phrase("the vault cannot be written: {reason}", reason=error.strerror)
            ) from error

    def _write(self, name: str, data: bytes) -> None:
        """Write aside, fsync, give it its name, fsync the folder."""
        part = self._folder / f"{name}-{secrets.token_hex(4)}{PART}"
        target = self._folder / name
        try:
            with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as f:
                f.write(data)
                f.flush()
                os.fsync(f.fileno())
            os.link(part, target)  # unlike rename, never takes another object's place
        finally:
            part.unlink(missing_ok=True)
        try:
            _sync_folder(self._folder)
        except OSError:
            target.unlink(missing_ok=True)
            raise

    def _destroy(self, kind: ObjectKind, name: bytes) -> bool:
        path = self._folder / object_id(self._public, kind, name).hex()
        try:
            # Never through a link: its target is another file.
            with open_object_file(path, write=True) as file:
                file.seek(SEALED_AT)
                file.write(bytes(SEALED_BYTES))
                file.flush()
                os.fsync(file.fileno())
            path.unlink()
            _sync_folder(self._folder)
        except FileNotFoundError:
            return False
        except NoObjectError as error:
            raise VaultError("the object cannot be destroyed: it is not a file") from error
        except OSError as error:
            raise VaultError(
                phrase("the object cannot be destroyed: {reason}", reason=error.strerror)
            ) from error
        return True


@contextlib.contextmanager
def _folder_lock(folder: Path, how: int) -> Iterator[bool]:
    """Hold a lock on the folder itself; False when it is taken and `how` says not to wait."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        try:
            fcntl.flock(handle, how)
        except BlockingIOError:
            yield False
        else:
            yield True
    finally:
        os.close(handle)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
