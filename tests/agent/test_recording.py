"""The program that records, as `start` runs it."""

import io
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.bridge import bridged
from support.worker import PASSPHRASE, Worker
from workseal_agent.handover import Handover, Order
from workseal_agent.recording import main


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.BytesIO]:
    """Be what stands on standard input."""
    data = io.BytesIO()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(data))
    yield data
    data.close()


def test_the_program_is_for_the_agent_itself(
    tmp_path: Path, given: io.BytesIO, capsys: pytest.CaptureFixture[str]
) -> None:
    given.write(bytes(47))
    order = Order(tmp_path).encode()
    for words in ([order], [], ["start"], [order, "more"]):
        given.seek(0)
        assert main(words) == 2
        assert capsys.readouterr().err.count("for the agent itself: use `start`") == 1


def test_what_cannot_be_recorded_is_one_sentence_and_nothing_begins(
    tmp_path: Path, given: io.BytesIO, capsys: pytest.CaptureFixture[str]
) -> None:
    with bridged() as bridge:
        worker = Worker(tmp_path / "home", bridge)
    seed = worker.keystore.unlock_seed(PASSPHRASE)

    def refusal(home: Path, engagement: bytes, key: bytes) -> str:
        given.seek(0)
        given.write(Handover(engagement, key).encode())
        given.seek(0)
        assert main([Order(home, "replay", worker.pictures).encode()]) == 1
        return capsys.readouterr().err

    number = worker.engagement.id
    assert "there is no agent in" in refusal(tmp_path, number, seed)
    assert "not the key of this home" in refusal(worker.home, number, bytes(32))
    assert "`workseal-agent join` again" in refusal(worker.home, bytes(16), seed)
    ledger = worker.home / "ledger.sqlite"
    ledger.rename(worker.home / "elsewhere")
    assert "missing or empty: restore it" in refusal(worker.home, number, seed)
    assert not ledger.exists()
    assert not (worker.home / "control.sock").exists()
