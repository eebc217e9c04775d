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
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import zstandard

from workseal_agent.errors import VaultError, VaultFullError
from workseal_agent.vaultkey import OpeningKey, SealingKey, public_of
from workseal_agent.vaultobject import (
    BODY_AT,
    ID_BYTES,
    SEALED_AT,
    SEALED_BYTES,
    Content,
    ObjectKind,
    check_head,
    check_size,
    object_id,
    open_object,
    seal_object,
)
from workseal_protocol.digest import DIGEST_BYTES, Digest
from workseal_protocol.errors import MalformedError
from workseal_protocol.frame import FrameHeader, commit_frame

SEED_BYTES = 16
MAX_NAME_BYTES = 256
MAX_SECRET_BYTES = 1_048_576

_ZSTD_LEVEL = 3
_PART = ".part"
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


@dataclass(frozen=True, slots=True)
class StoredFrame:
    """Hold one frame as it was recorded: pixels are RGB, row by row."""

    header: FrameHeader
    pixels: bytes = field(repr=False)
    seed: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class VaultProblem:
    """Name one file, or one missing frame, and what is wrong with it."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class VaultReport:
    """Say what a complete reading of the vault found."""

    frames: frozenset[Digest]
    secrets: int
    problems: tuple[VaultProblem, ...]


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
                for part in folder.glob(f"*{_PART}") if locked else ():
                    part.unlink(missing_ok=True)
        except OSError as error:
            raise VaultError(f"the vault folder cannot be used: {error.strerror}") from error

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
            raise VaultError(f"the vault cannot be written: {error.strerror}") from error

    def _write(self, name: str, data: bytes) -> None:
        """Write aside, fsync, give it its name, fsync the folder."""
        part = self._folder / f"{name}-{secrets.token_hex(4)}{_PART}"
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
            with path.open("r+b") as file:
                file.seek(SEALED_AT)
                file.write(bytes(SEALED_BYTES))
                file.flush()
                os.fsync(file.fileno())
            path.unlink()
            _sync_folder(self._folder)
        except FileNotFoundError:
            return False
        except OSError as error:
            raise VaultError(f"the object cannot be destroyed: {error.strerror}") from error
        return True


class VaultReader:
    """Read objects with the private key; made for a review or a disclosure, then dropped."""

    def __init__(self, folder: Path, private: bytes) -> None:
        self._folder = folder
        self._public = public_of(private)
        self._key = OpeningKey(private)

    def frame(self, commitment: Digest) -> StoredFrame:
        """Return one frame; `VaultError` when it is not there or not whole."""
        identity = object_id(self._public, ObjectKind.FRAME, commitment.raw)
        content = self._read(identity.hex())
        if content.kind is not ObjectKind.FRAME or content.name != commitment.raw:
            raise VaultError("the vault object is not the frame that its name says")
        return _frame_of(content)

    def secret(self, name: bytes) -> bytes:
        """Return one secret; `VaultError` when it is not there or not whole."""
        content = self._read(object_id(self._public, ObjectKind.SECRET, name).hex())
        if content.kind is not ObjectKind.SECRET or content.name != name:
            raise VaultError("the vault object is not the secret that its name says")
        return content.body

    def commitments(self) -> tuple[Digest, ...]:
        """Return the commitments of all frames that can be opened, sorted."""
        return tuple(sorted(self.check(pixels=False).frames))

    def check(self, expected: Collection[Digest] = (), *, pixels: bool = True) -> VaultReport:
        """Read every object and name each that is damaged, moved, strange or missing.

        With `pixels`, each frame is decoded and committed again. `expected` are the commitments
        of the frames that the chain says were recorded and not withdrawn.
        """
        frames: set[Digest] = set()
        count = 0
        problems: list[VaultProblem] = []
        for name in sorted(entry.name for entry in self._folder.iterdir()):
            try:
                commitment = self.examine(name, pixels=pixels)
            except VaultError as error:
                problems.append(VaultProblem(name[:64], str(error)))
                continue
            if commitment is None:
                count += 1
            else:
                frames.add(commitment)
        problems.extend(
            VaultProblem(str(digest), "the frame is missing")
            for digest in sorted(set(expected) - frames)
        )
        return VaultReport(frozenset(frames), count, tuple(problems))

    def examine(self, name: str, *, pixels: bool) -> Digest | None:
        """Open one file and check it; returns the commitment of a frame, None for a secret.

        `VaultError` when anything of it is not as it was written.
        """
        content = self._read(name)
        if object_id(self._public, content.kind, content.name).hex() != name:
            raise VaultError("the object has another object's name")
        if content.kind is ObjectKind.SECRET:
            return None
        if len(content.name) != DIGEST_BYTES:
            raise VaultError("the frame in the object is damaged")
        commitment = Digest(content.name)
        if pixels:
            frame = _frame_of(content)
            if commit_frame(frame.header, frame.pixels, frame.seed).commitment != commitment:
                raise VaultError("the frame does not open its commitment")
        return commitment

    def _read(self, name: str) -> Content:
        identity, path = _place(self._folder, name)
        try:
            check_size(path.stat().st_size)
            data = path.read_bytes()
        except OSError as error:
            raise VaultError(f"the object cannot be read: {error.strerror}") from error
        return open_object(self._key, identity, data)


def examine_outside(folder: Path, name: str) -> None:
    """Check what shows of an object without any key, or raise `VaultError`."""
    identity, path = _place(folder, name)
    try:
        check_size(path.stat().st_size)
        with path.open("rb") as file:
            head = file.read(BODY_AT)
    except OSError as error:
        raise VaultError(f"the object cannot be read: {error.strerror}") from error
    check_head(identity, head)


def _place(folder: Path, name: str) -> tuple[bytes, Path]:
    path = folder / name
    try:
        identity = bytes.fromhex(name) if len(name) == 2 * ID_BYTES else b""
    except ValueError:
        identity = b""
    if not identity or name != identity.hex() or not path.is_file():
        known = name.endswith(_PART) or not path.exists()
        raise VaultError("the vault does not hold this object" if known else "not a vault object")
    return identity, path


def _frame_of(content: Content) -> StoredFrame:
    """Decode a frame, or raise `VaultError`."""
    try:
        header = FrameHeader.parse(content.attributes[SEED_BYTES:])
        pixels = _inflate(content.body, header.width * header.height * 3)
    except (MalformedError, ValueError, zstandard.ZstdError) as error:
        raise VaultError("the frame in the object is damaged") from error
    return StoredFrame(header, pixels, content.attributes[:SEED_BYTES])


def _inflate(body: bytes, size: int) -> bytes:
    """Decompress to exactly `size` bytes; a body that announces another size is not started."""
    if zstandard.get_frame_parameters(body).content_size != size:
        raise ValueError("the body announces another size than the header")
    reader = zstandard.ZstdDecompressor()
    return reader.decompress(body, max_output_size=size, allow_extra_data=False)


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
