"""Which anchors of a chain alone bound something from below: their checkpoints are evidence.

Rule: these are the anchors of each session's last segment, of segments without the verifier's value
or that nobody saw in time, and of every other chained statement. Of the rest, the verifier's values
bound the segment more closely.
"""

from collections.abc import Collection, Iterable

from workseal_protocol.records import Anchor, ChainedRecord, Record, Segment


def lone_anchors(
    records: Iterable[tuple[int, Record]], late: Collection[int] = ()
) -> frozenset[Anchor]:
    """Return the anchors that bound something alone; records are (number, record), in order.

    `late` are the numbers of segments that nobody saw in time.
    """
    wanted: set[Anchor] = set()
    last: dict[bytes, Anchor] = {}
    for number, record in records:
        if not isinstance(record, ChainedRecord):
            continue
        if isinstance(record, Segment) and record.verifier_value is not None and number not in late:
            last[record.session] = record.anchor
        else:
            wanted.add(record.anchor)
    return frozenset(wanted) | frozenset(last.values())
