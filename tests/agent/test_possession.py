import shutil
from pathlib import Path

import pytest

from support.vaults import PUBLIC
from support.weeks import Weeks
from workseal_agent.errors import VaultError
from workseal_agent.heldobject import Ciphertext
from workseal_agent.ledger import SendState
from workseal_agent.possession import (
    GRACE_MS,
    MissingFramesError,
    NotYetError,
    fold_held,
)
from workseal_agent.possessionweeks import said_of
from workseal_protocol.digest import Digest
from workseal_protocol.possession import WEEK_MS
from workseal_protocol.records import Possession, read_record

DAY_MS = 86_400_000


@pytest.fixture
def weeks(tmp_path: Path) -> Weeks:
    """Record in two weeks, and say in the second one what is held."""
    weeks = Weeks(tmp_path)
    weeks.begin()
    assert weeks.say() is not None
    return weeks


def figures(weeks: Weeks) -> list[tuple[int, int, int, str]]:
    return [(one.week, one.shown, one.lost, one.why) for one in weeks.found().findings]


def test_what_is_kept_is_shown_and_everybody_finds_it(weeks: Weeks) -> None:
    weeks.begin()
    assert weeks.say() is not None
    assert figures(weeks) == [(1, 0, 0, ""), (2, 5, 0, "")]
    weeks.begin()
    assert weeks.say() is not None
    assert figures(weeks)[2:] == [(3, 10, 0, "")]
    assert weeks.found().missed == ()


def test_nothing_is_said_twice_and_nothing_in_the_first_week(tmp_path: Path) -> None:
    weeks = Weeks(tmp_path)
    assert weeks.say() is None
    weeks.begin()
    assert weeks.say() is not None
    assert weeks.say() is None
    assert len(weeks.found().findings) == 1


def test_a_home_without_frames_has_nothing_to_say(tmp_path: Path) -> None:
    weeks = Weeks(tmp_path, capture_rate=0)
    weeks.begin()
    assert weeks.say() is None
    assert said_of(weeks.rig.ledger, weeks.rig.engagement, weeks.now_ms).due is None
    assert weeks.found().findings == ()


def test_a_withdrawn_frame_is_neither_drawn_nor_read_nor_counted(weeks: Weeks) -> None:
    weeks.begin()
    gone = weeks.rows()[0]
    weeks.withdraw(gone)
    statement = weeks.say()
    assert statement is not None
    assert figures(weeks)[1:] == [(2, 4, 0, "")]
    record = read_record(statement)
    assert isinstance(record, Possession)
    assert record.count == 5


def test_a_frame_that_is_withdrawn_before_its_week_is_over_changes_nothing(
    tmp_path: Path,
) -> None:
    weeks = Weeks(tmp_path)
    weeks.withdraw(weeks.rows()[1])
    weeks.begin()
    first = weeks.say()
    assert first is not None
    record = read_record(first)
    assert isinstance(record, Possession)
    assert record.count == 5
    weeks.begin()
    weeks.say()
    # The others are proven beside it.
    assert figures(weeks) == [(1, 0, 0, ""), (2, 4, 0, "")]


def test_a_withdrawal_that_waits_to_be_sent_is_waited_for(weeks: Weeks) -> None:
    weeks.begin()
    weeks.withdraw(weeks.rows()[0], send=False)
    with pytest.raises(NotYetError):
        weeks.say()
    assert weeks.rig.uplink.drain(100)
    weeks.say()
    assert figures(weeks)[1:] == [(2, 4, 0, "")]


def test_frames_that_wait_to_be_sent_are_waited_for(tmp_path: Path) -> None:
    weeks = Weeks(tmp_path)
    weeks.rig.recorder.resume()
    weeks.work(send=False)
    weeks.begin(work=False)
    with pytest.raises(NotYetError):
        weeks.say()
    assert weeks.rig.uplink.drain(100)
    assert weeks.say() is not None
    assert weeks.found().findings[0].record.count == 10


def test_a_lost_frame_is_first_told_to_its_owner_and_then_to_everybody(weeks: Weeks) -> None:
    weeks.begin()
    weeks.file(weeks.rows()[2]).unlink()
    with pytest.raises(MissingFramesError, match="weekly proof: 1 frame"):
        weeks.say()
    assert len(weeks.found().findings) == 1
    weeks.rig.clock.suspend(GRACE_MS / 1_000)
    weeks.rig.simulator.now = weeks.rig.clock.true_ms
    worked = weeks.rig.worked_ms
    assert weeks.say() is not None
    assert figures(weeks)[1:] == [(2, 4, 1, "")]
    assert weeks.rig.worked_ms == worked


def test_what_came_back_in_time_is_not_lost(weeks: Weeks) -> None:
    weeks.begin()
    path = weeks.file(weeks.rows()[2])
    aside = path.rename(path.parent.parent / "aside")
    with pytest.raises(MissingFramesError):
        weeks.say()
    shutil.move(aside, path)
    weeks.say()
    assert figures(weeks)[1:] == [(2, 5, 0, "")]


def test_who_withdraws_a_lost_frame_does_not_lose_it(weeks: Weeks) -> None:
    weeks.begin()
    row = weeks.rows()[2]
    weeks.file(row).unlink()
    weeks.withdraw(row)
    weeks.say()
    assert figures(weeks)[1:] == [(2, 4, 0, "")]


def test_one_changed_byte_of_ciphertext_is_lost(weeks: Weeks) -> None:
    weeks.begin()
    path = weeks.file(weeks.rows()[3])
    data = path.read_bytes()
    path.write_bytes(data[:2_000] + bytes(len(data) - 2_000))
    weeks.rig.clock.suspend(GRACE_MS / 1_000)
    weeks.rig.simulator.now = weeks.rig.clock.true_ms
    weeks.say()
    assert figures(weeks)[1:] == [(2, 4, 1, "")]


def test_a_frame_that_was_lost_before_its_week_was_committed_to_is_lost(tmp_path: Path) -> None:
    weeks = Weeks(tmp_path)
    weeks.file(weeks.rows()[0]).unlink()
    weeks.begin()
    # Nothing is drawn yet: but what would be committed to is told too.
    with pytest.raises(MissingFramesError, match="1 frame"):
        weeks.say()
    weeks.rig.clock.suspend(GRACE_MS / 1_000)
    weeks.rig.simulator.now = weeks.rig.clock.true_ms
    assert weeks.say() is not None
    weeks.begin()
    weeks.rig.clock.suspend(GRACE_MS / 1_000)
    weeks.rig.simulator.now = weeks.rig.clock.true_ms
    weeks.say()
    assert figures(weeks) == [(1, 0, 0, ""), (2, 4, 1, "")]


def test_a_disk_that_does_not_answer_is_no_loss(
    weeks: Weeks, monkeypatch: pytest.MonkeyPatch
) -> None:
    weeks.begin()

    def fail(_: Digest) -> None:
        raise VaultError("a frame cannot be read: Input/output error")

    weeks.rig.clock.suspend(GRACE_MS / 1_000)
    weeks.rig.simulator.now = weeks.rig.clock.true_ms
    with monkeypatch.context() as patch:
        patch.setattr(weeks.ciphertext, "blocks", fail)
        with pytest.raises(VaultError):
            weeks.say()
    assert weeks.say() is not None
    assert figures(weeks)[1:] == [(2, 5, 0, "")]


def test_weeks_that_were_offline_are_made_up_for(tmp_path: Path) -> None:
    weeks = Weeks(tmp_path)
    weeks.begin()
    weeks.begin()
    assert [one is not None for one in (weeks.say(), weeks.say(), weeks.say())] == [
        True,
        True,
        False,
    ]
    assert figures(weeks) == [(1, 0, 0, ""), (2, 5, 0, "")]
    assert weeks.found().missed == ()


def test_weeks_without_work_are_passed_over(weeks: Weeks) -> None:
    weeks.begin(work=False)
    weeks.begin(work=False)
    weeks.begin()
    weeks.say()
    assert figures(weeks)[1:] == [(4, 5, 0, "")]
    assert weeks.say() is None
    assert weeks.found().missed == ()


def test_a_week_whose_value_nobody_has_is_passed_over(
    weeks: Weeks, monkeypatch: pytest.MonkeyPatch
) -> None:
    weeks.begin(committed=False)
    with monkeypatch.context() as patch:
        patch.setattr(weeks, "value", lambda _: None)
        assert weeks.say() is None
    weeks.begin()
    real = weeks.value
    missing = weeks.found().findings[0].record.round + WEEK_MS // weeks.rig.simulator.round_ms
    monkeypatch.setattr(weeks, "value", lambda one: None if one == missing else real(one))
    assert weeks.say() is not None
    assert [one.week for one in weeks.found().findings] == [1, 3]
    assert weeks.found().missed == ()


def test_of_a_week_whose_statement_was_refused_no_other_is_made(weeks: Weeks) -> None:
    weeks.begin()
    weeks.rig.wire.refuse = lambda one: one.kind == "possession"
    assert weeks.say() is not None
    said = said_of(weeks.rig.ledger, weeks.rig.engagement, weeks.now_ms)
    assert (said.week, said.state, said.due) == (2, SendState.PARKED, None)
    assert weeks.say() is None
    # Hours go on all the same.
    weeks.rig.recorder.resume()
    weeks.work()
    assert weeks.rig.ledger.counts(weeks.rig.engagement.id).unsent == 0
    weeks.rig.wire.refuse = lambda _: False
    with weeks.rig.ledger.write() as writing:
        writing.unpark(weeks.rig.engagement.id)
    assert weeks.rig.uplink.drain(100)
    assert figures(weeks)[1:] == [(2, 5, 0, "")]


def test_a_refused_week_is_not_made_again_beside_the_next_one(weeks: Weeks) -> None:
    weeks.begin()
    weeks.rig.wire.refuse = lambda one: one.kind == "possession"
    assert weeks.say() is not None
    weeks.rig.wire.refuse = lambda _: False
    weeks.begin()
    assert weeks.say() is not None
    assert weeks.say() is None
    assert [one.week for one in weeks.found().findings] == [1, 3]
    assert len(weeks.rig.ledger.of_kind(weeks.rig.engagement.id, "possession")) == 3


def test_a_copy_that_has_not_caught_up_says_nothing(weeks: Weeks) -> None:
    weeks.begin()
    with weeks.rig.ledger.write() as writing:
        writing.mark_restored(weeks.rig.engagement.id)
    assert weeks.say() is None
    with weeks.rig.ledger.write() as writing:
        writing.mark_caught_up(weeks.rig.engagement.id)
    assert weeks.say() is not None


def test_what_another_copy_said_follows_again_from_what_is_here(weeks: Weeks) -> None:
    weeks.begin()
    weeks.rig.ledger._sql.execute("DELETE FROM possessions")
    weeks.say()
    assert figures(weeks)[1:] == [(2, 5, 0, "")]


def test_a_statement_is_kept_whole_or_not_at_all(
    weeks: Weeks, monkeypatch: pytest.MonkeyPatch
) -> None:
    from workseal_agent.ledger import LedgerError, Transaction  # noqa: PLC0415

    def fail(*_: object) -> None:
        raise LedgerError("disk full")

    weeks.begin()
    with monkeypatch.context() as patch:
        patch.setattr(Transaction, "add_possession", fail)
        with pytest.raises(LedgerError):
            weeks.say()
    assert len(weeks.rig.ledger.of_kind(weeks.rig.engagement.id, "possession")) == 1
    weeks.say()
    assert figures(weeks)[1:] == [(2, 5, 0, "")]


def test_a_frame_that_is_withdrawn_while_it_is_read_is_not_shown(
    weeks: Weeks, monkeypatch: pytest.MonkeyPatch
) -> None:
    weeks.begin()
    row = weeks.rows()[0]
    real = weeks.ciphertext.root

    def root(frame: Digest) -> bytes | None:
        # The drawn blocks are read by now, and nothing is stored yet.
        if row.commitment not in weeks.rig.ledger.withdrawn(weeks.rig.engagement.id):
            weeks.withdraw(row, send=False)
        return real(frame)

    monkeypatch.setattr(weeks.ciphertext, "root", root)
    with pytest.raises(NotYetError):
        weeks.say()
    assert len(weeks.rig.ledger.of_kind(weeks.rig.engagement.id, "possession")) == 1


def test_work_is_done_in_small_pieces(weeks: Weeks) -> None:
    from workseal_agent.possession import say  # noqa: PLC0415

    weeks.begin()
    rests: list[int] = []
    say(
        weeks.rig.ledger,
        weeks.rig.engagement,
        weeks.rig.signer,
        weeks.ciphertext,
        value_of=weeks.value,
        now_ms=weeks.now_ms,
        rest=lambda: rests.append(1),
    )
    # Five frames of the new week, five drawn ones, and the chain.
    assert len(rests) >= 11


def test_an_empty_chain_folds_to_nothing(tmp_path: Path) -> None:
    from support.rig import Rig  # noqa: PLC0415

    rig = Rig(tmp_path)
    assert fold_held(rig.ledger, rig.engagement, lambda: None) is None


def test_says_nothing_of_content_and_no_size(weeks: Weeks) -> None:
    """Two frames of different sizes give statements of one length, but for paths."""
    weeks.begin()
    statement = weeks.say()
    assert statement is not None
    record = read_record(statement)
    assert isinstance(record, Possession)
    assert {len(one.block) for one in record.answers} == {256}
    held = Ciphertext(weeks.folder, PUBLIC)
    shown = {one.block for one in record.answers}
    blocks = [held.blocks(row.commitment) for row in weeks.rows()]
    assert shown <= {block for one in blocks if one is not None for block in one}
