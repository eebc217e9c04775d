from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.rig import Rig
from support.stamp import FixedTsa
from support.wire import Fault
from workseal_agent.connection import UnreachableError
from workseal_agent.errors import AgentError
from workseal_agent.evidence import find_frame, withdraw
from workseal_agent.export import Exported, ExportError, export, gather
from workseal_agent.export.bundle import trust_of
from workseal_agent.export.gather import MissingStatementError, needs_of
from workseal_agent.export.thinning import SLACK_MS, Mark, Need, thin
from workseal_agent.ledger import SendState
from workseal_agent.submission import LogContradictionError
from workseal_protocol.bundle import Bundle
from workseal_protocol.checkpoint import SignedCheckpoint
from workseal_protocol.commitment import ValueKind
from workseal_protocol.lottery import round_start
from workseal_protocol.policy import TlogPolicy, verify_checkpoint
from workseal_protocol.records import (
    BeaconCommitment,
    Segment,
    SegmentState,
    SessionOpen,
    WithdrawalReason,
    read_record,
)
from workseal_protocol.statement import Kind
from workseal_protocol.verify import examine_bundle
from workseal_protocol.window import ONLINE_MS, Grade, grade, windows_of


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig(tmp_path)


def worked(rig: Rig, seconds: float = 200) -> Rig:
    rig.recorder.start()
    rig.work(seconds)
    rig.recorder.stop()
    assert rig.uplink.drain(100)
    return rig


def exported(rig: Rig, **choices: Any) -> Exported:
    return export(
        rig.ledger, rig.client, rig.engagement, rig.signer, now_ms=rig.clock.true_ms, **choices
    )


def test_more_than_a_bundle_holds_is_refused_before_anything_is_asked_for(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    worked(rig)
    logged = len(rig.ledger.statements(rig.engagement.id, SendState.RECEIPTED))
    monkeypatch.setattr(gather, "MAX_STATEMENTS", logged - 1)
    before = len(rig.wire.requests)
    with pytest.raises(AgentError, match=f"at most {logged - 1} .* has {logged} .*export-all"):
        exported(rig)
    assert len(rig.wire.requests) == before
    # What others signed may be what is too much: that shows in the log alone.
    monkeypatch.setattr(gather, "MAX_STATEMENTS", logged)
    with pytest.raises(AgentError, match=f"at most {logged} "):
        exported(rig)


def test_a_bundle_holds_for_a_reader_with_a_policy_of_their_own(rig: Rig) -> None:
    made = exported(worked(rig))
    report = examine_bundle(made.data, rig.simulator.trust())
    assert report.holds
    assert report.totals is not None
    assert sum(report.totals.by_state.values()) == rig.worked_ms == 200_000
    assert report.totals.by_grade[Grade.ONLINE] == 200_000
    assert made.unsent == 0


def test_the_end_to_end_bundle_is_bound_from_both_sides(rig: Rig) -> None:
    report = exported(worked(rig)).report
    assert report.window is not None
    assert report.window.lower is not None
    assert report.window.upper is not None


def test_a_running_session_can_be_exported(rig: Rig) -> None:
    rig.recorder.start()
    rig.work(55)
    made = exported(rig)
    assert made.report.holds
    rig.recorder.stop()


def test_what_is_not_logged_stands_in_no_bundle_and_is_told(rig: Rig) -> None:
    rig.recorder.start()
    rig.work(50)
    rig.cut(up=False)
    rig.work(50)
    made = exported(rig)
    assert made.unsent >= 4
    assert made.report.totals is not None
    assert sum(made.report.totals.by_state.values()) < rig.worked_ms


def test_a_statement_that_the_verifier_leaves_out_is_there_all_the_same(rig: Rig) -> None:
    worked(rig)
    whole = exported(rig)
    real = rig.simulator.statements_for
    rig.simulator.statements_for = lambda engagement: tuple(  # type: ignore[method-assign]
        row for row in real(engagement) if row[1].kind is not Kind.SEGMENT or row[0] % 2
    )
    assert exported(rig).statements == whole.statements


def test_another_statement_than_the_receipt_says_is_told(rig: Rig) -> None:
    worked(rig)
    rows = list(rig.simulator.statements_for(rig.engagement.id))
    (first, one), (second, two) = rows[-2:]
    rows[-2:] = [(first, two), (second, one)]
    rig.simulator.statements_for = lambda engagement: tuple(rows) * bool(engagement)  # type: ignore[method-assign]
    with pytest.raises(MissingStatementError):
        exported(rig)


def test_a_log_that_does_not_prove_what_it_signed_is_told(rig: Rig) -> None:
    rig.simulator.others(1)
    foreign = len(rig.simulator.leaves) - 1
    worked(rig)
    rig.simulator.leaves[foreign] = bytes(32)
    with pytest.raises(LogContradictionError, match="does not prove"):
        exported(rig)


def test_a_receipt_that_does_not_hold_is_left_out(rig: Rig) -> None:
    worked(rig)
    rig.simulator.cose_receipt = lambda digest: digest.raw  # type: ignore[method-assign]
    made = exported(rig)
    assert made.report.holds
    assert Bundle.parse(made.data).contents.receipts == ()


def test_a_fork_behind_the_newest_trusted_checkpoint_is_told(rig: Rig) -> None:
    worked(rig)
    rig.simulator.leaves[0] = bytes(32)
    rig.simulator.others(1)
    with pytest.raises(LogContradictionError, match="does not continue"):
        exported(rig)


def test_a_verifier_that_is_down_is_one_sentence(rig: Rig) -> None:
    worked(rig)
    rig.wire.fault = lambda _request: Fault(httpx.Response(500))
    with pytest.raises(UnreachableError, match="answered 500"):
        exported(rig)


def test_nothing_to_export_is_said(rig: Rig) -> None:
    rig.simulator.statements_for = lambda engagement: () * len(engagement)  # type: ignore[method-assign]
    with rig.ledger.write() as writing:
        writing._sql.execute("UPDATE statements SET state = 'unsent'")
    with pytest.raises(AgentError, match="nothing"):
        exported(rig)


def test_a_bundle_that_would_not_hold_is_not_made(rig: Rig) -> None:
    """Without the operator's commitment step 9 would fail, so nothing is written."""
    worked(rig)
    rows = rig.simulator.statements_for(rig.engagement.id)
    without = tuple(row for row in rows if row[1].kind is not Kind.BEACON_COMMITMENT)
    rig.simulator.statements_for = lambda engagement: without * bool(engagement)  # type: ignore[method-assign]
    with pytest.raises(ExportError, match="step 9"):
        exported(rig)


# Openings, receipts, stamps


def test_opens_what_was_chosen_and_nothing_else(rig: Rig) -> None:
    rig.recorder.start()
    rig.recorder.set_mode(SegmentState.OFF_SCREEN, "a memo")
    rig.work(30)
    rig.recorder.stop()
    rig.uplink.drain(10)
    assert Bundle.parse(exported(rig).data).contents.openings == ()
    for kind in (ValueKind.ACTIVITY, ValueKind.NOTES, ValueKind.ENVIRONMENT, ValueKind.MEMO):
        made = exported(rig, openings=[kind])
        opened = Bundle.parse(made.data).contents.openings
        assert {opening.kind for opening in opened} == {kind}
        assert examine_bundle(made.data, rig.simulator.trust()).holds


def test_receipts_are_one_for_each_statement_or_left_out(rig: Rig) -> None:
    worked(rig, 50)
    seen: list[tuple[int, int]] = []
    made = exported(rig, progress=lambda done, every: seen.append((done, every)))
    assert all(Bundle.parse(made.data).contents.receipts)
    assert seen == [(n, made.statements) for n in range(made.statements)]
    bare = Bundle.parse(exported(rig, receipts=False).data)
    assert bare.contents.receipts == ()


def stamped_rig(folder: Path, *, witnesses: int = 1) -> Rig:
    tsa = FixedTsa.from_seed(b"export")
    rig = Rig(folder, witnesses=witnesses)
    rig.wire.tsa = tsa.stamp
    rig.wire.roots = [tsa.root_der]
    with rig.ledger.write() as writing:
        writing.set_verifier(rig.engagement.id, rig.engagement.url, [tsa.root_der])
    (rig.engagement,) = rig.ledger.engagements()
    return rig


def test_takes_a_stamped_checkpoint_that_covers_everything(tmp_path: Path) -> None:
    rig = worked(stamped_rig(tmp_path))
    before = exported(rig)
    assert not before.stamped
    assert before.report.holds
    rig.wire.stamp()
    size = rig.simulator.checkpoint().checkpoint.size
    rig.simulator.others(7)
    made = exported(rig)
    assert made.stamped
    contents = Bundle.parse(made.data).contents
    assert contents.checkpoint.checkpoint.size == size
    assert contents.tsa_ca is not None
    trust = rig.simulator.trust(tsa=tuple(rig.wire.roots))
    assert examine_bundle(made.data, trust).holds
    assert not examine_bundle(before.data, trust).holds


def test_a_token_of_somebody_else_is_refused(tmp_path: Path) -> None:
    rig = worked(stamped_rig(tmp_path))
    rig.wire.tsa = FixedTsa.from_seed(b"somebody else").stamp
    rig.wire.stamp()
    with pytest.raises((UnreachableError, ExportError)):
        exported(rig)


def test_without_witnesses_the_tokens_bound_the_work(tmp_path: Path) -> None:
    """A policy without a quorum has no cosignature times: grades rest on the tokens alone."""
    rig = stamped_rig(tmp_path, witnesses=0)
    rig.recorder.start()
    for _ in range(6):
        rig.work(30)
        rig.wire.stamp()
    rig.recorder.stop()
    rig.uplink.drain(10)
    rig.wire.stamp()
    report = exported(rig).report
    assert report.holds
    assert report.totals is not None
    assert report.totals.by_grade[Grade.ONLINE] == 180_000


def test_earlier_tokens_grade_the_work_though_the_newest_checkpoint_has_none(
    tmp_path: Path,
) -> None:
    """Who attests or exports before the next token comes is not told that all of it was late."""
    rig = stamped_rig(tmp_path, witnesses=0)
    rig.recorder.start()
    for _ in range(3):
        rig.work(30)
        rig.wire.stamp()
    rig.recorder.stop()
    rig.uplink.drain(10)
    made = exported(rig)
    assert not made.stamped
    assert Bundle.parse(made.data).contents.timestamps
    assert made.report.totals is not None
    online = made.report.totals.by_grade[Grade.ONLINE]
    trust = rig.simulator.trust(tsa=tuple(rig.wire.roots))
    found = examine_bundle(made.data, trust)
    assert found.holds
    assert found.totals is not None
    assert found.totals.by_grade[Grade.ONLINE] == online > 0


# Disclosures and withdrawn frames


def test_a_withdrawn_frame_changes_no_total_of_the_bundle(rig: Rig) -> None:
    worked(rig)
    before = exported(rig).report.totals
    frame = find_frame(rig.ledger, rig.engagement.id, "1")
    reason = WithdrawalReason.OTHER
    withdraw(rig.chain, rig.ledger, rig.vault, frame, reason, now_ms=rig.clock.true_ms)
    rig.uplink.drain(10)
    after = exported(rig).report.totals
    assert before is not None
    assert after is not None
    assert (after.by_state, after.by_grade, after.billed) == (
        before.by_state,
        before.by_grade,
        before.billed,
    )
    assert after.withdrawn == 1


# Thinning


MARKS = st.lists(
    st.builds(Mark, st.integers(1, 60), st.integers(0, 400_000)),
    max_size=40,
    unique_by=lambda mark: mark.size,
)
NEEDS = st.lists(
    st.builds(Need, st.integers(0, 60), st.none() | st.integers(0, 500_000)), max_size=40
)


@given(marks=MARKS, needs=NEEDS)
def test_thinning_serves_every_need_as_well_as_all_marks(
    marks: list[Mark], needs: list[Need]
) -> None:
    chosen = thin(marks, needs)
    kept = [mark for mark in marks if mark.size in chosen]
    for need in needs:
        every = [mark.upper_ms for mark in marks if mark.size > need.index]
        few = [mark.upper_ms for mark in kept if mark.size > need.index]
        if not every:
            continue
        assert min(few) <= min(every) + SLACK_MS
        if need.latest_ms is not None and min(every) <= need.latest_ms:
            assert min(few) <= need.latest_ms


def test_thinning_keeps_few_of_many() -> None:
    marks = [Mark(number + 1, 1_000 * number) for number in range(1_000)]
    needs = [Need(number, 1_000 * number + ONLINE_MS) for number in range(1_000)]
    assert len(thin(marks, needs)) <= 1_000 // 45 + 1


def test_no_grade_changes_between_all_checkpoints_and_those_kept(tmp_path: Path) -> None:
    rig = Rig(tmp_path, capture_rate=0)
    rig.recorder.start()
    rig.work(300)
    rig.cut(up=False)
    rig.work(120)
    rig.cut(up=True)
    rig.work(300)
    rig.recorder.stop()
    rig.uplink.drain(10)
    contents = Bundle.parse(exported(rig).data).contents
    items = list(zip(contents.indices, map(read_record, contents.statements), strict=True))
    policy = TlogPolicy.parse(rig.engagement.terms.log_policy)
    every = [SignedCheckpoint.parse(body) for body in rig.ledger.checkpoints(rig.engagement.id)]
    few = [*contents.checkpoints, contents.checkpoint]
    assert len(few) < len(every) / 3

    def judged(signed: list[SignedCheckpoint]) -> list[tuple[Grade | None, int | None]]:
        checkpoints = [verify_checkpoint(one, policy) for one in signed]
        windows = windows_of(items, checkpoints, round_ms=rig.simulator.round_ms)
        exact = (BeaconCommitment, SessionOpen)
        return [
            (
                grade(record, window, rig.simulator.round_ms),
                window.upper if isinstance(record, exact) else None,
            )
            for (_, record), window in zip(items, windows, strict=True)
        ]

    assert judged(few) == judged(every)
    assert {Grade.ONLINE, Grade.OFFLINE, Grade.LATE} <= {found for found, _ in judged(few)}


def test_a_segment_needs_a_mark_within_a_minute_of_its_round(rig: Rig) -> None:
    worked(rig, 30)
    rows = rig.simulator.statements_for(rig.engagement.id)
    for (index, statement), need in zip(rows, needs_of(rows, 10_000), strict=True):
        record = read_record(statement)
        assert need.index == index
        if isinstance(record, Segment):
            assert need.latest_ms == round_start(record.round + 1, 10_000) + ONLINE_MS


def test_the_policy_for_the_own_check_comes_from_the_terms(rig: Rig) -> None:
    trust = trust_of(rig.engagement, ())
    assert trust.tlog == rig.simulator.policy
    assert trust.parties == rig.simulator.trust().parties
