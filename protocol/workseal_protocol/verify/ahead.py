"""Signatures that are checked elsewhere while an examination goes on as if they held.

Rules: what an examination finds does not depend on where or when a signature is checked. What was
checked elsewhere is told by names, each of one key, one signature and what it is over; one that is
not among them is checked here. If each one that was put off holds, the report is the one that
checking them in turn would have given. If one does not, the examination begins again and checks
them in turn: so only a bundle that fails costs twice.
"""

from collections.abc import Set as AbstractSet
from typing import Final, Protocol, TypeAlias

from workseal_protocol.digest import sha256
from workseal_protocol.errors import VerificationError
from workseal_protocol.keys import PublicKey

# A key, the signature, and what it is over.
PutOff: TypeAlias = tuple[PublicKey, bytes, bytes]

FEW: Final = 256


def name_of(check: PutOff) -> bytes:
    """Name a check: no two have one name."""
    key, signature, message = check
    # The thumbprint is over the algorithm too; the length says where the signature ends.
    return sha256(key.thumbprint.raw, len(signature).to_bytes(4), signature, message)


class Checker(Protocol):
    """Check the signatures of a bundle beside its examination: in other processes, say."""

    def held(self) -> AbstractSet[bytes]:
        """Wait for what is being checked, and give the names of the checks that held."""


class Ahead:
    """Take signatures in the place of checking them."""

    def __init__(self, checker: Checker) -> None:
        self._checker = checker
        self._put_off: list[PutOff] = []

    def check(self, key: PublicKey, signature: bytes, message: bytes, /) -> None:
        """Put one check off."""
        self._put_off.append((key, signature, message))

    def all_held(self) -> bool:
        """Say whether everything that was put off held."""
        # Named before the answer is waited for: meanwhile others are at work.
        names = [*map(name_of, self._put_off)]
        # So few are checked sooner than asked for.
        held = self._checker.held() if len(names) > FEW else frozenset()
        return all(
            name in held or _holds(one) for name, one in zip(names, self._put_off, strict=True)
        )


def _holds(check: PutOff) -> bool:
    key, signature, message = check
    try:
        key.verify(signature, message)
    except VerificationError:
        return False
    return True
