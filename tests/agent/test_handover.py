import io
import os
import sys

import pytest
from hypothesis import given as each
from hypothesis import strategies as st

from workseal_agent.cli.handover import (
    PASSPHRASE_VARIABLE,
    Handover,
    given,
    receive,
    without_passphrase,
)
from workseal_protocol.errors import MalformedError

HANDOVERS = st.builds(
    Handover,
    st.binary(min_size=16, max_size=16),
    st.binary(min_size=32, max_size=32),
)


@each(HANDOVERS)
def test_parse_is_the_inverse_of_encode(handover: Handover) -> None:
    assert Handover.parse(handover.encode()) == handover


@each(st.binary(max_size=64).filter(lambda data: len(data) != 48))
def test_other_bytes_are_malformed(data: bytes) -> None:
    with pytest.raises(MalformedError):
        Handover.parse(data)


@pytest.mark.parametrize("more", [b"", b"x"])
def test_what_is_given_is_received_and_nothing_longer(
    monkeypatch: pytest.MonkeyPatch, more: bytes
) -> None:
    handover = Handover(b"e" * 16, b"s" * 32)
    with given(handover) as pipe:
        data = pipe.read()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data + more)))
    if more:
        with pytest.raises(MalformedError):
            receive()
    else:
        assert receive() == handover


def test_no_repr_holds_the_seed() -> None:
    assert "ssss" not in repr(Handover(b"e" * 16, b"s" * 32))


def test_the_passphrase_alone_leaves_the_environment() -> None:
    before = {**os.environ, PASSPHRASE_VARIABLE: "secret", "DISPLAY": ":7"}
    after = without_passphrase(before)
    assert set(before) - set(after) == {PASSPHRASE_VARIABLE}
    assert after["DISPLAY"] == ":7"
