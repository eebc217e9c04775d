import pytest

from workseal_agent.vaultkey import (
    PRIVATE_BYTES,
    PUBLIC_BYTES,
    SEAL_OVERHEAD,
    OpeningKey,
    SealingKey,
    generate_private,
    public_of,
)

PRIVATE = bytes(range(PRIVATE_BYTES))


def test_opens_what_was_sealed_for_the_same_place() -> None:
    sealed = SealingKey(public_of(PRIVATE)).seal(b"secret", b"place")
    assert len(sealed) == len(b"secret") + SEAL_OVERHEAD
    assert OpeningKey(PRIVATE).open(sealed, b"place") == b"secret"


@pytest.mark.parametrize("damage", [0, 31, 1119, 1120, 1141])
def test_does_not_open_what_was_changed(damage: int) -> None:
    sealed = bytearray(SealingKey(public_of(PRIVATE)).seal(b"secret", b"place"))
    sealed[damage] ^= 1
    assert OpeningKey(PRIVATE).open(bytes(sealed), b"place") is None


def test_does_not_open_for_another_place_key_or_length() -> None:
    sealed = SealingKey(public_of(PRIVATE)).seal(b"secret", b"place")
    assert OpeningKey(PRIVATE).open(sealed, b"elsewhere") is None
    assert OpeningKey(generate_private()).open(sealed, b"place") is None
    assert OpeningKey(PRIVATE).open(sealed[:-1], b"place") is None
    assert OpeningKey(PRIVATE).open(b"", b"place") is None


def test_refuses_what_is_not_a_key() -> None:
    for wrong in (b"", bytes(PUBLIC_BYTES - 1), b"\xff" * PUBLIC_BYTES):
        with pytest.raises(ValueError, match="key"):
            SealingKey(wrong)
    with pytest.raises(ValueError, match="96 bytes"):
        public_of(bytes(95))


def test_new_keys_differ_and_no_repr_shows_one() -> None:
    first, second = generate_private(), generate_private()
    assert len(first) == PRIVATE_BYTES
    assert first != second
    assert repr(OpeningKey(first)) == "OpeningKey(...)"
