from dataclasses import replace

from support import builders
from workseal_agent.anchors import lone_anchors
from workseal_protocol.digest import Digest
from workseal_protocol.records import (
    Anchor,
    Record,
    Segment,
    SessionClose,
    SessionOpen,
    Tombstone,
)

Chained = Segment | SessionOpen | SessionClose | Tombstone


def anchored(record: Chained, size: int) -> Record:
    return replace(record, anchor=Anchor(Digest(bytes([size]) * 32), size))


def sizes(records: list[Record], *late: int) -> set[int]:
    return {anchor.size for anchor in lone_anchors(enumerate(records), late)}


SEGMENT = builders.make_segment(verifier_value=bytes(32))


def test_of_segments_with_a_value_the_last_of_each_session_is_kept() -> None:
    other = replace(SEGMENT, session=bytes(16))
    segments = [anchored(SEGMENT, 5), anchored(other, 6), anchored(SEGMENT, 7), anchored(other, 8)]
    assert sizes(segments) == {7, 8}


def test_a_segment_without_a_value_or_that_came_late_is_kept() -> None:
    offline = replace(SEGMENT, verifier_value=None)
    segments = [anchored(offline, 5), anchored(SEGMENT, 6), anchored(SEGMENT, 7)]
    assert sizes(segments) == {5, 7}
    assert sizes(segments, 1) == {5, 6, 7}


def test_every_other_statement_of_the_chain_is_kept_and_none_beside_it() -> None:
    others: list[Chained] = [builders.make_open(), builders.make_close(), builders.make_tombstone()]
    records = [anchored(record, 5 + number) for number, record in enumerate(others)]
    assert sizes([*records, builders.make_beacon()]) == {5, 6, 7}
    assert sizes([]) == set()
