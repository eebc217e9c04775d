"""A long message encrypted in chunks: written and read with bounded memory, authenticated whole.

Rules: each chunk is sealed under its number and whether it is the last, so that no chunk can be
left out, moved or repeated, and nothing can be cut off or added at the end. What is read is not to
be believed before `finish` returned. docs/spec/backup.md
"""

from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from workseal_agent.errors import AgentError

CHUNK_BYTES = 65_536
_TAG_BYTES = 16
_MIDDLE, _LAST = 0, 1


class SealedStreamError(AgentError):
    """Say that a sealed file was cut, changed, or sealed under another key."""


class SealingStream:
    """Take plain bytes, and write sealed chunks into a file."""

    def __init__(self, file: BinaryIO, key: bytes) -> None:
        self._file = file
        self._aead = AESGCM(key)
        self._pending = bytearray()
        self._number = 0
        self.plain_bytes = 0

    def write(self, data: bytes) -> int:
        """Take some bytes; a chunk is written when more follow it."""
        self._pending += data
        self.plain_bytes += len(data)
        while len(self._pending) > CHUNK_BYTES:
            self._seal(bytes(self._pending[:CHUNK_BYTES]), _MIDDLE)
            del self._pending[:CHUNK_BYTES]
        return len(data)

    def finish(self) -> None:
        """Write the last chunk; nothing may follow."""
        self._seal(bytes(self._pending), _LAST)
        self._pending.clear()

    def _seal(self, chunk: bytes, which: int) -> None:
        self._file.write(self._aead.encrypt(_nonce(self._number, which), chunk, None))
        self._number += 1


class OpeningStream:
    """Read a file of sealed chunks as plain bytes; `SealedStreamError` at the first wrong one."""

    def __init__(self, file: BinaryIO, key: bytes) -> None:
        self._file = file
        self._aead = AESGCM(key)
        self._next = file.read(CHUNK_BYTES + _TAG_BYTES)
        self._plain = b""
        self._at = 0
        self._number = 0
        self._ended = False

    def read(self, size: int) -> bytes:
        """Return so many bytes, fewer only at the end."""
        parts = []
        while size:
            if self._at == len(self._plain) and not self._advance():
                break
            part = self._plain[self._at : self._at + size]
            self._at += len(part)
            size -= len(part)
            parts.append(part)
        return b"".join(parts)

    def finish(self) -> None:
        """Read to the end: zero bytes, as padding is, and then the last chunk's own mark."""
        while rest := self.read(CHUNK_BYTES):
            if rest.count(0) != len(rest):
                raise SealedStreamError("the sealed file goes on where its content ends")

    def _advance(self) -> bool:
        """Open the next chunk; False after the last."""
        if self._ended:
            return False
        sealed, self._next = self._next, self._file.read(CHUNK_BYTES + _TAG_BYTES)
        self._ended = not self._next
        try:
            nonce = _nonce(self._number, _LAST if self._ended else _MIDDLE)
            self._plain = self._aead.decrypt(nonce, sealed, None)
        except (InvalidTag, ValueError) as error:
            raise SealedStreamError("the sealed file was cut or changed") from error
        self._at = 0
        self._number += 1
        return bool(self._plain) or not self._ended


def _nonce(number: int, which: int) -> bytes:
    return number.to_bytes(11, "big") + bytes([which])
