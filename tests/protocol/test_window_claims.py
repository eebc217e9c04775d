from dataclasses import replace

import pytest

from support.builders import ROUND, ROUND_MS, digest, make_declaration, make_segment
from support.simulator import Simulator
from workseal_protocol.policy import VerifiedCheckpoint, verify_checkpoint
from workseal_protocol.records import Anchor, DeclarationForm, Record
from workseal_protocol.window import CLOCK_TOLERANCE_MS, Window, WindowError, windows_of

T0 = ROUND * ROUND_MS
END = T0 + ROUND_MS
SECOND = 999


def checkpoint(size: int, at: int) -> VerifiedCheckpoint:
    log = Simulator(now=at)
    log.others(size)
    return verify_checkpoint(log.checkpoint(), log.policy)


def bound(index: int, record: Record, *checkpoints: VerifiedCheckpoint) -> Window:
    (window,) = windows_of([(index, record)], checkpoints, round_ms=ROUND_MS)
    return window


def test_step_11_an_anchor_that_is_not_at_hand_does_not_cover_its_statement() -> None:
    seen = checkpoint(6, END)
    assert bound(5, make_segment(anchor=Anchor(digest("gone"), 5)), seen).lower is None
    with pytest.raises(WindowError, match="covers the statement itself"):
        bound(5, make_segment(anchor=Anchor(digest("gone"), 6)), seen)
    with pytest.raises(WindowError, match="covers the statement itself"):
        bound(5, make_segment(anchor=Anchor(digest("gone"), 2**53 - 2)))


def test_step_11_refuses_a_segment_of_work_that_was_not_over() -> None:
    at = END - CLOCK_TOLERANCE_MS - SECOND - 1
    existed = checkpoint(6, at - at % 1000 + 1000)
    assert existed.existed_by is not None
    over = existed.existed_by + CLOCK_TOLERANCE_MS
    segment = make_segment(begin=T0, end=over, worked=0)
    assert bound(5, segment, existed).upper == existed.existed_by
    with pytest.raises(WindowError, match="it existed 5001 ms before the end that it tells of"):
        bound(5, replace(segment, end=over + 1), existed)


def test_step_11_refuses_a_late_declaration_of_work_that_was_not_over() -> None:
    existed = checkpoint(6, END)
    assert existed.existed_by is not None
    over = existed.existed_by + CLOCK_TOLERANCE_MS
    late = make_declaration(begin=T0, end=over, worked=0, claimed_at=over + 10)
    bound(5, late, existed)
    with pytest.raises(WindowError, match="before the end that it tells of"):
        bound(5, replace(late, end=over + 1), existed)
    # What a live one describes, its segments tell of.
    bound(5, replace(late, end=over + 1, form=DeclarationForm.LIVE), existed)


def test_step_11_without_an_upper_bound_nothing_lies_after_it() -> None:
    assert bound(5, make_segment()).upper is None
