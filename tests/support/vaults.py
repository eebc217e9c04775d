"""Frames and a key pair for tests of the vault."""

from pathlib import Path

import numpy as np

from workseal_agent.vaultkey import public_of
from workseal_agent.vaultobject import ObjectKind, object_id
from workseal_protocol.digest import Digest
from workseal_protocol.frame import FrameHeader, commit_frame

PRIVATE = bytes(range(96))
PUBLIC = public_of(PRIVATE)
SEED = b"a frame's seed !"


def make(number: int, pixels: bytes | None = None) -> tuple[FrameHeader, Digest, bytes, bytes]:
    """Make what `VaultWriter.put_frame` takes: header, commitment, pixels, seed."""
    header = FrameHeader(90, 70, 32, 0, number, 5, bytes([number]) * 16)
    if pixels is None:
        noise = np.random.default_rng(number)
        pixels = noise.integers(0, 256, 90 * 70 * 3, np.uint8).tobytes()
    return header, commit_frame(header, pixels, SEED).commitment, pixels, SEED


def file_of(folder: Path, commitment: Digest) -> Path:
    """Return the place of a frame's object."""
    return folder / object_id(PUBLIC, ObjectKind.FRAME, commitment.raw).hex()
