"""Passkeys (WebAuthn): made by who just proved a party's key, used to open sessions later.

Rules: a cookie alone makes none, or who stole it would stay. A key's first one is made right after
its link was followed; the next by a passkey of a moment ago, or the key's signature. A challenge is
ours (authenticated), for one purpose, one site and a few minutes, and is answered once. The
authenticator must have verified its user. No attestation is asked for: which device somebody owns
is nothing that we want to know. Who signs in names nothing beforehand, so nobody can ask who has a
passkey.
"""

import base64
import hmac
import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from workseal_protocol.digest import Digest
from workseal_verifier.errors import ConfigError, Reason, RefusedError
from workseal_verifier.services.clock import Clock
from workseal_verifier.services.signin import Begun, Random, Root, SignIn
from workseal_verifier.services.sites import Site
from workseal_verifier.store.access import AccessStore, PasskeyRow, SessionRow
from workseal_verifier.store.schema import CREDENTIAL_BYTES, PASSKEY_BYTES

CHALLENGE_MS = 5 * 60_000
MAX_PASSKEYS = 16
_NONCE_BYTES = 16
_TIME_BYTES = 8
_MAC_BYTES = 32
_TAG = b"workseal/challenge/v1"
_REGISTER = b"register"
_SIGN_IN = b"sign in"


@dataclass(frozen=True, slots=True)
class _Challenge:
    raw: bytes
    until_ms: int

    @property
    def digest(self) -> Digest:
        return Digest.of(_TAG, self.raw)


@dataclass(frozen=True, slots=True)
class Maker:
    """Say who makes a passkey: in a session, or by requests that their key signed."""

    thumbprint: Digest
    session: SessionRow | None

    @property
    def holder(self) -> bytes:
        """Return whose the challenge is."""
        return (self.thumbprint if self.session is None else self.session.token).raw


class Passkeys:
    """Make and use passkeys; `secret` authenticates challenges."""

    def __init__(
        self,
        store: AccessStore,
        signin: SignIn,
        clock: Clock,
        secret: bytes,
        *,
        random: Random = secrets.token_bytes,
    ) -> None:
        """Raise `ConfigError` where what is loaded with the first passkey is missing."""
        if find_spec("webauthn") is None:
            raise ConfigError("webauthn is not installed: pip install 'workseal[verifier]'")
        self._store = store
        self._signin = signin
        self._clock = clock
        self._secret = secret
        self._random = random

    def registration_options(self, maker: Maker, site: Site) -> dict[str, Any]:
        """Return what a page hands to the browser to make a passkey."""
        from workseal_verifier.services import authenticators  # noqa: PLC0415 - it says when

        known = self._store.passkeys_of(maker.thumbprint)
        self._require_may_make(maker, known)
        return authenticators.making(
            site,
            self._challenge(_REGISTER, site, maker.holder).raw,
            authenticators.User(maker.thumbprint.raw, f"key {str(maker.thumbprint)[:8]}"),
            [one.credential for one in known],
            CHALLENGE_MS,
        )

    def register(self, maker: Maker, site: Site, answer: Mapping[str, Any]) -> None:
        """Store the passkey that a browser made, or refuse."""
        from workseal_verifier.services import authenticators  # noqa: PLC0415 - it says when

        self._require_may_make(maker, self._store.passkeys_of(maker.thumbprint))
        challenge = self._answered(answer, _REGISTER, site, maker.holder)
        try:
            made = authenticators.made(site, challenge.raw, answer)
        except ValueError as error:
            raise _refused() from error
        if made.is_attested:
            raise RefusedError(Reason.REFUSED, "no attestation was asked for")
        if not 1 <= len(made.credential) <= CREDENTIAL_BYTES or (
            len(made.public_key) > PASSKEY_BYTES
        ):
            raise RefusedError(Reason.REFUSED, "the passkey is longer than any in use")
        row = PasskeyRow(
            credential=made.credential,
            thumbprint=maker.thumbprint,
            public_key=made.public_key,
            sign_count=made.sign_count,
            made_ms=self._clock.now_ms(),
        )
        if not self._store.add_passkey(
            row,
            challenge.digest,
            challenge.until_ms,
            # Of two first ones at once the second is not the first.
            most=MAX_PASSKEYS if self._is_proven(maker) else 1,
            session=None if maker.session is None else maker.session.token,
        ):
            raise RefusedError(
                Reason.CONFLICT,
                f"this passkey or its challenge was used before, there are {MAX_PASSKEYS}, or the"
                " session has ended",
            )

    def sign_in_options(self, site: Site) -> dict[str, Any]:
        """Return what a page hands to the browser to use a passkey; it names nobody."""
        from workseal_verifier.services import authenticators  # noqa: PLC0415 - it says when

        challenge = self._challenge(_SIGN_IN, site, b"").raw
        return authenticators.using(site, challenge, CHALLENGE_MS)

    def sign_in(self, site: Site, answer: Mapping[str, Any]) -> Begun:
        """Begin a session for whoever's passkey answered, or refuse."""
        from workseal_verifier.services import authenticators  # noqa: PLC0415 - it says when

        challenge = self._answered(answer, _SIGN_IN, site, b"")
        passkey = self._store.passkey(_octets(answer.get("id")))
        if passkey is None:
            raise _refused()
        try:
            signed = authenticators.used(site, challenge.raw, answer, passkey)
        except ValueError as error:
            raise _refused() from error
        begun = self._signin.new_session(passkey.thumbprint, Root.PASSKEY)
        if not self._store.use_passkey(
            passkey.credential,
            signed,
            challenge.digest,
            challenge.until_ms,
            begun.session,
        ):
            raise _refused()
        return begun

    def of(self, thumbprint: Digest) -> list[PasskeyRow]:
        """List the passkeys of a key."""
        return self._store.passkeys_of(thumbprint)

    def end_all(self, thumbprint: Digest) -> None:
        """End all passkeys of a key, and its sessions."""
        self._store.end_passkeys(thumbprint)

    def _require_may_make(self, maker: Maker, known: Sequence[PasskeyRow]) -> None:
        session = maker.session
        if session is None or self._is_proven(maker):
            return
        if session.root == Root.OPERATOR:
            raise RefusedError(
                Reason.UNKNOWN_PARTY,
                "a passkey is made in a session whose link was asked for with your key",
            )
        if known:
            raise RefusedError(
                Reason.NOT_FRESH,
                "use a passkey that you have, then make another one within 5 minutes",
            )
        if not self._signin.has_just_begun(session):
            raise RefusedError(
                Reason.NOT_FRESH, "sign in with a new link, then make a passkey within 5 minutes"
            )

    def _is_proven(self, maker: Maker) -> bool:
        """Tell whether more than a cookie shows whose request this is."""
        return maker.session is None or self._signin.is_fresh(maker.session)

    def _challenge(self, purpose: bytes, site: Site, holder: bytes) -> _Challenge:
        until = self._clock.now_ms() + CHALLENGE_MS
        head = self._random(_NONCE_BYTES) + until.to_bytes(_TIME_BYTES)
        return _Challenge(head + self._mac(head, purpose, site, holder), until)

    def _answered(
        self, answer: Mapping[str, Any], purpose: bytes, site: Site, holder: bytes
    ) -> _Challenge:
        """Return the challenge that an answer names if it is ours, for this, and not over."""
        raw = _named_challenge(answer)
        head, mac = raw[: _NONCE_BYTES + _TIME_BYTES], raw[_NONCE_BYTES + _TIME_BYTES :]
        until = int.from_bytes(head[_NONCE_BYTES:])
        if not hmac.compare_digest(mac, self._mac(head, purpose, site, holder)):
            raise _refused()
        if until <= self._clock.now_ms():
            raise RefusedError(Reason.REFUSED, "the challenge has expired; ask for another one")
        return _Challenge(raw, until)

    def _mac(self, head: bytes, purpose: bytes, site: Site, holder: bytes) -> bytes:
        parts = (_TAG, purpose, site.origin.encode(), holder, head)
        message = b"".join(len(part).to_bytes(2) + part for part in parts)
        return hmac.digest(self._secret, message, "sha256")


def _named_challenge(answer: Mapping[str, Any]) -> bytes:
    """Read which challenge an answer is to; the library compares it again."""
    response = answer.get("response")
    data = response.get("clientDataJSON") if isinstance(response, Mapping) else None
    try:
        told = json.loads(_octets(data))
    except (ValueError, RecursionError) as error:
        raise _refused() from error
    challenge = _octets(told.get("challenge")) if isinstance(told, dict) else b""
    if len(challenge) != _NONCE_BYTES + _TIME_BYTES + _MAC_BYTES:
        raise _refused()
    return challenge


def _octets(text: object) -> bytes:
    if not isinstance(text, str):
        raise _refused()
    try:
        return base64.urlsafe_b64decode(text + "===")
    except ValueError as error:
        raise _refused() from error


def _refused() -> RefusedError:
    return RefusedError(Reason.REFUSED, "the passkey's answer does not hold")
