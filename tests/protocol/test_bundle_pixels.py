import tracemalloc
import zlib
from dataclasses import replace

import pytest

from support.scripted import Story, tell_story
from workseal_protocol.bundle import Bundle, FrameDisclosure, read_archive, write_archive
from workseal_protocol.bundle.contents import MAX_PIXEL_BYTES
from workseal_protocol.disclosure import Disclosure
from workseal_protocol.encoding import encode
from workseal_protocol.errors import MalformedError
from workseal_protocol.frame import FrameHeader

# The largest frame there is, wholly shown: 96 MiB of black in 100 kB.
HEADER = FrameHeader(8192, 4096, 128, 0, 0, 0, bytes(16))
LARGEST = 8192 * 4096 * 3
FITTING = MAX_PIXEL_BYTES // LARGEST


@pytest.fixture(scope="module")
def story() -> Story:
    return tell_story()


@pytest.fixture(scope="module")
def bomb() -> bytes:
    return packed(zlib.compress(bytes(LARGEST), 9))


def packed(deflated: bytes) -> bytes:
    return encode(
        {1: 1, 2: HEADER.encode(), 3: [[0, HEADER.grid.count]], 4: bytes(16), 5: b"", 6: deflated}
    )


def with_disclosures(story: Story, items: list[bytes]) -> bytes:
    bare = replace(story.contents, disclosures=())
    entries = list(read_archive(story.bundle(bare).encode()))
    entries += [(f"disclosures/{n:06d}.disclosure", item) for n, item in enumerate(items)]
    return write_archive(entries)


def test_refuses_more_pixels_than_all_disclosures_may_show(story: Story, bomb: bytes) -> None:
    data = with_disclosures(story, [bomb] * (FITTING + 1))
    with pytest.raises(MalformedError, match="it shows more than"):
        Bundle.parse(data)


def test_refuses_too_many_pixels_before_it_inflates_them(story: Story, bomb: bytes) -> None:
    data = with_disclosures(story, [bomb] * FITTING + [packed(b"no zlib stream")])
    with pytest.raises(MalformedError, match="it shows more than"):
        Bundle.parse(data)


def test_a_parsed_bundle_holds_no_inflated_pixels(story: Story, bomb: bytes) -> None:
    data = with_disclosures(story, [bomb] * 2)
    tracemalloc.start()
    try:
        parsed = Bundle.parse(data)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert parsed.contents.disclosures[0].disclosure.pixel_bytes == LARGEST
    assert peak < LARGEST // 2


def test_writes_no_bundle_with_more_pixels_than_a_reader_takes(story: Story, bomb: bytes) -> None:
    one = Disclosure.parse(bomb)
    many = tuple(FrameDisclosure(number, None, one) for number in range(FITTING + 1))
    with pytest.raises(ValueError, match="bytes of pixels"):
        replace(story.contents, disclosures=many)
