import logging
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from support.office import Office, new_home, stranger_offer
from support.simulator import START
from support.tsa import LocalTsa
from workseal_verifier.services.health import STAMPING
from workseal_verifier.services.stamping import Authority, Stamper


@pytest.fixture(scope="module")
def tsa(tmp_path_factory: pytest.TempPathFactory) -> LocalTsa:
    return LocalTsa.make(tmp_path_factory.mktemp("tsa"))


def stamper_of(office: Office, send: Callable[[bytes], bytes], root: bytes) -> Stamper:
    verifier = office.verifier
    authority = Authority(send, (root,))
    return Stamper(verifier.log, verifier.publisher, verifier.identity, authority, verifier.health)


def test_stamps_once_for_each_growth(office: Office, tsa: LocalTsa) -> None:
    stamper = stamper_of(office, tsa.answer, tsa.root.der)
    for _ in range(3):
        office.verifier.health.failed(STAMPING)
    assert stamper.stamp()
    assert office.verifier.health.failing() == ()
    assert not stamper.stamp()
    office.post([stranger_offer(office, 1)])
    assert stamper.stamp()
    assert [size for size, _ in office.verifier.services.reader.tokens(0, 99)] == [3, 4]


@pytest.mark.parametrize("wrong", ["root", "nonce", "garbage", "huge", "down"])
def test_stores_nothing_that_does_not_verify(
    office: Office, tsa: LocalTsa, tmp_path: Path, wrong: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    kept = tsa.answer(b"0" * 0 + _request(office)) if wrong == "nonce" else b""

    def down(_: bytes) -> bytes:
        raise OSError("the authority did not answer")

    send = {
        "root": tsa.answer,
        "nonce": lambda _: kept,
        "garbage": lambda _: b"garbage",
        "huge": lambda _: bytes(20_000),
        "down": down,
    }[wrong]
    root = LocalTsa.make(tmp_path).root.der if wrong == "root" else tsa.root.der
    for _ in range(3):
        assert not stamper_of(office, send, root).stamp()
    assert office.verifier.health.failing() == (STAMPING,)
    assert office.verifier.services.reader.tokens(0, 99) == []
    assert "no time-stamp" in caplog.text


def test_refuses_a_time_before_the_checkpoint(
    office: Office, tsa: LocalTsa, caplog: pytest.LogCaptureFixture
) -> None:
    """The authority's clock runs an hour behind the log's: its token would spoil every bundle."""
    office.now = time.time_ns() // 1_000_000 + 3_600_000
    office.post([stranger_offer(office, 1)])
    stamper = stamper_of(office, tsa.answer, tsa.root.der)
    assert not stamper.stamp()
    assert office.verifier.services.reader.tokens(0, 99) == []
    assert "s behind this one" in caplog.text


def _request(office: Office) -> bytes:
    from workseal_protocol.timestamp import token_request  # noqa: PLC0415

    message = office.checkpoint().log_signed(office.log_key)
    return token_request(message, 1)


def test_a_log_without_an_authority_works(tmp_path: Path) -> None:
    office = Office(new_home(tmp_path)).open()
    office.now = START
    office.post([stranger_offer(office, 1)])
    assert office.verifier.services.reader.tokens(0, 99) == []
    office.close()
