import io
import json
import os
import sys
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given as each
from hypothesis import strategies as st

from workseal_agent.cli.handover import PASSPHRASE_VARIABLE, given, without_passphrase
from workseal_agent.config import ScreenKind
from workseal_agent.handover import Handover, Order, receive
from workseal_protocol.errors import MalformedError

HANDOVERS = st.builds(
    Handover,
    st.binary(min_size=16, max_size=16),
    st.binary(min_size=32, max_size=32),
)
PATHS = st.text(st.characters(exclude_characters="/\0", codec="utf-8"), min_size=1).map(Path)
ORDERS = st.builds(
    Order,
    PATHS,
    st.none() | st.sampled_from(get_args(ScreenKind)),
    st.none() | PATHS,
    st.none() | PATHS,
    st.booleans(),
    st.booleans(),
)


@each(ORDERS)
def test_an_order_is_read_as_it_was_written(order: Order) -> None:
    assert Order.parse(order.encode()) == order


def test_a_path_that_is_not_utf_8_is_ordered_too() -> None:
    order = Order(Path(os.fsdecode(b"/home/\xff")))
    assert os.fsencode(Order.parse(order.encode()).home) == b"/home/\xff"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("home", 7),
        ("screen", "film"),
        ("screen", []),
        ("paused", 1),
        ("own_clock", None),
        ("replay", 7),
    ],
)
def test_an_order_of_another_form_is_none(name: str, value: object) -> None:
    told = json.loads(Order(Path("h")).encode())
    for bad in ({**told, name: value}, {key: told[key] for key in told if key != name}):
        with pytest.raises(MalformedError):
            Order.parse(json.dumps(bad))


@pytest.mark.parametrize("text", ["", "{}", "[]", "7", "start", '{"home": "h"}'])
def test_another_text_is_no_order(text: str) -> None:
    with pytest.raises(MalformedError):
        Order.parse(text)


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
