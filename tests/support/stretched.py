"""Passphrases stretched once: each salt and passphrase by the real function, then from memory.

A test that types one passphrase at command after command waits for the stretching at each, and is
not about it. What is kept and how it opens is as ever.
"""

from functools import cache
from typing import Any

import pytest
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from workseal_agent import keyslot


class Remembering:
    """Stand in for `Argon2id`."""

    def __init__(self, **settings: Any) -> None:
        self._settings = tuple(sorted(settings.items()))

    def derive(self, typed: bytes) -> bytes:
        return _derived(self._settings, bytes(typed))


@cache
def _derived(settings: tuple[tuple[str, Any], ...], typed: bytes) -> bytes:
    return Argon2id(**dict(settings)).derive(typed)


def stretch_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let this process stretch the same passphrase with the same salt once."""
    monkeypatch.setattr(keyslot, "Argon2id", Remembering)
