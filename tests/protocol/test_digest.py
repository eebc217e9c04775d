import hashlib

import pytest

from workseal_protocol.digest import Digest, Tag, sha256


def test_parts_are_hashed_as_their_concatenation() -> None:
    assert sha256(b"ab", memoryview(b"c")) == hashlib.sha256(b"abc").digest()
    assert Digest.of(b"a", b"bc").raw == sha256(b"abc")


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(b"", id="empty"),
        pytest.param(bytes(31), id="31 bytes"),
        pytest.param(bytes(33), id="33 bytes"),
        pytest.param(bytearray(32), id="can change"),
        pytest.param("0" * 32, id="text"),
    ],
)
def test_refuses_what_is_not_32_fixed_bytes(raw: bytes) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        Digest(raw)


def test_equals_a_digest_of_the_same_bytes_and_nothing_else() -> None:
    one = Digest(bytes(32))
    assert {one, Digest(bytes(32))} == {one}
    assert one != Digest(b"\x01" + bytes(31))
    assert one != bytes(32)


def test_is_shown_as_hex() -> None:
    assert str(Digest(bytes(32))) == "00" * 32


def test_no_tag_is_the_beginning_of_another() -> None:
    tags = [value for name, value in vars(Tag).items() if name.isupper()]
    assert len(tags) > 5
    assert not [
        (one, two)
        for place, one in enumerate(tags)
        for two in tags[:place]
        if one.startswith(two) or two.startswith(one)
    ]
