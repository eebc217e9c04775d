"""What a browser's authenticator is asked and answers, in the words of WebAuthn.

Rules: loaded with the first passkey, for its library takes memory that a server in which nobody
uses one does without; that it is there is looked at when the server starts. Every answer that does
not hold is a `ValueError`.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AttestationFormat,
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialCreationOptions,
    PublicKeyCredentialDescriptor,
    PublicKeyCredentialRequestOptions,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from workseal_verifier.services.sites import Site
from workseal_verifier.store.access import PasskeyRow

# What the library lets out for bytes that are no answer, beside its own errors.
_FAILURES = (WebAuthnException, ValueError, TypeError, KeyError, AttributeError)


@dataclass(frozen=True, slots=True)
class User:
    """Name for whom a passkey is made, to their authenticator."""

    id: bytes
    name: str


@dataclass(frozen=True, slots=True)
class Made:
    """Hold what an authenticator made."""

    credential: bytes
    public_key: bytes
    sign_count: int
    is_attested: bool


def making(
    site: Site, challenge: bytes, user: User, known: Sequence[bytes], timeout_ms: int
) -> dict[str, Any]:
    """Return the options of making a passkey for a user who has `known`."""
    options = generate_registration_options(
        rp_id=site.domain,
        rp_name="Workseal",
        user_id=user.id,
        user_name=user.name,
        challenge=challenge,
        timeout=timeout_ms,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED,
            user_verification=UserVerificationRequirement.REQUIRED,
        ),
        exclude_credentials=[PublicKeyCredentialDescriptor(one) for one in known],
    )
    return _plain(options)


def made(site: Site, challenge: bytes, answer: Mapping[str, Any]) -> Made:
    """Return what was made, or raise `ValueError`."""
    try:
        found = verify_registration_response(
            credential=dict(answer),
            expected_challenge=challenge,
            expected_rp_id=site.domain,
            expected_origin=site.origin,
            require_user_verification=True,
        )
    except _FAILURES as error:
        raise ValueError("the answer does not hold") from error
    return Made(
        credential=found.credential_id,
        public_key=found.credential_public_key,
        sign_count=found.sign_count,
        is_attested=found.fmt != AttestationFormat.NONE,
    )


def using(site: Site, challenge: bytes, timeout_ms: int) -> dict[str, Any]:
    """Return the options of using a passkey; they name nobody."""
    options = generate_authentication_options(
        rp_id=site.domain,
        challenge=challenge,
        timeout=timeout_ms,
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return _plain(options)


def used(site: Site, challenge: bytes, answer: Mapping[str, Any], passkey: PasskeyRow) -> int:
    """Return how often the passkey has signed, or raise `ValueError`."""
    try:
        found = verify_authentication_response(
            credential=dict(answer),
            expected_challenge=challenge,
            expected_rp_id=site.domain,
            expected_origin=site.origin,
            credential_public_key=passkey.public_key,
            credential_current_sign_count=passkey.sign_count,
            require_user_verification=True,
        )
    except _FAILURES as error:
        raise ValueError("the answer does not hold") from error
    return found.new_sign_count


def _plain(
    options: PublicKeyCredentialCreationOptions | PublicKeyCredentialRequestOptions,
) -> dict[str, Any]:
    plain: dict[str, Any] = json.loads(options_to_json(options))
    return plain
