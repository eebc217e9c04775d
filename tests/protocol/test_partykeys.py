from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workseal_protocol.digest import Digest
from workseal_protocol.encoding import encode
from workseal_protocol.errors import MalformedError
from workseal_protocol.keys import Algorithm, Role, SeedSigner
from workseal_protocol.partykeys import MAX_KEYS, Moment, PartyKey, encode_keys, parse_keys

KEY = SeedSigner(bytes(32)).public_key
OTHER = SeedSigner(bytes(32), Algorithm.ML_DSA_44).public_key
PLAIN = PartyKey(role=Role.CLIENT, key=KEY)
FULL = PartyKey(
    role=Role.FREELANCER,
    key=OTHER,
    begun=Moment(5, 1_000),
    ended=Moment(9, 2_000),
    recovery=(Digest.of(b"r"), Moment(3, 500)),
    reads_from_ms=87_400_000,
)
VALUE: dict[int, Any] = PLAIN.to_value()

moments = st.builds(Moment, st.integers(0, 2**53 - 1), st.integers(0, 2**53 - 1))


@given(
    st.sampled_from(Role),
    st.none() | moments,
    st.none() | moments,
    st.none() | st.tuples(st.just(Digest.of(b"r")), moments),
    st.integers(0, 2**53 - 1),
)
def test_what_is_written_is_read_back(
    role: Role,
    begun: Moment | None,
    ended: Moment | None,
    recovery: tuple[Digest, Moment] | None,
    reads_from: int,
) -> None:
    key = PartyKey(
        role=role,
        key=KEY,
        begun=begun,
        ended=ended,
        recovery=recovery,
        reads_from_ms=0 if begun is None else reads_from,
    )
    assert parse_keys(encode_keys([key, FULL])) == (key, FULL)


def test_the_bytes_are_those_of_the_page() -> None:
    assert PLAIN.to_value() == {1: 2, 2: KEY.raw}
    assert FULL.to_value() == {
        1: 1,
        2: OTHER.raw,
        3: [5, 1_000],
        4: [9, 2_000],
        5: [Digest.of(b"r").raw, 3, 500],
        6: 87_400_000,
    }


@pytest.mark.parametrize(
    "value",
    [
        5,
        {},
        {**VALUE, 1: 5},
        {**VALUE, 2: b"short"},
        {**VALUE, 7: 1},
        {**VALUE, 6: 1},
        {**VALUE, 3: [1, 2]},
        {**VALUE, 3: [1, 2, 3], 6: 1},
        {**VALUE, 3: [1, b""], 6: 1},
        {**VALUE, 4: [1, -1]},
        {**VALUE, 5: [b"short", 1, 2]},
        {**VALUE, 5: [5, 1, 2]},
        {**VALUE, 5: [bytes(32), 1]},
    ],
    ids=str,
)
def test_refuses_another_form(value: Any) -> None:
    with pytest.raises(MalformedError):
        parse_keys(encode([value]))


def test_refuses_more_keys_than_a_history_has() -> None:
    assert len(parse_keys(encode_keys([PLAIN] * MAX_KEYS))) == MAX_KEYS
    with pytest.raises(MalformedError, match="at most"):
        parse_keys(encode_keys([PLAIN] * (MAX_KEYS + 1)))
    with pytest.raises(MalformedError, match="array"):
        parse_keys(encode({1: 1}))


@given(st.binary(max_size=64))
def test_reading_raises_only_malformed(data: bytes) -> None:
    try:
        parse_keys(data)
    except MalformedError:
        return


def test_a_key_is_a_value() -> None:
    assert replace(FULL, ended=None) != FULL
