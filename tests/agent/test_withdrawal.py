from collections.abc import Iterator, Sequence
from datetime import UTC
from pathlib import Path

import pytest

from support.rig import Rig
from workseal_agent.day import entries_of
from workseal_agent.evidence import withdraw
from workseal_agent.ledger import CaptureRow
from workseal_agent.retention import due_ms
from workseal_agent.withdrawal import effect_of, share_exceeded
from workseal_protocol.records import WithdrawalReason
from workseal_protocol.totals import LimitExceeded, totals_of
from workseal_protocol.window import Entry


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    rig = Rig(tmp_path, capture_rate=65_536, max_withdrawn_percent=50)
    rig.recorder.start()
    rig.work(100)
    rig.recorder.stop()
    yield rig
    rig.ledger.close()


def test_no_minute_no_money_and_no_class_changes(rig: Rig) -> None:
    rows = rig.ledger.captures(rig.engagement.id)
    effect = effect_of(rig.ledger, rig.engagement, rows)
    assert effect.before == effect.after
    assert effect.before.worked_ms == effect.worked_ms == 100_000
    assert effect.before.amount > 0
    assert (effect.gone_before, effect.gone, effect.kept) == (0, len(rows), 0)


def test_the_share_is_that_of_the_report(rig: Rig) -> None:
    rows = rig.ledger.captures(rig.engagement.id)
    assert not effect_of(rig.ledger, rig.engagement, rows[:5]).exceeds
    effect = effect_of(rig.ledger, rig.engagement, rows[:6])
    assert effect.exceeds
    assert (effect.thinned, effect.captured, effect.limit_percent) == (6, 10, 50)


def test_what_is_gone_already_counts(rig: Rig) -> None:
    rows = rig.ledger.captures(rig.engagement.id)
    for row in rows[:3]:
        withdraw(
            rig.chain, rig.ledger, rig.vault, row, WithdrawalReason.PRIVATE,
            now_ms=rig.clock.wall_ms(),
        )  # fmt: skip
    effect = effect_of(rig.ledger, rig.engagement, rows[3:4])
    assert (effect.gone_before, effect.gone, effect.kept, effect.frames) == (3, 4, 6, 1)
    assert effect.before == effect.after


def test_telling_changes_nothing(rig: Rig) -> None:
    before = rig.ledger.counts(rig.engagement.id)
    effect_of(rig.ledger, rig.engagement, rig.ledger.captures(rig.engagement.id))
    assert rig.ledger.counts(rig.engagement.id) == before


def test_the_share_so_far_is_judged_over_all_and_without_what_was_kept_long_enough(
    rig: Rig,
) -> None:
    rows = rig.ledger.captures(rig.engagement.id)

    def gone(rows: Sequence[CaptureRow], reason: WithdrawalReason) -> None:
        for row in rows:
            withdraw(
                rig.chain, rig.ledger, rig.vault, row, reason, now_ms=rig.clock.wall_ms()
            )  # fmt: skip

    gone(rows[:5], WithdrawalReason.PRIVATE)
    assert share_exceeded(rig.ledger, rig.engagement) == ()
    gone(rows[5:6], WithdrawalReason.RETENTION)  # too early: the terms ask for longer
    assert share_exceeded(rig.ledger, rig.engagement) == (
        LimitExceeded("withdrawn percent", 50, 60),
    )
    report = totals_of(rig.engagement.terms, _entries(rig), UTC)
    assert share_exceeded(rig.ledger, rig.engagement) == report.exceeded


def test_what_was_kept_as_long_as_the_terms_ask_passes_no_limit(rig: Rig) -> None:
    rows = rig.ledger.captures(rig.engagement.id)
    now = due_ms(rig.engagement, rows[-1])
    for row in rows:
        withdraw(rig.chain, rig.ledger, rig.vault, row, WithdrawalReason.RETENTION, now_ms=now)
    assert share_exceeded(rig.ledger, rig.engagement) == ()
    assert totals_of(rig.engagement.terms, _entries(rig), UTC).exceeded == ()


def _entries(rig: Rig) -> list[Entry]:
    return entries_of(rig.ledger, rig.engagement, 0, 1 << 50)
