"""The short cut reads exactly what the general reader reads, and leaves the rest to it."""

from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.builders import make_segment
from workseal_protocol.digest import Digest
from workseal_protocol.encoding import MAX_INTEGER, Value, decode, encode
from workseal_protocol.errors import MalformedError
from workseal_protocol.records import Capture, Segment, SegmentState
from workseal_protocol.records.bounds import MAX_TIME
from workseal_protocol.records.segmentform import Stretch, read_form, read_stretch
from workseal_protocol.records.work import MAX_WORKED

DIGESTS = st.binary(min_size=32, max_size=32).map(Digest)
# Around each length that an integer may have.
EDGES = [0, 23, 24, 255, 256, 65_535, 65_536, 2**32 - 1, 2**32, 2**40, MAX_INTEGER]
NUMBERS = st.sampled_from(EDGES) | st.integers(0, MAX_INTEGER)
SEGMENT = make_segment()


@st.composite
def segments(draw: st.DrawFn) -> Segment:
    begin = draw(st.integers(0, 253_402_300_700_000))
    frames = tuple(draw(st.lists(DIGESTS, max_size=8, unique=True)))
    return replace(
        SEGMENT,
        engagement=draw(st.binary(min_size=16, max_size=16)),
        seq=draw(NUMBERS),
        prev=draw(DIGESTS),
        round=draw(NUMBERS),
        begin=begin,
        end=begin + draw(st.integers(0, 99_999)),
        worked=draw(st.integers(0, 600_000)),
        state=SegmentState.WORKING if frames else draw(st.sampled_from(list(SegmentState)[:2])),
        verifier_value=draw(st.none() | st.binary(min_size=32, max_size=32)),
        activity=draw(st.none() | DIGESTS),
        capture=Capture.CAPTURED if frames else Capture.NONE,
        frames=frames,
    )


@given(segments())
def test_every_segment_is_read_by_it(segment: Segment) -> None:
    payload = encode(segment.to_value())
    assert read_form(payload) == segment == Segment.read(decode(payload))


@given(segments(), st.data())
def test_what_it_reads_the_general_reader_reads_too(segment: Segment, data: st.DataObject) -> None:
    payload = bytearray(encode(segment.to_value()))
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(payload) - 1))
        payload[place] = data.draw(st.integers(0, 255))
    if data.draw(st.booleans()):
        cut = data.draw(st.integers(0, len(payload)))
        payload = payload[:cut] + data.draw(st.binary(max_size=3)) + payload[cut:]
    expected = None
    with suppress(MalformedError):
        expected = Segment.read(decode(bytes(payload)))
    assert read_form(bytes(payload)) == expected
    assert read_stretch(bytes(payload)) in (None, expected and stretch_of(expected))


def stretch_of(segment: Segment) -> Stretch:
    anchor = segment.anchor
    place = (segment.engagement, segment.seq)
    return *place, anchor.digest.raw, anchor.size, segment.begin, segment.end


@given(segments())
def test_the_stretch_of_a_segment_is_read_but_of_many_frames(segment: Segment) -> None:
    found = read_stretch(encode(segment.to_value()))
    assert found == (None if len(segment.frames) > 1 else stretch_of(segment))


def test_a_stretch_is_read_of_no_segment_that_cannot_be() -> None:
    """Each of what a segment refuses, and no pattern does."""
    good = replace(SEGMENT, capture=Capture.NONE, frames=()).to_value()
    assert isinstance(good, dict)
    anchor = good[5]
    assert isinstance(anchor, dict)
    frame = bytes(32)
    changes: tuple[dict[int, Value], ...] = (
        {5: {**anchor, 2: 0}},
        {6: MAX_TIME + 1},
        {11: 2, 12: 1},
        {11: 1, 12: MAX_TIME + 1},
        {13: MAX_WORKED + 1},
        {14: 0},
        {14: 4},
        {14: 2, 19: 2},
        {14: 3, 17: frame},
        {19: 1},
        {19: 3},
        {19: 0, 20: [frame]},
        {19: 1, 20: [frame, frame]},
    )
    for changed in changes:
        payload = encode(dict(sorted({**good, **changed}.items())))
        with pytest.raises(MalformedError):
            Segment.read(decode(payload))
        assert read_stretch(payload) is None, changed


def widened(payload: bytes, key: int) -> bytes:
    """Write the number at a key in the next longer form."""
    value = decode(payload)
    assert isinstance(value, dict)
    number = value[key]
    assert isinstance(number, int)
    short = encode(number)
    place = payload.index(bytes((key,)) + short) + 1
    form = {1: 24, 2: 25, 3: 26, 5: 27}[len(short)]
    long = bytes((form,)) + number.to_bytes(1 << (form - 24))
    return payload[:place] + long + payload[place + len(short) :]


@pytest.mark.parametrize("number", [0, 23, 24, 255, 256, 65_535, 65_536, 2**32 - 1])
def test_leaves_a_longer_spelling_to_be_refused(number: int) -> None:
    payload = widened(encode(replace(SEGMENT, seq=number).to_value()), 3)
    assert read_form(payload) is None
    with pytest.raises(MalformedError, match="shortest"):
        decode(payload)


def test_leaves_an_integer_beyond_53_bits_to_be_refused() -> None:
    payload = encode(replace(SEGMENT, seq=MAX_INTEGER).to_value())
    payload = payload.replace(MAX_INTEGER.to_bytes(8), (MAX_INTEGER + 1).to_bytes(8))
    assert read_form(payload) is None
    with pytest.raises(MalformedError, match="2\\^53"):
        decode(payload)


@pytest.mark.parametrize("count", [0x80, 0x81, 0x83, 0x89])
def test_leaves_a_wrong_count_of_frames_to_be_refused(count: int) -> None:
    frames = (Digest.of(b"1"), Digest.of(b"2"))
    payload = encode(replace(SEGMENT, capture=Capture.CAPTURED, frames=frames).to_value())
    head = b"\x14\x82\x58\x20"
    assert payload.count(head) == 1
    assert read_form(payload) is not None
    assert read_form(payload.replace(head, bytes((0x14, count, 0x58, 0x20)))) is None


@pytest.mark.parametrize("head", [0xAE, 0xAF, 0xB0, 0xB2, 0xB3])
def test_leaves_a_wrong_count_of_keys_to_be_refused(head: int) -> None:
    segment = replace(SEGMENT, capture=Capture.NONE, frames=())
    assert segment.verifier_value is not None
    assert segment.activity is not None
    payload = encode(segment.to_value())
    assert payload[0] == 0xB1
    assert read_form(payload) == segment
    assert read_form(bytes((head,)) + payload[1:]) is None
