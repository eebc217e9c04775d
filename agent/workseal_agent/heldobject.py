"""What of a sealed frame can be shown: blocks of its ciphertext, read without any private key.

Rules: 256 blocks of 256 bytes, spread evenly over the ciphertext whatever its size; none of the
sealed key. A frame that is not there, or not whole from outside, has none. Salts follow from the
vault's public key, which is never published, so nothing is to be kept (docs/spec/possession.md).
"""

import os
from pathlib import Path

from cryptography.hazmat.primitives import hashes, hmac

from workseal_agent.errors import VaultError
from workseal_agent.language import phrase
from workseal_agent.vaultfile import open_object_file
from workseal_agent.vaultobject import (
    BODY_AT,
    ObjectKind,
    check_head,
    check_size,
    object_id,
)
from workseal_protocol.digest import Digest
from workseal_protocol.possession import BLOCKS, object_root
from workseal_protocol.records import BLOCK_BYTES

_SALT_INFO = b"workseal/held-salt/v1"
_ABSENT_INFO = b"workseal/held-absent/v1"
_SALT_BYTES = 16


class Ciphertext:
    """Read a vault's ciphertext with its public key alone."""

    def __init__(self, folder: Path, public: bytes) -> None:
        self._folder = folder
        self._public = public

    def blocks(self, frame: Digest) -> tuple[bytes, ...] | None:
        """Return the blocks of a frame, None when it is not there or not whole from outside.

        Raises `VaultError` when the disk does not answer: that says nothing of the frame.
        """
        identity = object_id(self._public, ObjectKind.FRAME, frame.raw)
        path = self._folder / identity.hex()
        try:
            with open_object_file(path, buffering=0) as file:
                size = os.fstat(file.fileno()).st_size
                check_size(size)
                check_head(identity, file.read(BODY_AT))
                found = []
                for place in block_places(size):
                    file.seek(place)
                    found.append(file.read(BLOCK_BYTES))
        except (FileNotFoundError, VaultError):
            return None
        except OSError as error:
            raise VaultError(
                phrase("a frame cannot be read: {reason}", reason=error.strerror)
            ) from error
        return tuple(found) if all(len(one) == BLOCK_BYTES for one in found) else None

    def salt(self, frame: Digest) -> bytes:
        """Return the salt of a frame's blocks: nobody else knows it before a block is shown."""
        return self._derived(_SALT_INFO, frame)[:_SALT_BYTES]

    def root(self, frame: Digest) -> bytes | None:
        """Return what is committed to of a frame, None when it has no blocks."""
        blocks = self.blocks(frame)
        return None if blocks is None else object_root(self.salt(frame), blocks)

    def stand_in(self, frame: Digest) -> bytes:
        """Return what is committed to in the place of a frame that is not there.

        It looks like any other: the paths of its neighbours tell nothing about it.
        """
        return self._derived(_ABSENT_INFO, frame)

    def _derived(self, info: bytes, frame: Digest) -> bytes:
        mac = hmac.HMAC(self._public, hashes.SHA256())
        mac.update(info + frame.raw)
        return mac.finalize()


def block_places(size: int) -> tuple[int, ...]:
    """Return where the blocks of a file of this size begin.

    The first one begins with the ciphertext, the last one ends with it.
    """
    room = size - BODY_AT - BLOCK_BYTES
    return tuple(BODY_AT + number * room // (BLOCKS - 1) for number in range(BLOCKS))
