"""Reading the vault: with its private key every object, without it what shows from outside.

Rules: a reader is made for a review, a disclosure or a check, then dropped. Nothing is decompressed
to a size that its header does not give. No text of an error holds anything of the content.
"""

import contextlib
import os
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

import zstandard

from workseal_agent.errors import VaultError
from workseal_agent.language import phrase
from workseal_agent.vaultfile import open_object_file
from workseal_agent.vaultkey import OpeningKey, public_of
from workseal_agent.vaultobject import (
    BODY_AT,
    ID_BYTES,
    Content,
    ObjectKind,
    check_head,
    check_size,
    object_id,
    open_object,
)
from workseal_protocol.digest import DIGEST_BYTES, Digest
from workseal_protocol.errors import MalformedError
from workseal_protocol.frame import FrameHeader, commit_frame

SEED_BYTES = 16
# What a writer ends its temporary files in.
PART = ".part"


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
            with open_object_file(path) as file:
                size = os.fstat(file.fileno()).st_size
                check_size(size)
                data = file.read(size)
        except FileNotFoundError as error:
            raise VaultError("the vault does not hold this object") from error
        except OSError as error:
            raise VaultError(
                phrase("the object cannot be read: {reason}", reason=error.strerror)
            ) from error
        return open_object(self._key, identity, data)


def vault_size(folder: Path) -> int:
    """Return the bytes of all files in a vault; what goes away meanwhile counts as nothing."""
    total = 0
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                with contextlib.suppress(FileNotFoundError):
                    total += entry.stat(follow_symlinks=False).st_size
    except FileNotFoundError:
        return 0
    except OSError as error:
        raise VaultError(
            phrase("the vault folder cannot be read: {reason}", reason=error.strerror)
        ) from error
    return total


def examine_outside(folder: Path, name: str) -> None:
    """Check what shows of an object without any key, or raise `VaultError`."""
    identity, path = _place(folder, name)
    try:
        with open_object_file(path) as file:
            check_size(os.fstat(file.fileno()).st_size)
            head = file.read(BODY_AT)
    except FileNotFoundError as error:
        raise VaultError("the vault does not hold this object") from error
    except OSError as error:
        raise VaultError(
            phrase("the object cannot be read: {reason}", reason=error.strerror)
        ) from error
    check_head(identity, head)


def _place(folder: Path, name: str) -> tuple[bytes, Path]:
    path = folder / name
    try:
        identity = bytes.fromhex(name) if len(name) == 2 * ID_BYTES else b""
    except ValueError:
        identity = b""
    if not identity or name != identity.hex():
        known = name.endswith(PART) or not os.path.lexists(path)
        if known:
            raise VaultError("the vault does not hold this object")
        raise VaultError("not a vault object")
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
