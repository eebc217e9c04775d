import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.builders import (
    CLIENT,
    ENGAGEMENT,
    FREELANCER,
    OPERATOR,
    make_segment,
    one_of_each,
)
from workseal_protocol.cose import Sign1, sig_structure
from workseal_protocol.digest import Digest
from workseal_protocol.encoding import MAX_BYTES, Value, encode
from workseal_protocol.errors import MalformedError, VerificationError
from workseal_protocol.keys import Algorithm, SeedSigner
from workseal_protocol.records import Record, read_record, sign
from workseal_protocol.statement import (
    Kind,
    Statement,
    engagement_subject,
    sign_statement,
    subject_engagement,
)

VECTORS = Path(__file__).parents[1] / "vectors" / "statement"
SUBJECT = engagement_subject(ENGAGEMENT)
KEY = FREELANCER.public_key
GOOD = sign(make_segment(), FREELANCER)
HEADER: dict[int, Value] = {
    1: -8,
    3: "application/vnd.workseal.segment+cbor",
    4: KEY.thumbprint.raw,
    15: {1: KEY.uri, 2: SUBJECT},
    16: "application/vnd.workseal.segment+cose",
}


def envelope(header: dict[int, Value] | bytes, *, signature: bytes | None = None) -> bytes:
    """Sign whatever header is given, honestly: only the form can be wrong."""
    protected = header if isinstance(header, bytes) else encode(header)
    signed = FREELANCER.sign(sig_structure(protected, GOOD.payload))
    return Sign1(protected, GOOD.payload, signature or signed).encode()


def test_the_header_is_that_of_the_specification() -> None:
    assert envelope(HEADER) == GOOD.encode()


@pytest.mark.parametrize(("record", "signer"), one_of_each())
def test_parse_is_the_inverse_of_encode(record: Record, signer: SeedSigner) -> None:
    statement = sign(record, signer)
    parsed = Statement.parse(statement.encode())
    assert parsed == statement
    assert parsed.encode() == statement.encode()
    assert parsed.digest == Digest.of(statement.encode())
    parsed.verify_signature(signer.public_key)


@pytest.mark.parametrize(("record", "signer"), one_of_each())
def test_the_bytes_stay_the_same_for_ever(record: Record, signer: SeedSigner) -> None:
    vector = json.loads((VECTORS / f"{record.KIND}.json").read_text())
    statement = sign(record, signer)
    assert statement.encode().hex() == vector["statement"]
    assert str(statement.digest) == vector["digest"]
    assert read_record(Statement.parse(bytes.fromhex(vector["statement"]))) == record


def test_every_kind_has_a_vector() -> None:
    assert {path.stem for path in VECTORS.glob("*.json")} == set(Kind) | {"refused"}


REFUSED = json.loads((VECTORS / "refused.json").read_text())


@pytest.mark.parametrize("vector", REFUSED, ids=[each["why"] for each in REFUSED])
def test_refuses_the_published_bad_statements(vector: dict[str, str]) -> None:
    data = bytes.fromhex(vector["statement"])
    # What its name says is wrong is what it is refused for: the record, or what is around it.
    if vector["why"].startswith(("payload: ", "sub of another engagement")):
        statement = Statement.parse(data)
        with pytest.raises(MalformedError):
            read_record(statement)
    else:
        with pytest.raises(MalformedError):
            Statement.parse(data)


def changed(**changes: Any) -> dict[int, Value]:
    return HEADER | {int(key[1:]): value for key, value in changes.items()}


def without(key: int) -> dict[int, Value]:
    return {each: value for each, value in HEADER.items() if each != key}


@pytest.mark.parametrize(
    "header",
    [
        pytest.param(b"", id="empty"),
        pytest.param({}, id="empty map"),
        pytest.param(without(1), id="no alg"),
        pytest.param(without(3), id="no content type"),
        pytest.param(without(4), id="no kid"),
        pytest.param(without(15), id="no claims"),
        pytest.param(without(16), id="no typ"),
        pytest.param(changed(_1=-7), id="alg ES256"),
        pytest.param(changed(_1=-48), id="alg ML-DSA with a short signature"),
        pytest.param(changed(_1=8), id="positive alg"),
        pytest.param(changed(_1="EdDSA"), id="alg as text"),
        pytest.param(changed(_3="application/vnd.workseal.offer+cbor"), id="content type differs"),
        pytest.param(changed(_16="application/vnd.workseal.offer+cose"), id="typ differs"),
        pytest.param(changed(_3="application/vnd.workseal.segment+cose"), id="types swapped"),
        pytest.param(
            changed(
                _3="application/vnd.workseal.hearsay+cbor",
                _16="application/vnd.workseal.hearsay+cose",
            ),
            id="unknown kind",
        ),
        pytest.param(changed(_3="application/cbor"), id="another content type"),
        pytest.param(changed(_3=42), id="content type as number"),
        pytest.param(changed(_4=CLIENT.public_key.thumbprint.raw), id="kid of another key"),
        pytest.param(changed(_4=KEY.thumbprint.raw[:31]), id="short kid"),
        pytest.param(changed(_15={1: CLIENT.public_key.uri, 2: SUBJECT}), id="iss of another key"),
        pytest.param(changed(_15={1: KEY.uri + "=", 2: SUBJECT}), id="iss with padding"),
        pytest.param(changed(_15={1: KEY.uri}), id="no sub"),
        pytest.param(changed(_15={2: SUBJECT}), id="no iss"),
        pytest.param(changed(_15={1: KEY.uri, 2: SUBJECT, 3: "aud"}), id="another claim"),
        pytest.param(changed(_15={1: KEY.uri, 2: KEY.uri}), id="sub is the issuer"),
        pytest.param(changed(_15={1: KEY.uri, 2: SUBJECT.replace("a", "A")}), id="sub upper case"),
        pytest.param(changed(_15={1: KEY.uri, 2: SUBJECT.replace("-", "")}), id="sub no dashes"),
        pytest.param(changed(_15={1: KEY.uri, 2: SUBJECT + "\n"}), id="sub with line end"),
        pytest.param(changed(_15={1: KEY.uri, 2: ENGAGEMENT}), id="sub as bytes"),
        pytest.param(HEADER | {2: [15]}, id="crit"),
        pytest.param(HEADER | {258: "sha-256"}, id="hash envelope"),
        pytest.param(encode(HEADER) + b"\x00", id="trailing byte"),
        pytest.param(b"\xb8\x05" + encode(HEADER)[1:], id="long map length"),
        pytest.param(encode(HEADER) + bytes(500), id="too long"),
    ],
)
def test_refuses_header(header: dict[int, Value] | bytes) -> None:
    data = envelope(header)
    assert data != GOOD.encode()
    with pytest.raises(MalformedError):
        Statement.parse(data)


def test_refuses_a_subject_on_kinds_about_the_issuer() -> None:
    header = changed(
        _3="application/vnd.workseal.log.policy+cbor",
        _16="application/vnd.workseal.log.policy+cose",
    )
    with pytest.raises(MalformedError, match="issuer as subject"):
        Statement.parse(envelope(header))


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda m: replace(m, unprotected={394: [b"receipt"]}), id="receipt inside"),
        pytest.param(lambda m: replace(m, unprotected={4: b"kid"}), id="unprotected kid"),
        pytest.param(lambda m: replace(m, payload=None), id="detached payload"),
        pytest.param(lambda m: replace(m, signature=m.signature[:-1]), id="short signature"),
        pytest.param(lambda m: replace(m, signature=m.signature + b"\x00"), id="long signature"),
        pytest.param(lambda m: replace(m, signature=b""), id="no signature"),
    ],
)
def test_refuses_envelope(spoil: Callable[[Sign1], Sign1]) -> None:
    data = spoil(Sign1.parse(GOOD.encode())).encode()
    with pytest.raises(MalformedError):
        Statement.parse(data)


@given(
    st.binary(max_size=80)
    | st.tuples(st.integers(0), st.binary(max_size=3)).map(
        lambda change: (
            GOOD.encode()[: change[0] % 657]
            + change[1]
            + GOOD.encode()[change[0] % 657 + len(change[1]) :]
        )
    )
)
def test_parse_raises_only_malformed_and_accepts_one_spelling(data: bytes) -> None:
    with suppress(MalformedError):
        parsed = Statement.parse(data)
        assert parsed.encode() == data
        if data != GOOD.encode():
            with pytest.raises(VerificationError):
                parsed.verify_signature(KEY)


def test_accepts_both_names_of_ed25519() -> None:
    parsed = Statement.parse(envelope(changed(_1=-19)))
    assert parsed.algorithm is Algorithm.ED25519
    parsed.verify_signature(KEY)


@pytest.mark.parametrize("algorithm", [Algorithm.ML_DSA_44, Algorithm.ML_DSA_65])
def test_a_key_of_another_algorithm_signs_statements_too(algorithm: Algorithm) -> None:
    signer = SeedSigner(bytes(32), algorithm)
    statement = Statement.parse(sign(make_segment(), signer).encode())
    assert statement.algorithm is algorithm
    statement.verify_signature(signer.public_key)


def test_refuses_the_key_of_another_party() -> None:
    with pytest.raises(VerificationError, match="another key"):
        GOOD.verify_signature(CLIENT.public_key)


def test_refuses_an_algorithm_that_is_not_the_keys() -> None:
    # The issuer's key is Ed25519, the header says ML-DSA-44: never negotiated.
    statement = replace(GOOD, algorithm=Algorithm.ML_DSA_44, signature=bytes(2420))
    with pytest.raises(VerificationError, match="algorithm"):
        statement.verify_signature(KEY)


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"payload": GOOD.payload[:-1] + b"\x00"}, id="payload"),
        pytest.param({"kind": Kind.OFFER}, id="kind"),
        pytest.param({"subject": engagement_subject(bytes(16))}, id="subject"),
        pytest.param({"algorithm": Algorithm.ED25519}, id="algorithm"),
        pytest.param({"signature": bytes(64)}, id="signature"),
    ],
)
def test_the_signature_covers_every_part(changes: dict[str, Any]) -> None:
    with pytest.raises(VerificationError):
        replace(GOOD, **changes).verify_signature(KEY)


def test_the_signature_covers_the_issuer() -> None:
    with pytest.raises(VerificationError):
        replace(GOOD, issuer=CLIENT.public_key.thumbprint).verify_signature(CLIENT.public_key)


@pytest.mark.parametrize(
    ("kind", "subject"),
    [
        (Kind.SEGMENT, KEY.uri),
        (Kind.SEGMENT, SUBJECT.upper()),
        (Kind.LOG_POLICY, SUBJECT),
        (Kind.KEY_REVOKE, OPERATOR.public_key.uri),
    ],
)
def test_will_not_sign_a_subject_that_does_not_fit(kind: Kind, subject: str) -> None:
    with pytest.raises(ValueError, match="as subject"):
        sign_statement(kind, subject, {1: 1}, FREELANCER)


def test_will_not_make_more_than_64_kib() -> None:
    with pytest.raises(ValueError, match="65536"):
        sign_statement(Kind.SEGMENT, SUBJECT, {1: bytes(MAX_BYTES - 200)}, FREELANCER)


def test_64_kib_are_read_and_one_more_is_not() -> None:
    room = MAX_BYTES - len(sign_statement(Kind.SEGMENT, SUBJECT, bytes(1000), FREELANCER).encode())
    largest = sign_statement(Kind.SEGMENT, SUBJECT, bytes(1000 + room), FREELANCER)
    assert len(largest.encode()) == MAX_BYTES
    assert Statement.parse(largest.encode()) == largest
    with pytest.raises(MalformedError, match="65536"):
        Statement.parse(largest.encode() + b"\x00")


@given(st.binary(min_size=16, max_size=16))
def test_an_engagement_is_read_back_from_its_subject(engagement: bytes) -> None:
    assert subject_engagement(engagement_subject(engagement)) == engagement


@given(st.text(max_size=50))
def test_subject_parser_raises_only_malformed(text: str) -> None:
    with suppress(MalformedError):
        assert engagement_subject(subject_engagement(text)) == text


def test_refuses_an_engagement_of_another_length() -> None:
    with pytest.raises(ValueError, match="16 bytes"):
        engagement_subject(bytes(15))


def test_another_library_reads_header_and_payload() -> None:
    tag = cbor2.loads(GOOD.encode())
    protected, unprotected, payload, signature = tag.value
    assert cbor2.loads(protected) == HEADER
    assert unprotected == {}
    assert cbor2.loads(payload) == make_segment().to_value()
    KEY.verify(signature, cbor2.dumps(["Signature1", protected, b"", payload]))
