from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from support.builders import make_open, make_possession, make_segment, make_tombstone
from workseal_protocol.digest import Digest
from workseal_protocol.merkle import inclusion_path, root_of
from workseal_protocol.possession import (
    BLOCKS,
    MAX_CHECKED,
    MAX_TRIES,
    WEEK_MS,
    HeldChain,
    HeldReport,
    block_path,
    draw,
    frame_leaf,
    object_root,
    possessions_of,
    weeks_round,
)
from workseal_protocol.records import MAX_DRAWS, Capture, Held, HeldAnswer, Possession, Record

ROUND_MS = 600_000
FIRST = 1_000
SALT = bytes(16)
FRAMES = tuple(Digest.of(b"frame", bytes([n])) for n in range(40))
MORE = tuple(Digest.of(b"later", bytes([n])) for n in range(3))


def blocks(frame: Digest) -> list[bytes]:
    return [Digest.of(frame.raw, bytes([n])).raw * 8 for n in range(BLOCKS)]


LEAVES = [frame_leaf(frame, object_root(SALT, blocks(frame))) for frame in FRAMES]


def digest_of(name: str) -> Digest:
    return Digest.of(name.encode())


def statement(week: int, head: str, **changes: Any) -> Possession:
    fields: dict[str, object] = {
        "round": weeks_round(FIRST, ROUND_MS, week),
        "value": bytes([week]) * 32,
        "head": digest_of(head),
        "count": 0,
        "root": None,
        "before": None,
    }
    return make_possession(**(fields | changes))


def segment(number: int, frames: tuple[Digest, ...] = ()) -> Record:
    capture = Capture.CAPTURED if frames else Capture.NONE
    return replace(make_segment(), round=number, frames=frames, capture=capture)


def first_statement(**changes: Any) -> Possession:
    fields: dict[str, object] = {"count": len(FRAMES), "root": Digest(root_of(LEAVES))}
    return statement(1, "work 2", **(fields | changes))


def second_statement(
    answers: tuple[HeldAnswer, ...], head: str = "work 3", **changes: Any
) -> Possession:
    fields: dict[str, object] = {"before": digest_of("first"), "answers": answers}
    return statement(2, head, **(fields | changes))


# What the log holds, by name, in its order: a week with forty frames, a second, a third.
def told(*later: tuple[str, Record], first: Possession | None = None) -> dict[str, Record]:
    return {
        "open": replace(make_open(), first_round=FIRST),
        **{f"work 1.{n}": segment(FIRST + 5 + n, FRAMES[8 * n : 8 * n + 8]) for n in range(5)},
        "work 2": segment(weeks_round(FIRST, ROUND_MS, 1) + 1, MORE),
        "first": first or first_statement(),
        "work 3": segment(weeks_round(FIRST, ROUND_MS, 2) + 1),
        **dict(later),
    }


def report(
    log: dict[str, Record],
    *,
    unproven: tuple[str, ...] = (),
    is_drawable: Callable[[int], bool] = lambda _: True,
) -> HeldReport:
    items = [(10 * at, digest_of(name), one) for at, (name, one) in enumerate(log.items())]
    proven = {index for (index, _, _), name in zip(items, log, strict=True) if name not in unproven}
    return possessions_of(ROUND_MS, items, proven, is_drawable)


def chain(*withdrawn: Digest) -> HeldChain:
    """Fold what stands before the second statement."""
    folded = HeldChain(ROUND_MS, first_round=FIRST, withdrawn=set(withdrawn))
    folded.pending.extend((FIRST + 5, frame) for frame in FRAMES)
    folded.follow(digest_of("first"), first_statement())
    return folded


def shown(number: int, block: int) -> HeldAnswer:
    frame = FRAMES[number]
    path = (*block_path(SALT, blocks(frame), block), *inclusion_path(LEAVES, number))
    return HeldAnswer(Held.SHOWN, SALT, blocks(frame)[block], path)


def answers(*withdrawn: Digest, week: int = 2) -> tuple[HeldAnswer, ...]:
    return tuple(shown(*drawn) for drawn in chain(*withdrawn).draw(bytes([week]) * 32))


COVERED: dict[str, Any] = {"count": 3, "root": Digest(root_of(LEAVES[:3]))}


def second(told_answers: tuple[HeldAnswer, ...], **changes: Any) -> str:
    made = second_statement(told_answers, **(COVERED | changes))
    return report(told(("second", made))).findings[1].why


def test_whoever_holds_every_frame_shows_every_drawn_block() -> None:
    made = second_statement(answers(), **COVERED)
    found = report(told(("second", made))).findings
    assert [(one.week, one.shown, one.lost, one.why) for one in found] == [
        (1, 0, 0, ""),
        (2, MAX_DRAWS, 0, ""),
    ]


def test_one_changed_byte_of_a_block_does_not_hold() -> None:
    changed = list(answers())
    changed[3] = replace(changed[3], block=b"x" + changed[3].block[1:])
    assert "not the one that was committed to" in second(tuple(changed))


def test_another_frames_block_does_not_stand_for_the_drawn_one() -> None:
    changed = list(answers())
    number, block = chain().draw(b"\x02" * 32)[0]
    changed[0] = shown((number + 1) % 40, block)
    assert "not the one that was committed to" in second(tuple(changed))


def test_another_block_of_the_frame_does_not_stand_for_the_drawn_one() -> None:
    changed = list(answers())
    number, block = chain().draw(b"\x02" * 32)[0]
    changed[0] = shown(number, (block + 1) % BLOCKS)
    assert "not the one that was committed to" in second(tuple(changed))


def test_what_is_lost_is_counted_and_holds() -> None:
    made = second_statement((HeldAnswer(Held.LOST), *answers()[1:]), **COVERED)
    whole = report(told(("second", made)))
    found = whole.findings[1]
    assert (found.shown, found.lost, found.why) == (MAX_DRAWS - 1, 1, "")
    assert (whole.lost, whole.failing) == (1, 0)


def test_no_draw_may_be_left_out() -> None:
    assert "answers 15 of 16" in second(answers()[1:])


def test_a_withdrawn_frame_is_not_drawn_and_the_others_stay() -> None:
    before = chain().draw(b"\x02" * 32)
    gone = FRAMES[before[4][0]]
    after = chain(gone).draw(b"\x02" * 32)
    assert after[:15] == (*before[:4], *before[5:])
    assert len(after) == MAX_DRAWS
    tombstone = replace(make_tombstone(), frame=gone)
    made = second_statement(answers(gone), "gone", **COVERED)
    assert report(told(("gone", tombstone), ("second", made))).findings[1].why == ""
    # Without the tombstone nobody is passed over.
    assert second(answers(gone))


def test_withdrawing_changes_no_count_of_a_statement() -> None:
    gone = replace(make_tombstone(), frame=MORE[0])
    made = second_statement(answers(), "gone", **COVERED)
    assert report(told(("gone", gone), ("second", made))).findings[1].why == ""


@pytest.mark.parametrize(
    "round_",
    [0, FIRST, weeks_round(FIRST, ROUND_MS, 1), weeks_round(FIRST, ROUND_MS, 2) + 1],
)
def test_nobody_chooses_the_round(round_: int) -> None:
    assert "not that of a later week" in second(answers(), round=round_)


def test_a_value_that_the_operator_did_not_commit_to_proves_nothing() -> None:
    found = report(told(("second", second_statement(answers(), **COVERED))), unproven=("second",))
    assert [one.why for one in found.findings] == [
        "",
        "its value is not shown to be the operator's",
    ]
    assert found.failing == 1


def test_every_frame_of_the_week_is_committed_to() -> None:
    few = first_statement(count=39)
    assert report(told(first=few)).findings[0].why == ("it covers 39 frames, and the chain has 40")


def test_frames_of_the_running_week_are_not_committed_to_yet() -> None:
    many = first_statement(count=43)
    assert "the chain has 40" in report(told(first=many)).findings[0].why


def test_each_statement_follows_the_one_before_it() -> None:
    assert second(answers(), before=digest_of("another")) == (
        "it does not follow the statement before it"
    )


def test_what_does_not_follow_is_passed_over_by_the_next_one() -> None:
    astray = second_statement(answers(), **(COVERED | {"before": digest_of("another")}))
    made = second_statement(answers(), **COVERED)
    assert [one.why for one in report(told(("astray", astray), ("second", made))).findings] == [
        "",
        "it does not follow the statement before it",
        "",
    ]


@pytest.mark.parametrize(
    ("head", "why"),
    [
        ("no statement", "the statement up to which it speaks does not stand before it"),
        ("first", "the statement up to which it speaks does not stand before it"),
        ("later", "the statement up to which it speaks does not stand before it"),
        ("work 1.4", "it speaks of less of the chain than the one before it"),
    ],
)
def test_refuses_a_head_that_is_not_before_it(head: str, why: str) -> None:
    made = second_statement(answers(), head, **COVERED)
    later = segment(weeks_round(FIRST, ROUND_MS, 2) + 2)
    assert why in report(told(("second", made), ("later", later))).findings[1].why


def test_frames_that_were_in_the_log_are_not_left_out() -> None:
    log = told(first=statement(1, "open"))
    assert report(log).findings[0].why == "it leaves out frames that were in the log"


def test_a_week_of_work_without_a_statement_is_told_once_it_is_over() -> None:
    assert report(told()).missed == ()
    log = told(("work 4", segment(weeks_round(FIRST, ROUND_MS, 3) + 1)))
    assert report(log).missed == (2,)
    made = second_statement(answers(), **COVERED)
    third = segment(weeks_round(FIRST, ROUND_MS, 3) + 1)
    assert report(told(("second", made), ("work 4", third))).missed == ()


def test_a_week_without_work_misses_nothing() -> None:
    log = told(("work 4", segment(weeks_round(FIRST, ROUND_MS, 5) + 1)))
    del log["work 3"]
    assert report(log).missed == ()


def test_a_week_whose_value_the_operator_never_committed_to_misses_nothing() -> None:
    log = told(("work 4", segment(weeks_round(FIRST, ROUND_MS, 3) + 1)))
    assert report(log, is_drawable=lambda _: False).missed == ()


def test_a_chain_without_frames_misses_nothing() -> None:
    log = {
        "open": replace(make_open(), first_round=FIRST),
        **{str(week): segment(weeks_round(FIRST, ROUND_MS, week)) for week in range(6)},
    }
    assert report(log) == HeldReport()


def test_no_more_statements_are_checked_than_a_reader_has_time_for() -> None:
    many = {f"one {n}": first_statement(count=39) for n in range(MAX_CHECKED + 1)}
    assert len(report(told() | many).findings) == MAX_CHECKED


def test_the_draw_depends_on_the_value_and_on_what_was_said_before() -> None:
    def drawn(value: bytes, before: str, total: int = 1_000) -> tuple[tuple[int, int], ...]:
        return draw(value, digest_of(before), total, lambda _: False)

    one = drawn(bytes(32), "1")
    assert len({frame for frame, _ in one}) == MAX_DRAWS
    assert all(frame < 1_000 and block < BLOCKS for frame, block in one)
    assert one != drawn(bytes(31) + b"x", "1")
    assert one != drawn(bytes(32), "2")
    assert drawn(bytes(32), "1", 0) == ()
    # Each frame once, as long as there is another one.
    assert sorted(frame for frame, _ in drawn(bytes(32), "1", 5)) == [0, 1, 2, 3, 4]


def test_looking_for_frames_that_are_not_withdrawn_ends() -> None:
    asked: list[int] = []

    def is_withdrawn(number: int) -> bool:
        asked.append(number)
        return True

    assert draw(bytes(32), digest_of("1"), 1 << 20, is_withdrawn) == ()
    assert len(asked) <= MAX_TRIES


def test_finds_a_lost_tenth_as_often_as_theory_says() -> None:
    # A hundred of a thousand: all sixteen miss them in 18 of 100 weeks, 1 - 0.9^16 = 81.5 %.
    found = sum(
        any(frame < 100 for frame, _ in draw(bytes(32), digest_of(str(n)), 1_000, lambda _: False))
        for n in range(1_000)
    )
    assert 775 <= found <= 855


def test_every_frame_is_drawn_alike() -> None:
    drawn = Counter(
        frame
        for n in range(1_000)
        for frame, _ in draw(bytes(32), digest_of(str(n)), 64, lambda _: False)
    )
    assert set(drawn) == set(range(64))
    assert max(drawn.values()) < 1.5 * min(drawn.values())


def test_a_week_is_seven_days_of_rounds() -> None:
    assert weeks_round(FIRST, ROUND_MS, 2) - FIRST == 2 * WEEK_MS // ROUND_MS
