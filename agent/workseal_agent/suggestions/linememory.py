"""Reading each line once: what looked the same before, in this frame or an earlier, is known.

What is new is read by several threads.

Rules: remembered is the text of a line under a digest of its pixels, in the memory of the process
that reads, for as long as it lives. Equal pixels give equal text, so nothing is found less often.
"""

import hashlib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import numpy as np

Recognise = Callable[[list[np.ndarray]], Sequence[str]]

# Some dozens of screens; then it begins anew, so that a long review does not grow.
MOST: Final = 8_192


class LineMemory:
    """Read pieces of a picture with a line each; hold what was read, never show it."""

    def __init__(self, recognise: Recognise, *, threads: int, most: int = MOST) -> None:
        self._recognise = recognise
        self._threads = threads
        self._most = most
        self._known: dict[bytes, str] = {}

    def read(self, pieces: Sequence[np.ndarray]) -> list[str]:
        """Return the text of each piece, in their order."""
        keys = [_digest(piece) for piece in pieces]
        new = {
            key: piece for key, piece in zip(keys, pieces, strict=True) if key not in self._known
        }
        if len(self._known) + len(new) > self._most:
            self._known.clear()
            new = dict(zip(keys, pieces, strict=True))
        self._known |= self._read_new(new)
        return [self._known[key] for key in keys]

    def _read_new(self, new: dict[bytes, np.ndarray]) -> dict[bytes, str]:
        # One model on two processors waits for itself, and burns time while it does; two lines at
        # once do not. The widest first, every other one to each thread: all end together.
        order = sorted(new, key=lambda key: -new[key].shape[1] / new[key].shape[0])
        parts = [
            part for number in range(self._threads) if (part := order[number :: self._threads])
        ]
        if not parts:
            return {}
        with ThreadPoolExecutor(len(parts)) as pool:
            texts = list(pool.map(lambda part: self._recognise([new[key] for key in part]), parts))
        return {
            key: text
            for part, read in zip(parts, texts, strict=True)
            for key, text in zip(part, read, strict=True)
        }


def _digest(piece: np.ndarray) -> bytes:
    size = repr(piece.shape).encode()
    return hashlib.blake2b(size + np.ascontiguousarray(piece).tobytes(), digest_size=16).digest()
