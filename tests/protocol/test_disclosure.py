import hashlib
import json
import tracemalloc
import zlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from workseal_protocol.digest import Digest
from workseal_protocol.disclosure import (
    MAX_BYTES,
    Disclosure,
    HiddenPattern,
    Subtree,
    VerifiedTiles,
    expected_subtrees,
    open_frame,
    told_tiles,
    verify_disclosure,
)
from workseal_protocol.encoding import Value, decode, encode
from workseal_protocol.errors import MalformedError, VerificationError
from workseal_protocol.frame import (
    Box,
    FrameHeader,
    FrameTree,
    child_seeds,
    commit_frame,
    expand_seed,
)

VECTORS = Path(__file__).parent.parent / "vectors" / "frames" / "frames.json"
SEED = bytes(range(16))
WIDTH, HEIGHT = 75, 60
HEADER = FrameHeader(WIDTH, HEIGHT, 16, display=1, round=9, offset_ms=1234, nonce=bytes(16))
COUNT = HEADER.grid.count
PIXELS = hashlib.shake_128(b"screen").digest(WIDTH * HEIGHT * 3)


@cache
def tree() -> FrameTree:
    return commit_frame(HEADER, PIXELS, SEED)


def disclose(shown: tuple[int, ...]) -> Disclosure:
    return open_frame(tree(), shown, pixels=PIXELS, seed=SEED)


SOME = (0, 1, 2, 3, 5, 9, 10, 14, 19)
choices = st.sets(st.integers(0, COUNT - 1)).map(lambda numbers: tuple(sorted(numbers)))


# --- round trip --------------------------------------------------------------


@given(choices)
def test_shows_exactly_the_chosen_tiles(shown: tuple[int, ...]) -> None:
    disclosure = disclose(shown)
    assert Disclosure.parse(disclosure.encode()) == disclosure
    verified = verify_disclosure(disclosure, tree().commitment)
    assert verified.shown == shown == tuple(verified.tiles)
    for number, tile in verified.tiles.items():
        box = HEADER.grid.box_of(number)
        assert tile == b"".join(
            PIXELS[3 * (y * WIDTH + box.left) :][: 3 * box.width]
            for y in range(box.top, box.top + box.height)
        )
    boxes = [HEADER.grid.box_of(number) for number in shown]
    assert verified.shown_pixels == sum(box.width * box.height for box in boxes)
    assert verified.all_pixels == WIDTH * HEIGHT


@given(
    st.binary(max_size=80)
    | st.tuples(choices, st.integers(0, 5), st.binary(max_size=40)).map(
        lambda drawn: encode({**fields_of(drawn[0]), drawn[1] + 1: drawn[2]})
    )
)
def test_parse_raises_only_malformed(data: bytes) -> None:
    with suppress(MalformedError):
        assert Disclosure.parse(data).encode() == data


def fields_of(shown: tuple[int, ...]) -> dict[int, Value]:
    value = decode(disclose(shown).encode())
    assert isinstance(value, dict)
    return value


def test_order_of_shown_tiles_does_not_matter_to_the_opener() -> None:
    assert disclose((9, 0, 9, 2)) == disclose((0, 2, 9))


def test_whole_frame_takes_one_seed_and_no_hash() -> None:
    everything = disclose(tuple(range(COUNT)))
    assert (everything.seeds, everything.hashes) == (SEED, b"")
    nothing = disclose(())
    assert (nothing.seeds, nothing.hashes, nothing.pixels) == (b"", tree().root, b"")


def test_expected_subtrees_are_the_largest_and_in_order() -> None:
    assert expected_subtrees(5, (0, 1, 4)) == (
        Subtree(0, 2, shown=True),
        Subtree(2, 4, shown=False),
        Subtree(4, 5, shown=True),
    )


# --- the opener never shows what it should not -------------------------------


@given(choices)
def test_3_salts_reachable_from_the_seeds_are_those_of_the_shown_tiles(
    shown: tuple[int, ...],
) -> None:
    disclosure = disclose(shown)
    reachable: set[bytes] = set()
    frontier = {disclosure.seeds[at : at + 16] for at in range(0, len(disclosure.seeds), 16)}
    # Every seed may be read as a node of any height: more than the tree has.
    for _ in range(COUNT.bit_length() + 2):
        reachable |= frontier
        frontier = {child for seed in frontier for child in child_seeds(seed, HEADER.nonce)}
    salts = expand_seed(SEED, HEADER.nonce, COUNT)
    hidden = {salts[number] for number in range(COUNT) if number not in shown}
    assert reachable.isdisjoint(hidden)
    assert {salts[number] for number in shown} <= reachable


@given(choices, choices)
def test_14_two_disclosures_open_their_union_and_no_more(
    first: tuple[int, ...], second: tuple[int, ...]
) -> None:
    reachable: set[bytes] = set()
    for disclosure in (disclose(first), disclose(second)):
        frontier = {disclosure.seeds[at : at + 16] for at in range(0, len(disclosure.seeds), 16)}
        for _ in range(COUNT.bit_length() + 2):
            reachable |= frontier
            frontier = {child for seed in frontier for child in child_seeds(seed, HEADER.nonce)}
    salts = expand_seed(SEED, HEADER.nonce, COUNT)
    opened = {number for number, salt in enumerate(salts) if salt in reachable}
    assert opened == set(first) | set(second)


def test_hidden_pixels_are_nowhere_in_the_disclosure() -> None:
    secret = b"\x13\x57\x9b" * 32
    line = 20 * WIDTH * 3
    pixels = PIXELS[: line + 30] + secret + PIXELS[line + 30 + len(secret) :]
    marked = commit_frame(HEADER, pixels, SEED)
    hide = Box(10, 20, 32, 1)
    shown = HEADER.grid.tiles_to_show(hide=[hide])
    disclosure = open_frame(marked, shown, pixels=pixels, seed=SEED)
    everywhere = disclosure.encode() + disclosure.pixels
    picture = verify_disclosure(disclosure, marked.commitment).render()
    assert secret[:3] * 2 in pixels
    assert secret[:3] * 2 not in everywhere + picture


@pytest.mark.parametrize("shown", [(-1,), (COUNT,), (0, COUNT)])
def test_refuses_to_open_tiles_that_do_not_exist(shown: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="tiles"):
        disclose(shown)


def test_refuses_to_open_with_other_pixels_or_another_seed() -> None:
    changed = bytes([PIXELS[0] ^ 1]) + PIXELS[1:]
    with pytest.raises(ValueError, match="not those"):
        open_frame(tree(), (0,), pixels=changed, seed=SEED)
    with pytest.raises(ValueError, match="not those"):
        open_frame(tree(), (0,), pixels=PIXELS, seed=bytes(16))


# --- the verifier ------------------------------------------------------------


@given(choices, st.data())
def test_refuses_any_changed_pixel(shown: tuple[int, ...], data: st.DataObject) -> None:
    assume(shown)
    good = disclose(shown)
    at = data.draw(st.integers(0, len(good.pixels) - 1))
    pixels = bytearray(good.pixels)
    pixels[at] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(VerificationError):
        verify_disclosure(replace(good, deflated=zlib.compress(pixels)), tree().commitment)


def changed_items(data: bytes, size: int) -> list[bytes]:
    items = [data[at : at + size] for at in range(0, len(data), size)]
    swapped = [items[1], items[0], *items[2:]]
    repeated = [items[0], items[0], *items[2:]]
    return [b"".join(changed) for changed in (swapped, repeated, items[::-1])]


@pytest.mark.parametrize("number", range(3), ids=["swapped", "repeated", "reversed"])
def test_21_refuses_reordered_nodes(number: int) -> None:
    good = disclose(SOME)
    for bad in (
        replace(good, hashes=changed_items(good.hashes, 32)[number]),
        replace(good, seeds=changed_items(good.seeds, 16)[number]),
    ):
        assert bad != good
        with pytest.raises(VerificationError):
            verify_disclosure(Disclosure.parse(bad.encode()), tree().commitment)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda d: {4: d.seeds[16:]}, id="a seed missing"),
        pytest.param(lambda d: {4: d.seeds + bytes(16)}, id="a seed more"),
        pytest.param(lambda d: {5: d.hashes[:-32]}, id="a hash missing"),
        pytest.param(lambda d: {5: d.hashes + d.hashes[-32:]}, id="a hash more"),
        pytest.param(lambda d: {5: d.hashes[:-1]}, id="a byte of a hash missing"),
        pytest.param(lambda d: {4: d.seeds[16:], 5: d.hashes + bytes(16)}, id="moved over"),
        pytest.param(lambda _: {1: 2}, id="version"),
        pytest.param(lambda _: {7: 0}, id="unknown key"),
        pytest.param(lambda _: {2: HEADER.encode() + b"\x00"}, id="long header"),
        pytest.param(lambda _: {3: [[0, 4], [4, 2]]}, id="adjacent runs"),
        pytest.param(lambda _: {3: [[5, 1], [0, 4]]}, id="descending runs"),
        pytest.param(lambda _: {3: [[0, 4], [2, 4]]}, id="overlapping runs"),
        pytest.param(lambda _: {3: [[0, 0]]}, id="empty run"),
        pytest.param(lambda _: {3: [[0, COUNT + 1]]}, id="run beyond the frame"),
        pytest.param(lambda _: {3: [[0, 2**53 - 1]]}, id="run that would fill memory"),
        pytest.param(lambda _: {3: [[-1, 2]]}, id="run before the frame"),
        pytest.param(lambda _: {3: [[0, 1, 1]]}, id="run of three"),
        pytest.param(lambda _: {3: [0, 1]}, id="runs that are no arrays"),
        pytest.param(lambda d: {6: d.deflated + b"\x00"}, id="bytes after the stream"),
        pytest.param(lambda d: {6: d.deflated * 2}, id="two streams"),
        pytest.param(lambda d: {6: d.deflated[:-1]}, id="stream without its end"),
        pytest.param(lambda d: {6: zlib.compress(d.pixels)[:-4] + bytes(4)}, id="checksum"),
        pytest.param(lambda d: {6: zlib.compress(d.pixels + b"\x00")}, id="a pixel byte more"),
        pytest.param(lambda d: {6: zlib.compress(d.pixels[:-1])}, id="a pixel byte less"),
        pytest.param(lambda d: {6: d.pixels}, id="not deflated"),
        pytest.param(lambda _: {6: b""}, id="no stream"),
        pytest.param(lambda d: {6: zlib.compress(d.pixels, wbits=-15)}, id="raw deflate"),
        pytest.param(lambda d: {6: zlib.compress(d.pixels, wbits=31)}, id="gzip"),
    ],
)
def test_refuses_form(change: Callable[[Disclosure], dict[int, Value]]) -> None:
    good = disclose(SOME)
    bad = encode({**fields_of(SOME), **change(good)})
    assert bad != good.encode()
    with pytest.raises(MalformedError):
        Disclosure.parse(bad)


def test_inflating_stops_at_the_expected_length() -> None:
    bomb = zlib.compress(bytes(200 * 2**20), 9)
    assert len(bomb) < 2**18
    data = encode({**fields_of(SOME), 6: bomb})
    tracemalloc.start()
    try:
        with pytest.raises(MalformedError, match="exactly"):
            Disclosure.parse(data)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 4 * 2**20


def test_inflating_stops_when_nothing_is_shown() -> None:
    # Zero expected bytes must not mean "no limit" to zlib.
    bomb = zlib.compress(bytes(100 * 2**20), 9)
    data = encode({**fields_of(()), 6: bomb})
    tracemalloc.start()
    try:
        with pytest.raises(MalformedError, match="exactly 0"):
            Disclosure.parse(data)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 4 * 2**20


def test_refuses_an_empty_run_beside_the_right_ones() -> None:
    good = fields_of((5,))
    assert good[3] == [[5, 1]]
    empty: tuple[Value, Value] = ([[0, 0], [5, 1]], [[5, 1], [8, 0]])
    for runs in empty:
        with pytest.raises(MalformedError, match="runs"):
            Disclosure.parse(encode({**good, 3: runs}))


def test_a_huge_header_takes_no_memory_before_its_pixels_arrive() -> None:
    header = FrameHeader(7680, 4320, 128, display=0, round=0, offset_ms=0, nonce=bytes(16))
    data = encode(
        {
            1: 1,
            2: header.encode(),
            3: [[0, header.grid.count]],
            4: bytes(16),
            5: b"",
            6: zlib.compress(bytes(1000)),
        }
    )
    with pytest.raises(MalformedError, match="exactly"):
        Disclosure.parse(data)


def test_refuses_more_bytes_than_the_limit() -> None:
    with pytest.raises(MalformedError, match=f"at most {MAX_BYTES}"):
        Disclosure.parse(bytes(MAX_BYTES + 1))


def test_refuses_to_write_more_bytes_than_can_be_read() -> None:
    # Empty stored blocks: a stream of any length that inflates to nothing.
    stream = zlib.compress(b"", 0)
    long = stream[:2] + b"\x00\x00\x00\xff\xff" * (MAX_BYTES // 5) + stream[2:]
    padded = replace(disclose(()), deflated=long)
    assert padded.pixels == b""
    with pytest.raises(ValueError, match=f"at most {MAX_BYTES}"):
        padded.encode()


def test_every_changed_byte_is_noticed() -> None:
    good = disclose(SOME)
    data = good.encode()
    outcomes = {"malformed": 0, "fails": 0, "slack": 0}
    for at in range(len(data)):
        for mask in (0x01, 0x80, 0xFF):
            changed = data[:at] + bytes([data[at] ^ mask]) + data[at + 1 :]
            outcomes[outcome_of(changed, good)] += 1
    assert outcomes["malformed"] > 0
    assert outcomes["fails"] > 0
    assert sum(outcomes.values()) == 3 * len(data)


def outcome_of(changed: bytes, good: Disclosure) -> str:
    try:
        other = Disclosure.parse(changed)
        verify_disclosure(other, tree().commitment)
    except MalformedError:
        return "malformed"
    except VerificationError:
        return "fails"
    # Only the spelling of the deflated stream has slack; then it is another disclosure by name.
    assert other.digest != good.digest
    assert (other.shown, other.pixels) == (good.shown, good.pixels)
    assert (other.seeds, other.hashes, other.header) == (good.seeds, good.hashes, good.header)
    return "slack"


def test_another_spelling_of_the_stream_is_another_disclosure() -> None:
    good = disclose(SOME)
    other = replace(good, deflated=zlib.compress(good.pixels, 0))
    assert verify_disclosure(other, tree().commitment).tiles
    assert other.pixels == good.pixels
    assert other.digest != good.digest
    assert good.digest == Digest.of(good.encode())


@given(choices, choices)
@settings(max_examples=50)
def test_refuses_the_claim_that_other_tiles_were_shown(
    shown: tuple[int, ...], claimed: tuple[int, ...]
) -> None:
    assume(shown != claimed)
    good = disclose(shown)
    with pytest.raises((ValueError, VerificationError)):
        verify_disclosure(replace(good, shown=claimed), tree().commitment)


@pytest.mark.parametrize(
    "header",
    [
        replace(HEADER, round=10),
        replace(HEADER, offset_ms=0),
        replace(HEADER, display=0),
        replace(HEADER, nonce=b"\x01" * 16),
    ],
)
def test_refuses_another_header(header: FrameHeader) -> None:
    with pytest.raises(VerificationError):
        verify_disclosure(replace(disclose(SOME), header=header), tree().commitment)


def test_refuses_the_commitment_of_another_frame() -> None:
    with pytest.raises(VerificationError):
        verify_disclosure(disclose(SOME), Digest.of(b"another"))


@pytest.mark.parametrize("shown", [(1, 0), (0, 0), (-1, 0), (COUNT,)])
def test_refuses_to_build_with_tiles_out_of_order(shown: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="tiles"):
        replace(disclose((0, 1)), shown=shown)


# --- drawing -----------------------------------------------------------------


def test_only_verification_makes_verified_tiles() -> None:
    with pytest.raises(TypeError):
        VerifiedTiles(HEADER, (), {}, object())
    verified = verify_disclosure(disclose(SOME), tree().commitment)
    with pytest.raises(TypeError):
        replace(verified, shown=(), made_by=object())


def test_draws_shown_tiles_and_nothing_else_of_the_frame() -> None:
    verified = verify_disclosure(disclose(SOME), tree().commitment)
    image = verified.render()
    pattern = b"".join(HiddenPattern().line(y, WIDTH) for y in range(HEIGHT))
    assert len(image) == len(PIXELS)
    for number in range(COUNT):
        box = HEADER.grid.box_of(number)
        source = PIXELS if number in SOME else pattern
        for y in range(box.top, box.top + box.height):
            at = 3 * (y * WIDTH + box.left)
            assert image[at : at + 3 * box.width] == source[at : at + 3 * box.width]


@pytest.mark.parametrize("colour", [(0, 0, 0), (255, 255, 255), (255, 0, 255), (128, 128, 128)])
def test_a_flat_tile_never_looks_like_a_hidden_one(colour: tuple[int, int, int]) -> None:
    pixels = bytes(colour) * (WIDTH * HEIGHT)
    flat = commit_frame(HEADER, pixels, SEED)
    shown = tuple(range(0, COUNT, 2))
    disclosure = open_frame(flat, shown, pixels=pixels, seed=SEED)
    verified = verify_disclosure(disclosure, flat.commitment)
    image = verified.render()
    assert verified.flat_tiles == len(shown)
    for number in range(COUNT):
        box = HEADER.grid.box_of(number)
        colours = {
            image[3 * (y * WIDTH + x) :][:3]
            for y in range(box.top, box.top + box.height)
            for x in range(box.left, box.left + box.width)
        }
        assert (colours == {bytes(colour)}) == (number in shown)


def test_noise_is_not_counted_as_flat() -> None:
    assert verify_disclosure(disclose(SOME), tree().commitment).flat_tiles == 0


def test_pattern_is_a_checker_of_the_asked_cells() -> None:
    pattern = HiddenPattern((1, 1, 1), (2, 2, 2), cell=2)
    assert [pattern.line(y, 5)[::3] for y in range(4)] == [
        b"\1\1\2\2\1",
        b"\1\1\2\2\1",
        b"\2\2\1\1\2",
        b"\2\2\1\1\2",
    ]
    with pytest.raises(ValueError, match="checker"):
        HiddenPattern((1, 1, 1), (1, 1, 1))


# --- vectors -----------------------------------------------------------------


def test_vectors() -> None:
    vectors = json.loads(VECTORS.read_text())
    assert len(vectors["disclosures"]) >= 5
    for vector in vectors["disclosures"]:
        frame = vectors["frames"][vector["frame"]]
        data = bytes.fromhex(vector["disclosure"])
        disclosure = Disclosure.parse(data)
        assert disclosure.encode() == data
        assert str(disclosure.digest) == vector["digest"]
        assert list(disclosure.shown) == vector["shown"]
        assert disclosure.seeds.hex() == vector["seeds"]
        assert disclosure.hashes.hex() == vector["hashes"]
        assert disclosure.pixels.hex() == vector["pixels"]
        verify_disclosure(disclosure, Digest(bytes.fromhex(frame["commitment"])))


def test_vectors_of_what_is_refused() -> None:
    vectors = json.loads(VECTORS.read_text())
    assert {vector["outcome"] for vector in vectors["refused"]} == {"malformed", "fails"}
    for vector in vectors["refused"]:
        commitment = Digest(bytes.fromhex(vectors["frames"][vector["frame"]]["commitment"]))
        data = bytes.fromhex(vector["disclosure"])
        expected = MalformedError if vector["outcome"] == "malformed" else VerificationError
        with pytest.raises(expected):
            verify_disclosure(Disclosure.parse(data), commitment)


@given(choices)
def test_how_much_is_said_to_be_shown_is_read_without_inflating(shown: tuple[int, ...]) -> None:
    good = disclose(shown)
    assert told_tiles(good.encode()) == (len(shown), COUNT)
    # Whether the pixels are there is for `parse` to say.
    value = decode(good.encode())
    assert isinstance(value, dict)
    assert told_tiles(encode(value | {6: b"no stream"})) == (len(shown), COUNT)


@pytest.mark.parametrize("data", [b"", b"\xa0", b"\xff", disclose((0,)).encode()[:-1]])
def test_what_is_no_disclosure_says_nothing_of_tiles(data: bytes) -> None:
    with pytest.raises(MalformedError):
        told_tiles(data)
