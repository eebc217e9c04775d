from dataclasses import replace
from pathlib import Path

import pytest

from support.rig import Rig
from support.simulator import Simulator
from workseal_agent.connection import UnreachableError
from workseal_agent.language import Phrase
from workseal_agent.ledger import SendState
from workseal_agent.submission import (
    Log,
    LogContradictionError,
    accept_answer,
    newest_checkpoint,
    newest_signed,
    require_growth,
    submit,
)
from workseal_protocol.checkpoint import SignedCheckpoint
from workseal_protocol.encoding import decode
from workseal_protocol.receipt import SubmissionAnswer
from workseal_protocol.statement import Statement


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    rig = Rig(tmp_path)
    rig.recorder.start()
    return rig


def answer_to(rig: Rig) -> tuple[list[bytes], SubmissionAnswer]:
    bodies = [row.body for row in rig.ledger.sendable(rig.engagement.id, 10)]
    old = newest_checkpoint(rig.ledger, rig.engagement.id)
    return bodies, rig.simulator.submit([Statement.parse(body) for body in bodies], old)


def accept(rig: Rig, bodies: list[bytes], answer: bytes) -> None:
    digests = [Statement.parse(body).digest for body in bodies]
    old = newest_checkpoint(rig.ledger, rig.engagement.id)
    accept_answer(rig.ledger, Log.of(rig.engagement), digests, old, answer, now_ms=1)


def test_stores_a_receipt_that_verifies(rig: Rig) -> None:
    bodies, answer = answer_to(rig)
    accept(rig, bodies, answer.encode())
    (stored,) = [rig.ledger.statement(Statement.parse(body).digest) for body in bodies]
    assert stored is not None
    assert (stored.state, stored.log_index) == (SendState.RECEIPTED, answer.indices[0])
    assert rig.ledger.newest_checkpoint(rig.engagement.id) == answer.signed.encode()


def test_an_answer_that_the_log_did_not_sign_is_no_answer(rig: Rig) -> None:
    bodies, answer = answer_to(rig)
    stranger = Simulator(b"another operator")
    stranger.others(answer.signed.checkpoint.size)
    forged = replace(answer, signed=stranger.checkpoint())
    for data in (b"", b"\xff", forged.encode()):
        with pytest.raises(UnreachableError):
            accept(rig, bodies, data)
    assert rig.ledger.incidents(rig.engagement.id) == ()
    assert rig.ledger.counts(rig.engagement.id).unsent == 1


def test_an_answer_without_the_witnesses_is_no_answer(rig: Rig) -> None:
    bodies, answer = answer_to(rig)
    bare = SignedCheckpoint(answer.signed.checkpoint, answer.signed.lines[:1])
    with pytest.raises(UnreachableError, match="quorum"):
        accept(rig, bodies, replace(answer, signed=bare).encode())
    assert rig.ledger.incidents(rig.engagement.id) == ()


def test_a_signed_fork_is_kept_as_evidence(rig: Rig) -> None:
    """The same keys sign another history: what was trusted before is not in it."""
    bodies, _ = answer_to(rig)
    before = rig.ledger.newest_checkpoint(rig.engagement.id)
    rig.simulator.leaves[0] = bytes(32)
    rig.simulator.checkpoints.clear()
    index = rig.simulator.places[Statement.parse(bodies[0]).digest]
    signed = rig.simulator.checkpoint()
    old = newest_checkpoint(rig.ledger, rig.engagement.id)
    assert old is not None
    size = signed.checkpoint.size
    forked = SubmissionAnswer(signed, (index,), rig.simulator.proof(size, [index], [old.size]))
    with pytest.raises(LogContradictionError):
        accept(rig, bodies, forked.encode())
    (incident,) = rig.ledger.incidents(rig.engagement.id)
    assert incident.evidence == forked.encode()
    # Kept with how it was made, so that its owner reads it in their own language.
    assert incident.text.startswith("the log contradicts what it signed before: ")
    assert isinstance(incident.text, Phrase)
    assert rig.ledger.newest_checkpoint(rig.engagement.id) == before
    assert rig.ledger.counts(rig.engagement.id).unsent == 1


def test_a_log_that_shrank_is_kept_as_evidence(rig: Rig) -> None:
    bodies, answer = answer_to(rig)
    accept(rig, bodies, answer.encode())
    rig.work(30, send=False)
    later = Simulator(b"workseal")
    later.others(1)
    small = later.checkpoint()
    shrunk = SubmissionAnswer(small, (0,), ())
    more = [row.body for row in rig.ledger.sendable(rig.engagement.id, 1)]
    with pytest.raises(LogContradictionError, match="smaller"):
        accept(rig, more, shrunk.encode())


def grown(rig: Rig, *signed: SignedCheckpoint) -> None:
    require_growth(rig.ledger, rig.client, rig.engagement.id, signed, now_ms=4711)


def test_growth_is_proved_between_any_two_checkpoints(rig: Rig) -> None:
    old = newest_signed(rig.ledger, rig.engagement.id)
    assert old is not None
    rig.simulator.others(5)
    middle = rig.simulator.checkpoint()
    rig.simulator.others(6)
    grown(rig, rig.simulator.checkpoint(), old, middle, middle)
    assert rig.ledger.incidents(rig.engagement.id) == ()


def test_a_log_that_does_not_grow_is_refused_and_the_evidence_kept(rig: Rig) -> None:
    """As a bundle or a disclosure finds it, not the sending: the proof must outlive the command."""
    old = newest_signed(rig.ledger, rig.engagement.id)
    assert old is not None
    rig.simulator.others(5)
    new = rig.simulator.checkpoint()
    forked = replace(old, checkpoint=replace(old.checkpoint, root=new.checkpoint.root))
    with pytest.raises(LogContradictionError, match="does not continue"):
        grown(rig, forked, new)
    with pytest.raises(LogContradictionError, match="two roots"):
        grown(rig, old, forked)
    first, second = rig.ledger.incidents(rig.engagement.id)
    assert (first.at_ms, second.at_ms) == (4711, 4711)
    hashes = rig.client.proof(new.checkpoint.size, [], [old.checkpoint.size])
    assert decode(first.evidence) == [forked.encode(), new.encode(), b"".join(hashes)]
    assert decode(second.evidence) == [old.encode(), forked.encode(), b""]


def test_sending_twice_gives_the_same_index(rig: Rig) -> None:
    log = Log.of(rig.engagement)
    bodies = [row.body for row in rig.ledger.sendable(rig.engagement.id, 10)]
    submit(rig.ledger, rig.client, log, bodies, now_ms=1)
    first = rig.ledger.counts(rig.engagement.id)
    submit(rig.ledger, rig.client, log, bodies, now_ms=1)
    assert rig.ledger.counts(rig.engagement.id) == first
