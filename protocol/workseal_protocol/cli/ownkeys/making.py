"""The statements about a key: signed here, by all whose signature they need."""

import re
from typing import Final

from workseal_protocol.cli.problem import CommandError
from workseal_protocol.digest import Digest
from workseal_protocol.errors import MalformedError
from workseal_protocol.keys import PublicKey, Role, Signer
from workseal_protocol.records import (
    KeyAnnounce,
    KeyRevoke,
    KeyRotate,
    RevocationReason,
    sign,
)
from workseal_protocol.statement import Statement

REASONS: Final = {one.name.lower(): one for one in RevocationReason}

_THUMBPRINT = re.compile(r"[0-9a-f]{64}")


def announcements(
    key: Signer, recovery: Signer, role: Role, *, now_ms: int
) -> tuple[Statement, Statement]:
    """Name the recovery key of a key, and introduce the recovery key: without that it ends nothing.

    In this order: a log may take the second only because of the first.
    """
    own, other = key.public_key, recovery.public_key
    if own == other:
        raise CommandError("a key is not its own recovery key: who has the one has the other")
    return (
        sign(
            KeyAnnounce(claimed_at=now_ms, public_key=own, role=role, recovery=other.thumbprint),
            key,
        ),
        sign(KeyAnnounce(claimed_at=now_ms, public_key=other, role=role), recovery),
    )


def revocation(signer: Signer, key: Digest, reason: RevocationReason, *, now_ms: int) -> Statement:
    """End a key, signed by itself or by its recovery key."""
    return sign(KeyRevoke(claimed_at=now_ms, key=key, reason=reason), signer)


def rotation(old: Signer, new: Signer, *, now_ms: int) -> Statement:
    """Let a new key take the place of an old one; both sign."""
    if old.public_key == new.public_key:
        raise CommandError("the new key is the old one: a key cannot replace itself")
    return sign(KeyRotate.make(claimed_at=now_ms, old=old.public_key, new=new), old)


def named_key(text: str) -> Digest:
    """Read which key is meant: its thumbprint, or the key as text."""
    if _THUMBPRINT.fullmatch(text.lower()) is not None:
        return Digest(bytes.fromhex(text))
    try:
        return PublicKey.parse_text(text).thumbprint
    except MalformedError as error:
        raise CommandError(
            "expected a key: its thumbprint of 64 hex digits, or its text as in ed25519:…,"
            f" found {text[:80]}"
        ) from error
