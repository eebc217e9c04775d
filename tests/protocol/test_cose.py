from contextlib import suppress

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workseal_protocol.cose import Sign1, cut, octets, sig_structure
from workseal_protocol.errors import MalformedError

headers = st.dictionaries(st.integers(-400, 400), st.integers(0, 9) | st.binary(max_size=9))
parts = st.builds(
    Sign1,
    st.binary(max_size=300),
    st.binary(max_size=300) | st.none(),
    st.binary(max_size=70),
    headers,
)
GOOD = Sign1(b"\xa1\x01\x27", b"payload", b"s" * 64).encode()


@given(parts)
def test_parse_is_the_inverse_of_encode(message: Sign1) -> None:
    assert Sign1.parse(message.encode()) == message


@given(parts)
def test_another_library_reads_the_same_parts(message: Sign1) -> None:
    tag = cbor2.loads(message.encode())
    assert tag.tag == 18
    assert list(tag.value) == [
        message.protected,
        message.unprotected,
        message.payload,
        message.signature,
    ]


@given(st.binary(max_size=60) | st.binary(max_size=40).map(lambda tail: b"\xd2\x84" + tail))
def test_parse_raises_only_malformed(data: bytes) -> None:
    with suppress(MalformedError):
        assert Sign1.parse(data).encode() == data


@given(parts, st.data())
def test_what_is_cut_is_the_one_spelling_of_its_parts(message: Sign1, data: st.DataObject) -> None:
    encoded = bytearray(message.encode())
    if data.draw(st.booleans()):
        encoded[data.draw(st.integers(0, len(encoded) - 1))] = data.draw(st.integers(0, 255))
    found = cut(bytes(encoded))
    try:
        parsed = Sign1.parse(bytes(encoded))
    except MalformedError:
        assert found is None
    else:
        usual = not parsed.unprotected and parsed.payload is not None
        expected = (parsed.protected, parsed.payload, parsed.signature) if usual else None
        assert found == expected


@given(st.binary(max_size=70_000), st.binary(max_size=300))
def test_what_is_signed_is_that_of_rfc_9052(payload: bytes, protected: bytes) -> None:
    expected = cbor2.dumps(["Signature1", protected, b"", payload])
    assert sig_structure(protected, payload) == expected


@pytest.mark.parametrize("length", [0, 23, 24, 255, 256, 65_535, 65_536])
def test_byte_strings_have_their_shortest_length(length: int) -> None:
    assert octets(bytes(length)) == cbor2.dumps(bytes(length))


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(GOOD[1:], id="no tag"),
        pytest.param(b"\xd8\x12" + GOOD[1:], id="long tag"),
        pytest.param(b"\xd1" + GOOD[1:], id="COSE_Mac0"),
        pytest.param(b"\xd2" + GOOD, id="tag twice"),
        pytest.param(b"\xd2\x85" + GOOD[2:] + b"\x00", id="array of five"),
        pytest.param(b"\xd2\x83" + GOOD[2:], id="array of three"),
        pytest.param(b"\xd2\x9f" + GOOD[2:] + b"\xff", id="indefinite array"),
        pytest.param(b"\xd2\x98\x04" + GOOD[2:], id="long array length"),
        pytest.param(GOOD + b"\x00", id="trailing byte"),
        pytest.param(GOOD[:-1], id="signature ends early"),
        pytest.param(GOOD.replace(b"\x43\xa1", b"\x58\x03\xa1"), id="long protected length"),
        pytest.param(GOOD.replace(b"\x47pay", b"\x58\x07pay"), id="long payload length"),
        pytest.param(GOOD.replace(b"\x47pay", b"\x67pay"), id="text as payload"),
        pytest.param(GOOD.replace(b"\x47payload", b"\xf7"), id="undefined as payload"),
        pytest.param(GOOD.replace(b"\x43\xa1", b"\x63\xa1"), id="text as protected header"),
        pytest.param(GOOD.replace(b"\xa0\x47", b"\x80\x47"), id="array as unprotected header"),
        pytest.param(GOOD.replace(b"\xa0\x47", b"\x81\x00\x47"), id="array of one as header"),
        pytest.param(GOOD.replace(b"\xa0\x47", b"\xb8\x00\x47"), id="long map length"),
        pytest.param(GOOD.replace(b"\xa0\x47", b"\xa2\x02\x00\x01\x00\x47"), id="unsorted header"),
        pytest.param(GOOD.replace(b"\xa0\x47", b"\xa2\x01\x00\x01\x00\x47"), id="header twice"),
        pytest.param(b"\xd2\x84\x43\xa1\x01\x27\xa0\x47payload\xf6", id="null as signature"),
    ],
)
def test_refuses(bad: bytes) -> None:
    assert bad != GOOD
    with pytest.raises(MalformedError):
        Sign1.parse(bad)


def test_refuses_more_than_64_kib() -> None:
    message = Sign1(b"", bytes(65_536), b"").encode()
    with pytest.raises(MalformedError, match="65536"):
        Sign1.parse(message)
    assert Sign1.parse(message, max_bytes=len(message)).encode() == message
