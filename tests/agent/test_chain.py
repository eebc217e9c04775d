from pathlib import Path

import pytest

from support.rig import Rig
from workseal_agent.chain import OwnChain, OwnChainError, Place
from workseal_agent.ledger import Ledger, LedgerKey
from workseal_protocol.digest import Digest
from workseal_protocol.records import Anchor, SessionOpen, read_record
from workseal_protocol.statement import Statement


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig(tmp_path)


def opening(rig: Rig, session: bytes = bytes(16)) -> SessionOpen:
    def build(place: Place) -> SessionOpen:
        return SessionOpen(
            **place.link(rig.clock.wall_ms()),
            session=session,
            head=Digest(bytes(32)),
            first_round=rig.clock.wall_ms() // rig.simulator.round_ms,
            rounds=10,
            agent="test",
            environment=Digest(bytes(32)),
        )

    record = read_record(rig.chain.append(build))
    assert isinstance(record, SessionOpen)
    return record


def test_begins_at_the_acceptance(rig: Rig) -> None:
    record = opening(rig)
    assert record.seq == 0
    assert record.prev == Statement.parse(rig.engagement.acceptance).digest


def test_what_breaks_a_rule_is_not_stored(rig: Rig) -> None:
    opening(rig)
    with pytest.raises(OwnChainError, match="session"):
        opening(rig, b"another session!")
    assert len(rig.records()) == 1
    assert rig.chain.state.next_seq == 1


def test_folds_in_what_another_process_appended(rig: Rig) -> None:
    other = OwnChain(Ledger(rig.path, LedgerKey(rig.signer)), rig.engagement, rig.signer)
    rig.recorder.start()
    rig.work(25)
    assert other.refresh().next_seq == rig.chain.state.next_seq
    assert other.state.head == rig.chain.state.head
    rig.recorder.stop()
    rig.chain, old = other, rig.chain
    record = opening(rig)
    assert record.seq == old.state.next_seq
    assert old.refresh().next_seq == record.seq + 1


def test_an_anchor_never_goes_back() -> None:
    small, large = Anchor(Digest(bytes(32)), 3), Anchor(Digest(bytes(32)), 9)
    least = Anchor(Digest(b"l" * 32), 5)
    place = Place(bytes(16), 1, Digest(bytes(32)), newest=large, least=least)
    assert place.link(0)["anchor"] == large
    assert place.link(0, small)["anchor"].size == 5
    assert place.link(0, large)["anchor"] == large
    first = Place(bytes(16), 0, Digest(bytes(32)), newest=large, least=None)
    assert first.link(0, small)["anchor"] == small


def test_does_not_begin_without_a_receipt_of_the_acceptance(rig: Rig, tmp_path: Path) -> None:
    with Ledger(tmp_path / "fresh", LedgerKey(rig.signer)) as fresh:
        with fresh.write() as writing:
            writing.add_engagement(rig.engagement)
        rig.chain = OwnChain(fresh, rig.engagement, rig.signer)
        with pytest.raises(OwnChainError, match="join"):
            opening(rig)
