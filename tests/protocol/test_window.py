from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.builders import (
    ROUND,
    ROUND_MS,
    digest,
    make_declaration,
    make_offer,
    make_open,
    make_segment,
    make_tombstone,
)
from support.simulator import Simulator
from workseal_protocol.policy import VerifiedCheckpoint, verify_checkpoint
from workseal_protocol.records import Anchor, Capture, DeclarationForm, Record, SegmentState
from workseal_protocol.window import (
    CLOCK_TOLERANCE_MS,
    ONLINE_MS,
    Grade,
    Source,
    Window,
    WindowError,
    grade,
    windows_of,
)

T0 = ROUND * ROUND_MS
END = T0 + ROUND_MS
# Cosignatures tell whole seconds: the last millisecond of one bounds from above.
SECOND = 999


def checkpoint(size: int, at: int, *, witnesses: int = 1) -> VerifiedCheckpoint:
    log = Simulator(now=at, witnesses=witnesses)
    log.others(size)
    return verify_checkpoint(log.checkpoint(), log.policy)


def anchored(to: VerifiedCheckpoint) -> Anchor:
    return Anchor(to.signed.digest, to.checkpoint.size)


def bound(
    items: Sequence[tuple[int, Record]],
    *checkpoints: VerifiedCheckpoint,
    proven: frozenset[int] = frozenset(),
    stamps: dict[int, int] | None = None,
    quorum: bool = False,
) -> tuple[Window, ...]:
    return windows_of(
        items,
        checkpoints,
        round_ms=ROUND_MS,
        beacon_proven=proven,
        stamps=stamps,
        quorum=quorum,
    )


def test_step_11_bounds_from_the_first_checkpoint_that_covers() -> None:
    late, soon, before = checkpoint(9, END + 90_000), checkpoint(6, END + 1_000), checkpoint(5, T0)
    (window,) = bound([(5, make_segment())], late, soon, before)
    assert window == Window(None, END + 1_000 + SECOND, Source.NONE, Source.COSIGNATURE)


def test_step_11_takes_the_least_of_later_bounds() -> None:
    odd = checkpoint(9, END + 500)
    (window,) = bound([(5, make_segment())], checkpoint(6, END + 30_000), odd)
    assert window.upper == odd.existed_by


def test_step_11_an_upper_bound_needs_a_checkpoint_that_covers() -> None:
    before = checkpoint(6, END)
    (window,) = bound([(6, make_segment(anchor=anchored(before)))], before)
    assert (window.upper, window.upper_source) == (None, Source.NONE)


def test_step_11_a_token_bounds_where_it_is_earlier_or_alone() -> None:
    seen = checkpoint(6, END + 59_000)
    (window,) = bound([(5, make_segment())], seen, stamps={6: END + 2_000})
    assert (window.upper, window.upper_source) == (END + 2_000, Source.STAMP)
    (window,) = bound([(5, make_segment())], seen, stamps={6: END + 90_000})
    assert window.upper_source is Source.COSIGNATURE
    alone = checkpoint(6, END, witnesses=0)
    (window,) = bound([(5, make_segment())], alone, stamps={6: END + 2_000})
    assert window == Window(None, END + 2_000, Source.NONE, Source.STAMP)


def test_step_11_a_proved_beacon_value_bounds_from_below() -> None:
    seen = checkpoint(6, END)
    (window,) = bound([(5, make_segment())], seen, proven=frozenset({5}))
    assert (window.lower, window.lower_source) == (T0, Source.BEACON)
    (unproven,) = bound([(5, make_segment())], seen)
    assert unproven.lower is None


def test_step_11_an_anchor_bounds_from_below() -> None:
    old, seen = checkpoint(3, T0 + 8_000), checkpoint(6, END)
    (window,) = bound([(5, make_segment(anchor=anchored(old)))], old, seen, proven=frozenset({5}))
    assert (window.lower, window.lower_source) == (T0 + 8_000, Source.ANCHOR)
    older = checkpoint(3, T0 - 8_000)
    (window,) = bound(
        [(5, make_segment(anchor=anchored(older)))], older, seen, proven=frozenset({5})
    )
    assert window.lower_source is Source.BEACON


def test_step_11_an_anchor_that_is_not_at_hand_bounds_nothing() -> None:
    (window,) = bound([(5, make_segment(anchor=Anchor(digest(1), 3)))], checkpoint(6, END))
    assert window.lower is None


@pytest.mark.parametrize("upper", [END + ONLINE_MS, END + ONLINE_MS + 1, None])
def test_step_11_what_was_not_seen_in_time_shows_its_anchor(upper: int | None) -> None:
    hidden, seen = make_segment(anchor=Anchor(digest(1), 3)), checkpoint(6, END + 90_000)
    index, stamps = (5, {6: upper}) if upper is not None else (6, {})
    if upper == END + ONLINE_MS:
        assert bound([(index, hidden)], seen, stamps=stamps, quorum=True)
    else:
        with pytest.raises(WindowError, match="was not seen in time, and its anchor"):
            bound([(index, hidden)], seen, stamps=stamps, quorum=True)
    at_hand = checkpoint(3, T0)
    shown = make_segment(anchor=anchored(at_hand))
    assert bound([(index, shown)], at_hand, seen, stamps=stamps, quorum=True)
    # Without witnesses a checkpoint has no time, and its anchor could tell nothing.
    assert bound([(index, hidden)], checkpoint(6, END, witnesses=0))


def test_step_11_what_links_to_a_statement_is_younger() -> None:
    old = checkpoint(3, T0 + 8_000)
    items: list[tuple[int, Record]] = [
        (3, make_offer()),
        (4, make_open(anchor=anchored(old))),
        (5, make_segment()),
    ]
    offer, _, segment = bound(items, old, checkpoint(6, END))
    assert offer.lower is None
    assert (segment.lower, segment.lower_source) == (T0 + 8_000, Source.LINK)


@pytest.mark.parametrize("late", [0, 1000])
def test_step_11_refuses_back_dating(late: int) -> None:
    new = checkpoint(3, END + ONLINE_MS + late)
    items = [(5, make_segment(anchor=anchored(new)))]
    seen = checkpoint(6, END + ONLINE_MS + late)
    if late:
        with pytest.raises(WindowError, match="after its end") as caught:
            bound(items, new, seen)
        assert caught.value.place == 0
    else:
        bound(items, new, seen)


def test_step_11_refuses_back_dating_behind_a_withdrawal() -> None:
    # The segment itself names an anchor that nobody has; what it follows does not.
    new = checkpoint(3, END + ONLINE_MS + 1_000)
    items: list[tuple[int, Record]] = [
        (4, make_tombstone(anchor=anchored(new))),
        (5, make_segment(anchor=Anchor(digest(1), 3))),
    ]
    with pytest.raises(WindowError, match="after its end"):
        bound(items, new)


def test_step_11_what_is_no_segment_may_come_late() -> None:
    new = checkpoint(3, END + 90 * ONLINE_MS)
    bound([(5, make_declaration(anchor=anchored(new)))], new)


@pytest.mark.parametrize(("early", "holds"), [(CLOCK_TOLERANCE_MS, True), (10_000, False)])
def test_step_11_refuses_bounds_that_contradict(early: int, holds: bool) -> None:  # noqa: FBT001
    old, seen = checkpoint(3, T0), checkpoint(6, T0 - early)
    items = [(5, make_open(anchor=anchored(old)))]
    if holds:
        assert bound(items, old, seen)[0].width is not None
        return
    with pytest.raises(WindowError, match="before it can have been signed"):
        bound(items, old, seen)


@pytest.mark.parametrize(
    "record",
    [
        pytest.param(make_segment(), id="segment"),
        pytest.param(make_declaration(begin=T0, end=END, worked=0), id="late declaration"),
    ],
)
def test_step_11_refuses_to_tell_of_work_that_was_not_over(record: Record) -> None:
    bound([(5, record)], checkpoint(6, END - CLOCK_TOLERANCE_MS))
    with pytest.raises(WindowError, match="before the end that it tells of"):
        bound([(5, record)], checkpoint(6, END - CLOCK_TOLERANCE_MS - 1_000))


def test_step_11_a_live_declaration_may_be_told_early() -> None:
    live = make_declaration(begin=T0, end=END, worked=0, form=DeclarationForm.LIVE)
    bound([(5, live)], checkpoint(6, T0))


def test_step_11_refuses_an_anchor_that_covers_its_own_statement() -> None:
    new = checkpoint(6, T0)
    with pytest.raises(WindowError, match="covers the statement itself"):
        bound([(5, make_segment(anchor=anchored(new)))], new)


def test_step_11_refuses_an_anchor_of_another_size() -> None:
    old = checkpoint(3, T0)
    with pytest.raises(WindowError, match="another size"):
        bound([(5, make_segment(anchor=replace(anchored(old), size=2)))], old)


@given(st.lists(st.tuples(st.integers(1, 20), st.integers(0, 10_000)), max_size=6))
def test_an_upper_bound_is_the_least_of_all_that_cover(rows: list[tuple[int, int]]) -> None:
    seen = [checkpoint(size, T0 + 1000 * at) for size, at in rows]
    items = [(index, make_offer()) for index in range(0, 20, 3)]
    windows = bound(items, *seen)
    for (index, _), window in zip(items, windows, strict=True):
        covering = [one.existed_by for one in seen if one.checkpoint.size > index]
        assert window.upper == min((at for at in covering if at is not None), default=None)


def graded(upper: int | None, **changes: Any) -> Grade | None:
    return grade(make_segment(**changes), Window(T0, upper), ROUND_MS)


def test_grades() -> None:
    assert graded(END + ONLINE_MS) is Grade.ONLINE
    assert graded(END + ONLINE_MS + 1) is Grade.LATE
    assert graded(None) is Grade.LATE
    assert graded(END, verifier_value=None) is Grade.OFFLINE
    plain: dict[str, Any] = {"capture": Capture.NONE, "frames": ()}
    assert graded(END, state=SegmentState.OFF_SCREEN, **plain) is Grade.DECLARED
    assert graded(END, state=SegmentState.SEALED, activity=None, **plain) is Grade.ONLINE
    assert grade(make_declaration(), Window(), ROUND_MS) is Grade.DECLARED
    assert grade(make_open(), Window(), ROUND_MS) is None


def test_a_width_needs_both_bounds() -> None:
    assert Window(1, 5).width == 4
    assert Window(1).width is None
    assert Window(None, 1).width is None
