import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from http_message_signatures import HTTPMessageVerifier, InvalidSignature, MappingKeyResolver
from http_message_signatures.algorithms import ED25519
from hypothesis import given
from hypothesis import strategies as st

from workseal_protocol.errors import MalformedError, VerificationError
from workseal_protocol.httpsignature import (
    CONTENT_DIGEST,
    MAX_CREATED,
    NONCE_BYTES,
    SIGNATURE,
    SIGNATURE_INPUT,
    RequestSignature,
    Target,
    sign_request,
)
from workseal_protocol.keys import Algorithm, PublicKey, SeedSigner

VECTORS = json.loads((Path(__file__).parents[1] / "vectors/access/signature.json").read_text())
SIGNER = SeedSigner(b"\x03" * 32)
CREATED = 1_600_000_000
GET = Target("GET", "log.example.com", "/v1/x", "?size=12")
CASES = [pytest.param(case, id=case["name"]) for case in VECTORS["cases"]]


def ending(outcome: str) -> list[Any]:
    return [pytest.param(c, id=c["name"]) for c in VECTORS["cases"] if c["outcome"] == outcome]


def target_of(case: dict[str, Any]) -> Target:
    return Target(case["method"], case["authority"], case["path"], case["query"])


def parsed(fields: dict[str, str]) -> RequestSignature:
    return RequestSignature.parse(
        fields[SIGNATURE_INPUT], fields[SIGNATURE], fields.get(CONTENT_DIGEST)
    )


def outcome(case: dict[str, Any]) -> str:
    try:
        signature = parsed(case["fields"])
        signature.verify(target_of(case), PublicKey.parse_text(case["key"]))
        signature.verify_body(bytes.fromhex(case["body"]))
    except MalformedError:
        return "malformed"
    except VerificationError:
        return "fails"
    return "holds"


@pytest.mark.parametrize("case", CASES)
def test_each_request_ends_as_the_vector_says(case: dict[str, Any]) -> None:
    assert outcome(case) == case["outcome"]


def test_there_is_a_vector_for_each_outcome() -> None:
    assert {case["outcome"] for case in VECTORS["cases"]} == {"holds", "fails", "malformed"}


@pytest.mark.parametrize("case", ending("holds"))
def test_signing_again_gives_the_bytes_of_the_vector(case: dict[str, Any]) -> None:
    body = bytes.fromhex(case["body"])
    nonce = bytes(range(NONCE_BYTES))
    fields = sign_request(target_of(case), SIGNER, created=CREATED, nonce=nonce, body=body)
    assert fields == case["fields"]


# --- another implementation of RFC 9421 and RFC 9530 ---


def verify_elsewhere(case: dict[str, Any]) -> None:
    """Verify with a library that is not ours, at the instant that was signed."""
    key = PublicKey.parse_text(case["key"])
    message = SimpleNamespace(
        method=case["method"],
        url=f"https://{case['authority']}{case['path']}{case['query'].removesuffix('?')}",
        headers=dict(case["fields"]),
        content=bytes.fromhex(case["body"]),
    )
    verifier = HTTPMessageVerifier(
        signature_algorithm=ED25519,
        key_resolver=MappingKeyResolver(
            private_keys={},
            public_keys={str(key.thumbprint): Ed25519PublicKey.from_public_bytes(key.raw)},
        ),
    )
    # By its own clock the vectors are old.
    verifier.verify(message, max_age=timedelta(days=36_500))


@pytest.mark.parametrize("case", ending("holds"))
def test_another_implementation_accepts_what_holds(case: dict[str, Any]) -> None:
    verify_elsewhere(case)


@pytest.mark.parametrize("case", [one for one in ending("fails") if "body" not in str(one.id)])
def test_another_implementation_refuses_what_fails(case: dict[str, Any]) -> None:
    # That a body has to be covered, and is compared at once, are rules of our subset.
    with pytest.raises((InvalidSignature, KeyError)):
        verify_elsewhere(case)


# --- our subset ---


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda: Target("get", "x", "/"), id="method"),
        pytest.param(lambda: Target("GET", "X.example", "/"), id="capitals in the host"),
        pytest.param(lambda: Target("GET", "x.example:0", "/"), id="port"),
        pytest.param(lambda: Target("GET", "user@x.example", "/"), id="user"),
        pytest.param(lambda: Target("GET", "", "/"), id="no authority"),
        pytest.param(lambda: Target("GET", "x", "relative"), id="path"),
        pytest.param(lambda: Target("GET", "x", "/a?b"), id="query in the path"),
        pytest.param(lambda: Target("GET", "x", "/a\n/b"), id="line in the path"),
        pytest.param(lambda: Target("GET", "x", "/", "a=1"), id="query"),
        pytest.param(lambda: Target("GET", "x", "/", "?a=1\n"), id="line in the query"),
    ],
)
def test_a_target_that_would_write_another_line_is_refused(make: Callable[[], Target]) -> None:
    with pytest.raises(ValueError, match="a "):
        make()


@pytest.mark.parametrize("authority", ["localhost:8080", "127.0.0.1", "[::1]:443", "a-b.example"])
def test_an_authority_may_be_a_name_or_an_address(authority: str) -> None:
    assert Target("GET", authority, "/").authority == authority


def test_a_key_of_another_algorithm_neither_signs_nor_verifies() -> None:
    signer = SeedSigner(b"\x03" * 32, Algorithm.ML_DSA_44)
    with pytest.raises(ValueError, match="Ed25519"):
        sign_request(GET, signer, created=CREATED, nonce=bytes(NONCE_BYTES))
    fields = sign_request(GET, SIGNER, created=CREATED, nonce=bytes(NONCE_BYTES))
    with pytest.raises(VerificationError, match="Ed25519"):
        parsed(fields).verify(GET, signer.public_key)


@pytest.mark.parametrize(
    ("created", "nonce"), [(-1, bytes(16)), (MAX_CREATED + 1, bytes(16)), (1, bytes(15))]
)
def test_what_no_reader_takes_is_not_signed(created: int, nonce: bytes) -> None:
    with pytest.raises(ValueError, match="nonce"):
        sign_request(GET, SIGNER, created=created, nonce=nonce)


def test_a_longer_header_is_not_looked_at() -> None:
    fields = sign_request(GET, SIGNER, created=CREATED, nonce=bytes(NONCE_BYTES))
    with pytest.raises(MalformedError, match="at most"):
        RequestSignature.parse(fields[SIGNATURE_INPUT] + " " * 600, fields[SIGNATURE], None)


@given(
    created=st.integers(0, MAX_CREATED),
    nonce=st.binary(min_size=NONCE_BYTES, max_size=NONCE_BYTES),
    body=st.none() | st.binary(max_size=64),
)
def test_what_is_signed_is_read_back_and_verifies(
    created: int, nonce: bytes, body: bytes | None
) -> None:
    target = GET if body is None else Target("POST", "log.example.com", "/v1/x")
    fields = sign_request(target, SIGNER, created=created, nonce=nonce, body=body or b"")
    signature = parsed(fields)
    assert signature.fields() == fields
    assert (signature.created, signature.nonce) == (created, nonce)
    signature.verify(target, SIGNER.public_key)
    signature.verify_body(body or b"")


@given(st.text(max_size=80), st.text(max_size=80), st.none() | st.text(max_size=80))
def test_reading_raises_only_malformed(one: str, two: str, three: str | None) -> None:
    good = VECTORS["cases"][2]["fields"]
    for fields in ((one, two, three), (good[SIGNATURE_INPUT], two, three)):
        with pytest.raises(MalformedError):
            RequestSignature.parse(*fields)
