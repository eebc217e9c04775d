"""An authenticator of WebAuthn in software, and the part of a browser that speaks to it.

It does what a phone does, with ES256 keys; a test changes what it says of itself.
"""

import base64
import hashlib
import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

USER_PRESENT, USER_VERIFIED, HAS_CREDENTIAL = 0x01, 0x04, 0x40


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


@dataclass
class Authenticator:
    """Hold one passkey for each site, and answer as a browser at `origin` hands it on."""

    origin: str
    verifies_user: bool = True
    attests: bool = False
    counter: int = 0
    random: Callable[[int], bytes] = secrets.token_bytes
    keys: dict[str, tuple[bytes, ec.EllipticCurvePrivateKey]] = field(default_factory=dict)

    def create(self, options: dict[str, Any]) -> dict[str, Any]:
        """Make a passkey, as `navigator.credentials.create` does."""
        domain = options["rp"]["id"]
        key = ec.derive_private_key(int.from_bytes(self.random(31)) + 1, ec.SECP256R1())
        credential = self.random(32)
        self.keys[domain] = (credential, key)
        point = key.public_key().public_numbers()
        cose = cbor2.dumps({1: 2, 3: -7, -1: 1, -2: point.x.to_bytes(32), -3: point.y.to_bytes(32)})
        data = (
            self._data(domain, HAS_CREDENTIAL)
            + bytes(16)
            + len(credential).to_bytes(2)
            + credential
            + cose
        )
        client = self._client("webauthn.create", options["challenge"])
        told: dict[str, Any] = {"fmt": "none", "attStmt": {}, "authData": data}
        if self.attests:
            signature = key.sign(
                data + hashlib.sha256(client).digest(),
                ec.ECDSA(SHA256(), deterministic_signing=True),
            )
            told |= {"fmt": "packed", "attStmt": {"alg": -7, "sig": signature}}
        return self._answer(
            credential,
            {
                "clientDataJSON": b64(client),
                "attestationObject": b64(cbor2.dumps(told)),
            },
        )

    def get(self, options: dict[str, Any]) -> dict[str, Any]:
        """Use a passkey, as `navigator.credentials.get` does."""
        domain = options["rpId"]
        credential, key = self.keys[domain]
        self.counter += 1
        data = self._data(domain, 0)
        client = self._client("webauthn.get", options["challenge"])
        signature = key.sign(
            data + hashlib.sha256(client).digest(), ec.ECDSA(SHA256(), deterministic_signing=True)
        )
        return self._answer(
            credential,
            {
                "clientDataJSON": b64(client),
                "authenticatorData": b64(data),
                "signature": b64(signature),
            },
        )

    def _data(self, domain: str, flags: int) -> bytes:
        flags |= USER_PRESENT | (USER_VERIFIED if self.verifies_user else 0)
        return hashlib.sha256(domain.encode()).digest() + bytes([flags]) + self.counter.to_bytes(4)

    def _client(self, kind: str, challenge: str) -> bytes:
        told = {"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": False}
        return json.dumps(told).encode()

    @staticmethod
    def _answer(credential: bytes, response: dict[str, str]) -> dict[str, Any]:
        return {
            "id": b64(credential),
            "rawId": b64(credential),
            "type": "public-key",
            "response": response,
            "clientExtensionResults": {},
        }
