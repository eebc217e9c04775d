from pathlib import Path

import pytest

from support import builders
from support.rig import Rig
from workseal_agent.evidence import withdraw
from workseal_agent.ledger import SendState
from workseal_agent.retention import DAY_MS, kept_frames
from workseal_agent.vaultkey import generate_private, public_of
from workseal_protocol.records import DisputeRequest, RequestedFrame, WithdrawalReason, sign


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    rig = Rig(tmp_path, capture_rate=65_536, retention_days=30)
    rig.recorder.start()
    rig.work(50)
    return rig


def ask_for(rig: Rig, place: int) -> None:
    """Have the ledger know an arbitrator's request for one frame."""
    row = rig.ledger.captures(rig.engagement.id)[place]
    request = DisputeRequest(
        engagement=builders.ENGAGEMENT,
        claimed_at=rig.clock.wall_ms(),
        frames=(RequestedFrame(row.segment, row.commitment),),
        reason="was it done?",
        sealing_key=public_of(generate_private()),
        answer_by=rig.clock.wall_ms() + DAY_MS,
    )
    statement = sign(request, rig.simulator.people.arbitrator)
    with rig.ledger.write() as writing:
        writing.add_statement(rig.engagement.id, statement, state=SendState.HELD)


def test_a_frame_is_due_when_the_days_since_its_round_are_over(rig: Rig) -> None:
    rows = rig.ledger.captures(rig.engagement.id)
    over = (rows[1].round + 1) * rig.engagement.terms.round_ms + 30 * DAY_MS
    early = kept_frames(rig.ledger, rig.engagement, over - 1)
    assert (early.due, early.early) == (rows[:1], rows[1:])
    kept = kept_frames(rig.ledger, rig.engagement, over)
    assert (kept.due, kept.disputed, kept.early) == (rows[:2], (), rows[2:])
    assert kept.last_due_ms == over + (rows[-1].round - rows[1].round) * 10_000


def test_nothing_is_due_while_nobody_knows_the_time(rig: Rig) -> None:
    kept = kept_frames(rig.ledger, rig.engagement, None)
    assert (kept.due, len(kept.early)) == ((), 5)


def test_what_was_withdrawn_is_not_kept(rig: Rig) -> None:
    row = rig.ledger.captures(rig.engagement.id)[0]
    withdraw(
        rig.chain, rig.ledger, rig.vault, row, WithdrawalReason.OTHER, now_ms=rig.clock.wall_ms()
    )
    assert len(kept_frames(rig.ledger, rig.engagement, 1 << 50).due) == 4


def test_what_a_dispute_asked_for_is_never_due(rig: Rig) -> None:
    ask_for(rig, 2)
    rows = rig.ledger.captures(rig.engagement.id)
    kept = kept_frames(rig.ledger, rig.engagement, 1 << 50)
    assert kept.disputed == (rows[2],)
    assert kept.outside == (rows[2],)
    assert kept.due == (*rows[:2], *rows[3:])
    # Before its days are over, too, and while nobody knows the time.
    for now_ms in (None, 0):
        kept = kept_frames(rig.ledger, rig.engagement, now_ms)
        assert (kept.disputed, rows[2] in kept.early) == ((rows[2],), False)
