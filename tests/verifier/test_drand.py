import hashlib
import json
import struct
import sys
from pathlib import Path
from typing import Any

import pytest

from support.drand import OneMan, ServedDrand
from workseal_verifier.drand import DrandClient, checker
from workseal_verifier.errors import ConfigError, SettingsError

VECTOR: dict[str, Any] = json.loads(
    (Path(__file__).resolve().parents[1] / "vectors" / "log" / "drand.json").read_text()
)
KEY = bytes.fromhex(VECTOR["key"])
ROUNDS = [(one["round"], bytes.fromhex(one["signature"])) for one in VECTOR["rounds"]]
CHAIN = bytes(range(32))
INFINITY = b"\xc0" + bytes(47)


def test_the_constants_are_those_that_the_chain_hash_names() -> None:
    head = struct.pack(">Iq", VECTOR["period"], VECTOR["genesis"])
    text = head + KEY + bytes.fromhex(VECTOR["group"]) + VECTOR["name"].encode()
    assert hashlib.sha256(text).hexdigest() == VECTOR["chain"]


def test_real_rounds_verify() -> None:
    holds = checker(KEY)
    for number, signature in ROUNDS:
        assert holds(number, signature)
    told = [hashlib.sha256(signature).hexdigest() for _, signature in ROUNDS]
    assert told == [one["randomness"] for one in VECTOR["rounds"]]


def test_nothing_else_does() -> None:
    holds = checker(KEY)
    (first, signature), (second, other) = ROUNDS
    stranger = OneMan()
    for number, value in (
        (first, other),
        (second, signature),
        (first + 1, signature),
        (first, stranger.sign(first)),
        (first, bytes([signature[0] ^ 0x20]) + signature[1:]),
        (first, signature[:-1] + bytes([signature[-1] ^ 1])),
        (first, INFINITY),
        (first, b"\xff" * 48),
        (first, bytes(48)),
        (first, b""),
        (first, signature[:-1]),
        (first, signature + b"\x00"),
    ):
        assert not holds(number, value)
    assert not checker(stranger.key)(first, signature)


@pytest.mark.parametrize("key", [bytes(96), b"\xc0" + bytes(95), KEY[:-1], b"", KEY[::-1]])
def test_refuses_a_key_that_is_none(key: bytes) -> None:
    """At infinity everybody's empty signature would hold."""
    with pytest.raises(SettingsError, match=r"^\[drand\] key is no"):
        checker(key)


def test_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "py_arkworks_bls12381", None)
    with pytest.raises(ConfigError, match=r"pip install 'workseal\[drand\]'"):
        checker(KEY)


def test_asks_for_a_round_or_the_newest_of_its_chain() -> None:
    man = OneMan()
    with ServedDrand(lambda _: (200, man.answer(7))) as relay:
        client = DrandClient(relay.url + "/base/", CHAIN)
        assert client.ask(None) == client.ask(8) == (7, man.sign(7))
    base = f"/base/{CHAIN.hex()}/public"
    assert relay.asked == [f"{base}/latest", f"{base}/8"]


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"\xff", id="no text"),
        pytest.param(b"[" * 4_000, id="deep"),
        pytest.param(b"[]", id="a list"),
        pytest.param(b'{"round": 7}', id="no signature"),
        pytest.param(OneMan().answer(7).replace(b'"round": 7', b'"round": "7"'), id="a text"),
        pytest.param(OneMan().answer(7).replace(b'"round": 7', b'"round": true'), id="a truth"),
        pytest.param(OneMan().answer(7).replace(b'"round": 7', b'"round": 7.0'), id="a fraction"),
        pytest.param(OneMan().answer(7).replace(b'e": "', b'e": " '), id="a space"),
        pytest.param(b'{"round": 7, "signature": "00"}', id="short"),
    ],
)
def test_what_is_no_answer_is_an_os_error(answer: bytes) -> None:
    with (
        ServedDrand(lambda _: (200, answer)) as relay,
        pytest.raises(OSError, match=r"in JSON|no round with a signature"),
    ):
        DrandClient(relay.url, CHAIN).ask(None)


def test_a_long_answer_is_cut() -> None:
    with (
        ServedDrand(lambda _: (200, bytes(4_097))) as relay,
        pytest.raises(OSError, match="exceeds 4096 bytes"),
    ):
        DrandClient(relay.url, CHAIN).ask(None)
