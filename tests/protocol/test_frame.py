import hashlib
import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workseal_protocol.errors import MalformedError
from workseal_protocol.frame import (
    HEADER_BYTES,
    Box,
    FrameHeader,
    FrameTree,
    Grid,
    child_seeds,
    commit_frame,
    cut_rows,
    expand_seed,
    frame_commitment,
)
from workseal_protocol.merkle import root_of

VECTORS = Path(__file__).parent.parent / "vectors" / "frames" / "frames.json"
NONCE = bytes(range(16))
SEED = bytes(range(16, 32))

tiles = st.sampled_from([16, 32, 64, 128])
nonces = st.binary(min_size=16, max_size=16)
headers = st.builds(
    FrameHeader,
    width=st.integers(1, 2048),
    height=st.integers(1, 512),
    tile=tiles,
    display=st.integers(0, 255),
    round=st.integers(0, 2**53 - 1),
    offset_ms=st.integers(0, 2**32 - 1),
    nonce=nonces,
)
grids = st.builds(Grid, st.integers(1, 140), st.integers(1, 140), st.sampled_from([16, 32]))
boxes = st.builds(
    Box, st.integers(-40, 150), st.integers(-40, 150), st.integers(1, 120), st.integers(1, 120)
)


def header_of(width: int, height: int, tile: int = 16, nonce: bytes = NONCE) -> FrameHeader:
    return FrameHeader(width, height, tile, display=0, round=7, offset_ms=0, nonce=nonce)


def noise(length: int) -> bytes:
    return hashlib.shake_128(b"pixels").digest(length)


def pixels_of(box: Box) -> Iterator[tuple[int, int]]:
    for y in range(box.top, box.top + box.height):
        for x in range(box.left, box.left + box.width):
            yield x, y


# --- a second implementation, as slow and plain as the specification ---------


def sha(*parts: bytes) -> bytes:
    return hashlib.sha256(b"".join(parts)).digest()


def reference_tile(grid: Grid, pixels: bytes, number: int) -> bytes:
    box = grid.box_of(number)
    return b"".join(
        pixels[3 * (y * grid.width + x) : 3 * (y * grid.width + x) + 3] for x, y in pixels_of(box)
    )


def split(count: int) -> int:
    half = 1
    while half * 2 < count:
        half *= 2
    return half


def reference_salts(seed: bytes, nonce: bytes, count: int) -> list[bytes]:
    if count == 1:
        return [seed]
    pair = sha(b"\x03", nonce, seed)
    half = split(count)
    return [
        *reference_salts(pair[:16], nonce, half),
        *reference_salts(pair[16:], nonce, count - half),
    ]


def reference_root(leaves: list[bytes]) -> bytes:
    if len(leaves) == 1:
        return leaves[0]
    half = split(len(leaves))
    return sha(b"\x01", reference_root(leaves[:half]), reference_root(leaves[half:]))


def reference_leaves(header: FrameHeader, pixels: bytes, seed: bytes) -> list[bytes]:
    count = header.grid.count
    return [
        sha(b"\x00", salt, reference_tile(header.grid, pixels, number))
        for number, salt in enumerate(reference_salts(seed, header.nonce, count))
    ]


def nodes_of(tree: FrameTree) -> set[bytes]:
    return {node for level in tree.levels for node in level}


# --- header ------------------------------------------------------------------


@given(headers)
def test_header_parse_is_the_inverse_of_encode(header: FrameHeader) -> None:
    assert len(header.encode()) == HEADER_BYTES == 41
    assert FrameHeader.parse(header.encode()) == header


@given(st.binary(max_size=60) | st.binary(min_size=39, max_size=39).map(b"\x02\x01".__add__))
def test_header_parse_raises_only_malformed(data: bytes) -> None:
    with suppress(MalformedError):
        assert FrameHeader.parse(data).encode() == data


GOOD = header_of(1920, 1080, 32).encode()


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param(b"\x00" + GOOD[1:], id="tag of a leaf"),
        pytest.param(b"\x02\x02" + GOOD[2:], id="unknown version"),
        pytest.param(GOOD + b"\x00", id="one byte more"),
        pytest.param(GOOD[:-1], id="one byte less"),
        pytest.param(GOOD[:2] + bytes(4) + GOOD[6:], id="no width"),
        pytest.param(GOOD[:6] + bytes(4) + GOOD[10:], id="no height"),
        pytest.param(GOOD[:2] + (16385).to_bytes(4, "big") + GOOD[6:], id="too wide"),
        pytest.param(
            GOOD[:2] + (16384).to_bytes(4, "big") + (2049).to_bytes(4, "big") + GOOD[10:],
            id="too many pixels",
        ),
        pytest.param(GOOD[:10] + (33).to_bytes(2, "big") + GOOD[12:], id="tile of 33"),
        pytest.param(GOOD[:13] + b"\xff" * 8 + GOOD[21:], id="round beyond 53 bits"),
    ],
)
def test_refuses_header(bad: bytes) -> None:
    assert bad != GOOD
    with pytest.raises(MalformedError):
        FrameHeader.parse(bad)


@pytest.mark.parametrize(
    "change",
    [
        {"display": 256},
        {"display": -1},
        {"offset_ms": 2**32},
        {"offset_ms": -1},
        {"round": -1},
        {"nonce": bytes(15)},
        {"nonce": bytes(17)},
    ],
)
def test_refuses_to_build_a_header_that_cannot_be_written(change: dict[str, int | bytes]) -> None:
    with pytest.raises(ValueError, match=r"display|offset|round|nonce"):
        replace(header_of(16, 16), **change)  # type: ignore[arg-type]


def test_refuses_more_tiles_than_the_limit() -> None:
    assert Grid(4096, 4096, 16).count == 65_536
    with pytest.raises(ValueError, match="tiles"):
        Grid(4097, 4096, 16)


def test_commitment_changes_with_every_header_field() -> None:
    header = header_of(32, 32)
    changed = [
        replace(header, display=1),
        replace(header, round=8),
        replace(header, offset_ms=1),
        replace(header, width=16, height=64),
        replace(header, nonce=bytes(16)),
        replace(header, tile=32),
    ]
    root = bytes(32)
    assert len({frame_commitment(h, root) for h in (header, *changed)}) == 1 + len(changed)


# --- grid --------------------------------------------------------------------


@given(grids)
def test_tiles_are_in_morton_order_and_cover_each_pixel_once(grid: Grid) -> None:
    def morton(place: tuple[int, int]) -> str:
        column, row = place
        return "".join(y + x for x, y in zip(f"{column:016b}", f"{row:016b}", strict=True))

    assert list(grid.order) == sorted(grid.order, key=morton)
    assert len(set(grid.order)) == grid.count
    covered = [pixel for number in range(grid.count) for pixel in pixels_of(grid.box_of(number))]
    assert sorted(covered) == [(x, y) for x in range(grid.width) for y in range(grid.height)]
    assert grid.tile_bytes == tuple(
        3 * width * height for width, height in map(grid.size_of, range(grid.count))
    )


@given(grids, st.lists(boxes, max_size=4))
def test_no_pixel_of_a_hidden_box_is_shown(grid: Grid, hide: list[Box]) -> None:
    hidden = {pixel for box in hide for pixel in pixels_of(box)}
    shown = grid.tiles_to_show(hide=hide)
    for number in shown:
        assert hidden.isdisjoint(pixels_of(grid.box_of(number)))
    # And nothing is hidden in vain.
    for number in set(range(grid.count)) - set(shown):
        assert not hidden.isdisjoint(pixels_of(grid.box_of(number)))


@given(grids, st.lists(boxes, max_size=4), st.lists(boxes, max_size=2))
def test_a_tile_is_shown_only_when_it_lies_whole_in_one_box(
    grid: Grid, show: list[Box], hide: list[Box]
) -> None:
    shown = grid.tiles_to_show(show=show, hide=hide)
    assert list(shown) == sorted(set(shown))
    hidden = {pixel for box in hide for pixel in pixels_of(box)}
    for number in range(grid.count):
        tile = set(pixels_of(grid.box_of(number)))
        inside = any(tile <= set(pixels_of(box)) for box in show)
        assert (number in shown) == (inside and tile.isdisjoint(hidden))


def test_a_box_beside_the_frame_touches_nothing() -> None:
    grid = Grid(64, 64, 16)
    outside = [Box(-20, 0, 20, 64), Box(64, 0, 5, 5), Box(0, 64, 64, 9), Box(-9, -9, 9, 9)]
    assert grid.tiles_touching(outside) == frozenset()
    assert grid.tiles_inside(outside) == frozenset()


def test_a_margin_grows_a_box_on_each_side() -> None:
    assert Box(10, 20, 5, 6).grown(3) == Box(7, 17, 11, 12)
    # The pixel at the edge of a glyph is enough to take the neighbour with it.
    grid = Grid(64, 16, 16)
    assert len(grid.tiles_touching([Box(16, 0, 16, 16)])) == 1
    assert len(grid.tiles_touching([Box(16, 0, 16, 16).grown(3)])) == 3


def test_refuses_an_empty_box() -> None:
    with pytest.raises(ValueError, match="box"):
        Box(0, 0, 0, 4)


# --- the commitment ----------------------------------------------------------

SIZES = [
    pytest.param(64, 64, 16, id="whole tiles"),
    pytest.param(70, 41, 16, id="both edges cut"),
    pytest.param(48, 20, 16, id="bottom edge cut"),
    pytest.param(5, 3, 16, id="less than one tile"),
    pytest.param(5, 50, 16, id="narrower than a tile"),
    pytest.param(80, 16, 16, id="five leaves"),
    pytest.param(200, 130, 64, id="large tiles"),
]


@pytest.mark.parametrize(("width", "height", "tile"), SIZES)
def test_equals_a_plain_second_implementation(width: int, height: int, tile: int) -> None:
    header, pixels = header_of(width, height, tile), noise(width * height * 3)
    tree = commit_frame(header, pixels, SEED)
    leaves = reference_leaves(header, pixels, SEED)
    assert list(tree.leaves) == leaves
    assert tree.root == reference_root(leaves) == root_of(leaves)
    assert tree.commitment.raw == sha(header.encode(), tree.root)
    assert commit_frame(header, memoryview(pixels), SEED) == tree


@given(st.integers(1, 70))
def test_node_is_the_root_of_its_range(columns: int) -> None:
    header = header_of(16 * columns, 1)
    tree = commit_frame(header, noise(48 * columns), SEED)

    def check(low: int, high: int) -> None:
        assert tree.node(low, high) == root_of(tree.leaves[low:high])
        if high - low > 1:
            middle = low + split(high - low)
            check(low, middle)
            check(middle, high)

    check(0, columns)


@given(st.integers(1, 200))
def test_salts_come_from_a_tree_of_the_same_shape(count: int) -> None:
    assert expand_seed(SEED, NONCE, count) == reference_salts(SEED, NONCE, count)


def test_child_seeds_are_the_halves_of_one_hash() -> None:
    pair = sha(b"\x03", NONCE, SEED)
    assert child_seeds(SEED, NONCE) == (pair[:16], pair[16:])


@pytest.mark.parametrize("length", [0, 16 * 16 * 3 - 1, 16 * 16 * 3 + 1, 16 * 16 * 4])
def test_refuses_pixels_of_another_length(length: int) -> None:
    with pytest.raises(ValueError, match="three bytes"):
        commit_frame(header_of(16, 16), bytes(length), SEED)


def test_refuses_nonce_of_another_length() -> None:
    # Or the border between nonce and seed would move.
    with pytest.raises(ValueError, match="nonce"):
        expand_seed(SEED, bytes(15), 2)


@pytest.mark.parametrize("seed", [b"", bytes(15), bytes(32)])
def test_refuses_seed_of_another_length(seed: bytes) -> None:
    with pytest.raises(ValueError, match="seed"):
        commit_frame(header_of(16, 16), bytes(16 * 16 * 3), seed)


# --- attacks (numbers of the threat list) ------------------------------------


def flat_frame() -> tuple[FrameHeader, bytes]:
    """Return 16 tiles, each of one grey of its own out of 256."""
    header = header_of(64, 64)
    pixels = b"".join(bytes([16 * (y // 16) + x // 16]) * 3 for y in range(64) for x in range(64))
    return header, pixels


def guess(leaves: set[bytes], prefix: bytes) -> int:
    """Count the leaves that are a flat grey tile under a known prefix."""
    return sum(sha(prefix, bytes([grey]) * (16 * 16 * 3)) in leaves for grey in range(256))


def test_1_brute_force_breaks_unsalted_tiles_and_not_ours() -> None:
    header, pixels = flat_frame()
    count = header.grid.count
    unsalted = {sha(b"\x00", reference_tile(header.grid, pixels, n)) for n in range(count)}
    assert guess(unsalted, b"\x00") == count
    ours = set(commit_frame(header, pixels, SEED).leaves)
    # Everything that is public about the frame, as if it were the salt.
    public = (header.nonce, bytes(16), header.encode(), commit_frame(header, pixels, SEED).root)
    assert sum(guess(ours, b"\x00" + known) for known in (b"", *public)) == 0
    # The guesser itself works: with the secret salts it finds every tile.
    salts = expand_seed(SEED, NONCE, count)
    assert sum(guess(ours, b"\x00" + salt) for salt in salts) == count


def test_2_equal_tiles_never_share_a_leaf() -> None:
    tree = commit_frame(header_of(256, 256), bytes(256 * 256 * 3), SEED)
    assert len(set(tree.leaves)) == tree.header.grid.count == 256
    assert len(nodes_of(tree)) == 256 + 255


@given(nonces, nonces)
def test_2_two_commits_of_one_frame_share_no_node(nonce: bytes, seed: bytes) -> None:
    pixels = noise(80 * 48 * 3)
    first = commit_frame(header_of(80, 48), pixels, SEED)
    if seed != SEED:
        fresh_seed = commit_frame(header_of(80, 48), pixels, seed)
        assert nodes_of(first).isdisjoint(nodes_of(fresh_seed))
    if nonce != NONCE:
        fresh_nonce = commit_frame(header_of(80, 48, nonce=nonce), pixels, SEED)
        assert nodes_of(first).isdisjoint(nodes_of(fresh_nonce))


def test_20_odd_node_is_promoted_and_not_doubled() -> None:
    tree = commit_frame(header_of(48, 16), noise(48 * 16 * 3), SEED)
    a, b, c = tree.leaves
    assert tree.root == sha(b"\x01", sha(b"\x01", a, b), c)
    doubled = sha(b"\x01", sha(b"\x01", a, b), sha(b"\x01", c, c))
    assert doubled != tree.root
    # The mutant confuses three leaves with four; ours does not.
    assert doubled == root_of([a, b, c, c])
    assert tree.root != root_of([a, b, c, c])


def test_20_a_node_offered_as_a_leaf_has_another_hash() -> None:
    # A tile of 16 pixels, 1 line: salt and pixels are 64 bytes, as long as two children.
    two = commit_frame(header_of(32, 16), noise(32 * 16 * 3), SEED)
    children = b"".join(two.leaves)
    forged = commit_frame(header_of(16, 1), children[16:], children[:16])
    assert forged.root == sha(b"\x00", children)
    assert two.root == sha(b"\x01", children)
    assert forged.root != two.root


def test_22_edge_tiles_are_not_padded() -> None:
    header = header_of(20, 18)
    pixels = noise(20 * 18 * 3)
    tree = commit_frame(header, pixels, SEED)
    salts = expand_seed(SEED, NONCE, 4)
    corner = b"".join(pixels[3 * (y * 20 + 16) : 3 * (y * 20 + 20)] for y in (16, 17))
    assert header.grid.size_of(3) == (4, 2)
    assert tree.leaves[3] == sha(b"\x00", salts[3], corner)
    # The same picture inside a black frame of whole tiles is another frame.
    padded = b"".join(pixels[60 * y : 60 * y + 60] + bytes(36) for y in range(18)) + bytes(96 * 14)
    assert commit_frame(header_of(32, 32), padded, SEED).leaves[3] != tree.leaves[3]


# --- vectors -----------------------------------------------------------------


def test_vectors() -> None:
    vectors = json.loads(VECTORS.read_text())
    assert len(vectors["frames"]) >= 3
    for vector in vectors["frames"]:
        fields = vector["header"]
        header = FrameHeader(**{**fields, "nonce": bytes.fromhex(fields["nonce"])})
        pixels, seed = bytes.fromhex(vector["pixels"]), bytes.fromhex(vector["seed"])
        tree = commit_frame(header, pixels, seed)
        assert header.encode().hex() == vector["header_bytes"]
        assert [list(place) for place in header.grid.order] == vector["order"]
        salts = expand_seed(seed, header.nonce, header.grid.count)
        assert [salt.hex() for salt in salts] == vector["salts"]
        assert [leaf.hex() for leaf in tree.leaves] == vector["leaves"]
        assert tree.root.hex() == vector["root"]
        assert str(tree.commitment) == vector["commitment"]


def test_rows_of_tiles_come_from_left_to_right() -> None:
    grid, pixels = Grid(40, 20, 16), noise(40 * 20 * 3)
    rows = list(cut_rows(grid, pixels))
    assert [len(row) for row in rows] == [3, 3]
    for number, (column, row) in enumerate(grid.order):
        assert rows[row][column] == reference_tile(grid, pixels, number)
