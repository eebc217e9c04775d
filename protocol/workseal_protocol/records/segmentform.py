"""The bytes of a segment's payload as one pattern: nearly every statement is a segment.

Rules: what the pattern matches has one spelling and every field of its type, so that reading it is
a few conversions. It is a short cut and decides nothing: what it does not match, or what a record
refuses, is read by `decode` and `Segment.read`, which say what is wrong. docs/spec/records.md
"""

import re
from functools import lru_cache
from typing import Final, TypeAlias

from workseal_protocol.digest import DIGEST_BYTES, Digest
from workseal_protocol.records.bounds import MAX_TIME
from workseal_protocol.records.links import MIN_ANCHOR, Anchor
from workseal_protocol.records.work import MAX_WORKED, Capture, Segment, SegmentState
from workseal_protocol.slots import puts_of

# An unsigned integer of at most 53 bits in its shortest form; and one below 24.
_UINT: Final = (
    rb"([\x00-\x17]|\x18[\x18-\xff]|\x19[\x01-\xff].|\x1a(?!\x00\x00).{4}"
    rb"|\x1b\x00(?!\x00\x00\x00)[\x00-\x1f].{6})"
)
_SMALL: Final = rb"([\x00-\x17])"
_ID: Final = rb"\x50(.{16})"
_DIGEST: Final = rb"\x58\x20(.{32})"
_FRAMES: Final = rb"([\x81-\x88])((?:\x58\x20.{32})+)"

# A map of 15 entries, and one more for each of keys 16, 17 and 20 that is there.
_LEAST_HEAD: Final = 0xAF
_FORM: Final = re.compile(
    rb"([\xaf-\xb2])"
    rb"\x01\x01\x02" + _ID + rb"\x03" + _UINT + rb"\x04" + _DIGEST
    # The anchor.
    + rb"\x05\xa2\x01" + _DIGEST + rb"\x02" + _UINT
    + rb"\x06" + _UINT + rb"\x07" + _ID
    # Round, begin, end, worked, state.
    + rb"\x0a" + _UINT + rb"\x0b" + _UINT + rb"\x0c" + _UINT + rb"\x0d" + _UINT + rb"\x0e" + _SMALL
    + rb"\x0f" + _DIGEST + rb"(?:\x10" + _DIGEST + rb")?(?:\x11" + _DIGEST + rb")?"
    # Notes, capture, frames.
    + rb"\x12" + _DIGEST + rb"\x13" + _SMALL + rb"(?:\x14" + _FRAMES + rb")?",
    re.DOTALL,
)  # fmt: skip
_FRAME_BYTES: Final = 2 + DIGEST_BYTES
_STATES: Final = {bytes((one,)): one for one in SegmentState}
_CAPTURES: Final = {bytes((one,)): one for one in Capture}
_PUTS: Final = puts_of(Segment)
_number: Final = int.from_bytes


def read_form(payload: bytes) -> Segment | None:
    """Read a segment from its bytes; None when that is for the general reader to do, or refuse."""
    form = _FORM.fullmatch(payload)
    if form is None:
        return None
    (
        head, engagement, seq, prev, anchor, size, claimed_at, session, number, begin, end, worked,
        state, agent_value, verifier_value, activity, notes, capture, count, frames,
    ) = form.groups()  # fmt: skip
    extra = (verifier_value is not None) + (activity is not None) + (frames is not None)
    if head[0] - _LEAST_HEAD != extra:
        return None
    if frames is not None and len(frames) != (count[0] & 0x0F) * _FRAME_BYTES:
        return None
    try:
        return _filled(
            engagement, _uint(seq), Digest(prev), _anchor(anchor, size), _uint(claimed_at),
            session, _uint(number), _uint(begin), _uint(end), _uint(worked), _STATES[state],
            agent_value, verifier_value, None if activity is None else Digest(activity),
            Digest(notes), _CAPTURES[capture], () if frames is None else _digests(frames),
        )  # fmt: skip
    except (KeyError, ValueError):
        return None


def _filled(*values: object) -> Segment:
    """Make a segment of its fields in their order: its own way costs twice as much."""
    segment = object.__new__(Segment)
    for put, value in zip(_PUTS, values, strict=True):
        put(segment, value)
    segment.__post_init__()
    return segment


# What is recorded in a minute has one.
@lru_cache(maxsize=1_024)
def _anchor(digest: bytes, size: bytes) -> Anchor:
    return Anchor(Digest(digest), _uint(size))


def _uint(item: bytes) -> int:
    return _number(item[1:] or item)


def _digests(items: bytes) -> tuple[Digest, ...]:
    starts = range(2, len(items), _FRAME_BYTES)
    return tuple(Digest(items[start : start + DIGEST_BYTES]) for start in starts)


# Engagement, number, digest and size of the anchor, begin, end.
Stretch: TypeAlias = tuple[bytes, int, bytes, int, int, int]
_WORKING, _SEALED = SegmentState.WORKING, SegmentState.SEALED


def read_stretch(payload: bytes) -> Stretch | None:
    """Read which segment this is, and when it was worked; None where `Segment` says it, or no.

    What it reads, `Segment` reads too: it takes the usual forms, not all of them.
    """
    form = _FORM.fullmatch(payload)
    if form is None:
        return None
    (
        head, engagement, seq, _, anchor, size, claimed_at, _, _, begin, end, worked,
        state, _, verifier_value, activity, _, capture, count, frames,
    ) = form.groups()  # fmt: skip
    extra = (verifier_value is not None) + (activity is not None) + (frames is not None)
    usual = (
        head[0] - _LEAST_HEAD == extra
        # Several could be the same one twice.
        and (frames is None or (count == b"\x81" and len(frames) == _FRAME_BYTES))
        and (capture[0] == Capture.CAPTURED) == (frames is not None)
        and capture in _CAPTURES
        and (state[0] == _WORKING or (state in _STATES and capture[0] == Capture.NONE))
        and (state[0] != _SEALED or activity is None)
    )
    first, last = _uint(begin), _uint(end)
    if not usual or not first <= last <= MAX_TIME or _uint(claimed_at) > MAX_TIME:
        return None
    covered = _uint(size)
    if _uint(worked) > MAX_WORKED or covered < MIN_ANCHOR:
        return None
    return engagement, _uint(seq), anchor, covered, first, last


# Number, size of the anchor, round, begin, end, worked, state, the two values, capture, frames.
Course: TypeAlias = tuple[
    int, int, int, int, int, int, int, bytes, bytes | None, int, tuple[Digest, ...]
]


def read_course(payload: bytes) -> Course | None:
    """Read what moves a chain on, of a segment that was admitted; None where `Segment` reads it."""
    form = _FORM.fullmatch(payload)
    if form is None:
        return None
    (
        _, _, seq, _, _, size, _, _, number, begin, end, worked,
        state, agent_value, verifier_value, _, _, capture, _, frames,
    ) = form.groups()  # fmt: skip
    return (
        _uint(seq),
        _uint(size),
        _uint(number),
        _uint(begin),
        _uint(end),
        _uint(worked),
        state[0],
        agent_value,
        verifier_value,
        capture[0],
        () if frames is None else _digests(frames),
    )
