"""Captures that were drawn and not taken: each counted once."""

from dataclasses import replace

from support.builders import ROUND, ROUND_MS, digest, make_terms, octets
from support.worked import plain, total
from workseal_protocol.chain import owed_instant
from workseal_protocol.records import Capture, SegmentState
from workseal_protocol.terms import Level


def test_every_drawn_capture_is_counted_once() -> None:
    terms = make_terms(capture_rate=65_536)
    segments = []
    for number in range(60):
        at = (ROUND + number) * ROUND_MS
        segment = plain(
            at, ROUND_MS, agent_value=octets(number), verifier_value=octets(number + 100)
        )
        instant = owed_instant(terms, segment.engagement, segment)
        assert instant is not None
        match number % 5:
            case 0:
                segment = replace(
                    segment, capture=Capture.CAPTURED, frames=(digest(number), digest(-number - 1))
                )
            case 1:
                segment = replace(segment, capture=Capture.MISSED)
            case 2:
                segment = replace(segment, state=SegmentState.SEALED, activity=None)
            case 3:
                segment = replace(segment, end=instant, worked=instant - at)
            case _:
                segment = replace(segment, state=SegmentState.OFF_SCREEN)
        segments.append(segment)
    totals = total(terms, segments)
    found = (totals.captured, totals.missed, totals.sealed, totals.due_outside)
    assert found == (12, 12, 12, 24)
    assert totals.frames == 24


def test_two_segments_of_a_round_have_one_draw() -> None:
    terms = make_terms(capture_rate=65_536)
    whole = plain(ROUND * ROUND_MS, ROUND_MS)
    instant = owed_instant(terms, whole.engagement, whole)
    assert instant is not None
    first = replace(whole, end=instant, worked=1)
    second = replace(whole, begin=instant, worked=1, capture=Capture.CAPTURED, frames=(digest(1),))
    totals = total(terms, [first, second])
    assert (totals.captured, totals.due_outside) == (1, 0)


def test_nothing_is_due_below_the_level_of_frames() -> None:
    terms = make_terms(level=Level.ACTIVITY, capture_rate=0)
    assert total(terms, [plain(ROUND * ROUND_MS, ROUND_MS)]).due_outside == 0
