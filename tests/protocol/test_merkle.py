import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workseal_protocol.digest import sha256
from workseal_protocol.errors import VerificationError
from workseal_protocol.merkle import (
    EMPTY_ROOT,
    MAX_SIZE,
    Frontier,
    consistency_path,
    inclusion_path,
    leaf_hash,
    node_hash,
    path_from_nodes,
    paths_from_nodes,
    root_of,
    sparse_nodes,
    sparse_proof,
    sparse_ranges,
    split_point,
    verify_consistency,
    verify_inclusion,
    verify_sparse,
)

VECTORS = json.loads((Path(__file__).parents[1] / "vectors/log/merkle.json").read_text())
LEAVES = tuple(leaf_hash(number.to_bytes(4)) for number in range(300))
OTHER = leaf_hash(b"not in the tree")


# The recursive definitions of RFC 9162 section 2.1, word for word.
def naive_root(leaves: Sequence[bytes]) -> bytes:
    if not leaves:
        return sha256(b"")
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while 2 * k < len(leaves):
        k *= 2
    return node_hash(naive_root(leaves[:k]), naive_root(leaves[k:]))


def naive_path(m: int, leaves: Sequence[bytes]) -> list[bytes]:
    if len(leaves) == 1:
        return []
    k = 1
    while 2 * k < len(leaves):
        k *= 2
    if m < k:
        return [*naive_path(m, leaves[:k]), naive_root(leaves[k:])]
    return [*naive_path(m - k, leaves[k:]), naive_root(leaves[:k])]


def naive_subproof(m: int, leaves: Sequence[bytes], whole: bool) -> list[bytes]:  # noqa: FBT001
    if m == len(leaves):
        return [] if whole else [naive_root(leaves)]
    k = 1
    while 2 * k < len(leaves):
        k *= 2
    if m <= k:
        return [*naive_subproof(m, leaves[:k], whole), naive_root(leaves[k:])]
    return [*naive_subproof(m - k, leaves[k:], False), naive_root(leaves[:k])]  # noqa: FBT003


sizes = st.integers(1, 90)


@st.composite
def wanted(draw: st.DrawFn) -> tuple[int, list[int], list[int]]:
    size = draw(sizes)
    indices = draw(st.sets(st.integers(0, size - 1), max_size=12))
    earlier = draw(st.sets(st.integers(1, size), max_size=6))
    return size, sorted(indices), sorted(earlier)


def prove(size: int, indices: Sequence[int], earlier: Sequence[int]) -> tuple[bytes, ...]:
    return sparse_proof(lambda lo, hi: naive_root(LEAVES[lo:hi]), size, indices, earlier)


def check(
    size: int, indices: Sequence[int], earlier: Sequence[int], hashes: Sequence[bytes]
) -> None:
    verify_sparse(
        size=size,
        root=naive_root(LEAVES[:size]),
        leaves={index: LEAVES[index] for index in indices},
        earlier={old: naive_root(LEAVES[:old]) for old in earlier},
        hashes=hashes,
    )


# --- roots ---


@pytest.mark.parametrize("size", range(9))
def test_roots_are_those_of_the_vectors(size: int) -> None:
    leaves = [leaf_hash(bytes.fromhex(entry)) for entry in VECTORS["entries"]]
    assert root_of(leaves[:size]).hex() == VECTORS["roots"][size]


@given(st.integers(0, 130))
def test_root_is_the_recursive_definition(size: int) -> None:
    assert root_of(LEAVES[:size]) == naive_root(LEAVES[:size])


@given(st.integers(2, 10**9))
def test_split_point_is_the_largest_power_of_two_below(n: int) -> None:
    k = split_point(n)
    assert k & (k - 1) == 0
    assert k < n <= 2 * k


@pytest.mark.parametrize("n", [-1, 0, 1])
def test_split_point_needs_two(n: int) -> None:
    with pytest.raises(ValueError, match="two leaves"):
        split_point(n)


def test_leaf_and_node_never_share_a_hash() -> None:
    left, right = LEAVES[:2]
    assert leaf_hash(left + right) != node_hash(left, right)


# --- inclusion ---


@given(st.data(), sizes)
def test_inclusion_path_is_the_recursive_definition_and_verifies(
    data: st.DataObject, n: int
) -> None:
    index = data.draw(st.integers(0, n - 1))
    path = inclusion_path(LEAVES[:n], index)
    assert list(path) == naive_path(index, LEAVES[:n])
    root = naive_root(LEAVES[:n])
    verify_inclusion(leaf=LEAVES[index], index=index, size=n, path=path, root=root)


@given(st.data(), sizes)
def test_inclusion_refuses_any_other_path_leaf_index_or_root(data: st.DataObject, n: int) -> None:
    index = data.draw(st.integers(0, n - 1))
    root, path = naive_root(LEAVES[:n]), naive_path(index, LEAVES[:n])
    leaf = LEAVES[index]
    cases = [(OTHER, index, path, root), (leaf, index, path, OTHER), (leaf, n, path, root)]
    cases += [(leaf, wrong, path, root) for wrong in (index - 1, index + 1)]
    cases += [(leaf, index, [*path, OTHER], root), (leaf, index, [OTHER, *path], root)]
    for at in range(len(path)):
        flipped = bytes([path[at][0] ^ 1]) + path[at][1:]
        cases.append((leaf, index, [*path[:at], *path[at + 1 :]], root))
        cases.append((leaf, index, [*path[:at], flipped, *path[at + 1 :]], root))
        cases.append((leaf, index, [*path[:at], path[at][:31], *path[at + 1 :]], root))
    for wrong_leaf, wrong_index, wrong_path, wrong_root in cases:
        with pytest.raises(VerificationError):
            verify_inclusion(
                leaf=wrong_leaf, index=wrong_index, size=n, path=wrong_path, root=wrong_root
            )


@pytest.mark.parametrize(
    ("leaf", "index", "size", "path", "reason"),
    [
        pytest.param(b"", 0, 1, [], "32 bytes", id="empty leaf equals empty root"),
        pytest.param(LEAVES[0], 0, 1, [OTHER], "too long", id="path in a tree of one"),
        pytest.param(LEAVES[0], 0, 2, [], "too short", id="no path in a tree of two"),
        pytest.param(LEAVES[0], 0, 2, [b"x" * 33], "32 bytes", id="33-byte hash"),
        pytest.param(LEAVES[0], -1, 1, [], "index", id="negative index"),
        pytest.param(LEAVES[0], 1, 1, [], "index", id="index at the size"),
        pytest.param(LEAVES[0], 0, 0, [], "index", id="empty tree"),
        pytest.param(LEAVES[0], 0, MAX_SIZE + 1, [OTHER] * 63, "index", id="size of 2**63"),
    ],
)
def test_inclusion_refuses(
    leaf: bytes, index: int, size: int, path: list[bytes], reason: str
) -> None:
    with pytest.raises(VerificationError, match=reason):
        verify_inclusion(leaf=leaf, index=index, size=size, path=path, root=leaf)


def test_inclusion_holds_at_the_largest_size() -> None:
    # The last leaf of 2**63 - 1 has 62 siblings, all to its left.
    leaf = root = LEAVES[0]
    path = [OTHER] * 62
    for sibling in path:
        root = node_hash(sibling, root)
    verify_inclusion(leaf=leaf, index=MAX_SIZE - 1, size=MAX_SIZE, path=path, root=root)


# --- consistency ---


@given(st.data(), sizes)
def test_consistency_path_is_the_recursive_definition_and_verifies(
    data: st.DataObject, n: int
) -> None:
    old = data.draw(st.integers(0, n))
    path = consistency_path(LEAVES[:n], old)
    assert list(path) == ([] if old == 0 else naive_subproof(old, LEAVES[:n], True))  # noqa: FBT003
    old_root, root = naive_root(LEAVES[:old]), naive_root(LEAVES[:n])
    verify_consistency(old_size=old, old_root=old_root, size=n, root=root, path=path)


@given(st.data(), sizes)
def test_consistency_refuses_any_other_path_or_root(data: st.DataObject, n: int) -> None:
    old = data.draw(st.integers(0, n))
    path = list(consistency_path(LEAVES[:n], old))
    old_root, root = naive_root(LEAVES[:old]), naive_root(LEAVES[:n])
    cases = [
        (OTHER, root, path),
        (old_root, root, [*path, OTHER]),
        (old_root, root, [OTHER, *path]),
    ]
    if old:  # an empty old tree says nothing about the new root
        cases.append((old_root, OTHER, path))
    for at in range(len(path)):
        flipped = bytes([path[at][0] ^ 1]) + path[at][1:]
        cases.append((old_root, root, [*path[:at], *path[at + 1 :]]))
        cases.append((old_root, root, [*path[:at], flipped, *path[at + 1 :]]))
        cases.append((old_root, root, [*path[:at], path[at][:31], *path[at + 1 :]]))
    for wrong_old, wrong_new, wrong_path in cases:
        with pytest.raises(VerificationError):
            verify_consistency(
                old_size=old, old_root=wrong_old, size=n, root=wrong_new, path=wrong_path
            )


@pytest.mark.parametrize(
    ("old", "old_root", "size", "path", "reason"),
    [
        pytest.param(3, LEAVES[0], 2, [], "larger", id="old tree is larger"),
        pytest.param(-1, LEAVES[0], 2, [], "larger", id="negative"),
        pytest.param(0, LEAVES[0], 2, [], "differs", id="size 0 with a root"),
        pytest.param(0, EMPTY_ROOT, 2, [OTHER], "too long", id="size 0 with a path"),
        pytest.param(2, LEAVES[0], 2, [], "differs", id="same size, other root"),
        pytest.param(2, LEAVES[1], 2, [OTHER], "too long", id="same size with a path"),
        pytest.param(3, LEAVES[0], 4, [], "too short", id="no path"),
        pytest.param(1, LEAVES[0], 2, [b""], "32 bytes", id="empty hash"),
        pytest.param(1, b"", 2, [OTHER], "32 bytes", id="empty root"),
    ],
)
def test_consistency_refuses(
    old: int, old_root: bytes, size: int, path: list[bytes], reason: str
) -> None:
    with pytest.raises(VerificationError, match=reason):
        verify_consistency(old_size=old, old_root=old_root, size=size, root=LEAVES[1], path=path)


# --- frontier ---


def test_frontier_grows_like_the_tree_and_can_be_stored() -> None:
    frontier = Frontier()
    for size in range(131):
        assert frontier.size == size
        assert frontier.root() == naive_root(LEAVES[:size])
        frontier = Frontier(frontier.size, frontier.peaks)
        frontier.append(LEAVES[size])


@pytest.mark.parametrize(
    ("size", "peaks"),
    [
        pytest.param(-1, [], id="negative"),
        pytest.param(2**63, [OTHER], id="too large"),
        pytest.param(3, [OTHER], id="too few peaks"),
        pytest.param(2, [OTHER, OTHER], id="too many peaks"),
        pytest.param(1, [b"short"], id="short peak"),
    ],
)
def test_frontier_refuses_what_no_tree_has(size: int, peaks: list[bytes]) -> None:
    with pytest.raises(ValueError, match=r"tree has|frontier has"):
        Frontier(size, peaks)


def test_frontier_refuses_a_short_leaf_and_a_full_tree() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        Frontier().append(b"short")
    full = Frontier(MAX_SIZE, [OTHER] * 63)
    with pytest.raises(ValueError, match="full"):
        full.append(OTHER)
    assert full.size == MAX_SIZE


# --- sparse proof ---


@given(wanted())
def test_sparse_proof_verifies(case: tuple[int, list[int], list[int]]) -> None:
    check(*case, prove(*case))


@given(wanted())
def test_sparse_ranges_cover_all_but_the_wanted_leaves_once(
    case: tuple[int, list[int], list[int]],
) -> None:
    size, indices, earlier = case
    covered = [i for lo, hi in sparse_ranges(size, indices, earlier) for i in range(lo, hi)]
    assert sorted([*covered, *indices]) == list(range(size))
    assert covered == sorted(covered)
    # No range reaches across an earlier size, so each earlier root can be computed.
    assert not any(lo < old < hi for lo, hi in sparse_ranges(*case) for old in earlier)


@given(wanted())
def test_sparse_refuses_every_other_list_of_hashes(case: tuple[int, list[int], list[int]]) -> None:
    hashes = list(prove(*case))
    wrong = [[*hashes, OTHER], [OTHER, *hashes]]
    for at, one in enumerate(hashes):
        before, after = hashes[:at], hashes[at + 1 :]
        wrong += [[*before, *after], [*before, one, one, *after]]
        wrong += [[*before, bytes([one[0] ^ 1]) + one[1:], *after]]
        wrong += [[*before, one[:31] + bytes([one[31] ^ 128]), *after]]
        wrong += [[*before, one[:31], *after], [*before, one + b"\x00", *after]]
        if after:
            wrong.append([*before, after[0], one, *after[1:]])
    for hashes_given in wrong:
        with pytest.raises(VerificationError):
            check(*case, hashes_given)


@given(st.data(), wanted())
def test_sparse_refuses_another_leaf_root_or_earlier_root(
    data: st.DataObject, case: tuple[int, list[int], list[int]]
) -> None:
    size, indices, earlier = case
    hashes = prove(*case)
    leaves = {index: LEAVES[index] for index in indices}
    roots = {old: naive_root(LEAVES[:old]) for old in earlier}
    root = naive_root(LEAVES[:size])
    with pytest.raises(VerificationError, match="root"):
        verify_sparse(size=size, root=OTHER, leaves=leaves, earlier=roots, hashes=hashes)
    if indices:
        changed = leaves | {data.draw(st.sampled_from(indices)): OTHER}
        with pytest.raises(VerificationError, match="root"):
            verify_sparse(size=size, root=root, leaves=changed, earlier=roots, hashes=hashes)
    if earlier:
        changed = roots | {data.draw(st.sampled_from(earlier)): OTHER}
        with pytest.raises(VerificationError, match="not a prefix"):
            verify_sparse(size=size, root=root, leaves=leaves, earlier=changed, hashes=hashes)


@given(st.data(), wanted())
def test_sparse_never_proves_a_leaf_at_another_index(
    data: st.DataObject, case: tuple[int, list[int], list[int]]
) -> None:
    size, indices, earlier = case
    moved_to = data.draw(st.integers(0, size + 3))
    if not indices or moved_to in indices:
        return
    moved = [*indices[1:], moved_to]
    leaves = {index: LEAVES[index] for index in indices[1:]} | {moved_to: LEAVES[indices[0]]}
    proof = prove(size, sorted(moved), earlier) if moved_to < size else prove(*case)
    with pytest.raises(VerificationError):
        verify_sparse(
            size=size,
            root=naive_root(LEAVES[:size]),
            leaves=leaves,
            earlier={old: naive_root(LEAVES[:old]) for old in earlier},
            hashes=proof,
        )


@given(wanted())
def test_sparse_of_one_leaf_or_one_size_is_the_standard_path_sorted(
    case: tuple[int, list[int], list[int]],
) -> None:
    size, indices, earlier = case
    for index in indices:
        assert sorted(prove(size, [index], [])) == sorted(naive_path(index, LEAVES[:size]))
    for old in earlier:
        path = naive_subproof(old, LEAVES[:size], True)  # noqa: FBT003
        assert set(path) <= set(prove(size, [], [old])) | {naive_root(LEAVES[:old])}


@given(wanted())
def test_sparse_nodes_give_each_leaf_its_inclusion_path(
    case: tuple[int, list[int], list[int]],
) -> None:
    size, indices, earlier = case
    nodes = sparse_nodes(
        size=size,
        root=naive_root(LEAVES[:size]),
        leaves={index: LEAVES[index] for index in indices},
        earlier={old: naive_root(LEAVES[:old]) for old in earlier},
        hashes=prove(*case),
    )
    assert all(node == naive_root(LEAVES[lo:hi]) for (lo, hi), node in nodes.items())
    for index in indices:
        assert list(path_from_nodes(nodes, index, size)) == naive_path(index, LEAVES[:size])
    marked = [b"".join(b"X " + one for one in naive_path(i, LEAVES[:size])) for i in indices]
    assert list(paths_from_nodes(nodes, indices, size, b"X ")) == marked


def test_a_path_needs_a_leaf_of_the_proof() -> None:
    with pytest.raises(ValueError, match="does not name"):
        path_from_nodes({}, 0, 2)


@pytest.mark.parametrize("case", VECTORS["sparse"])
def test_sparse_proofs_are_those_of_the_vectors(case: dict[str, list[str]]) -> None:
    leaves = [leaf_hash(bytes.fromhex(entry)) for entry in VECTORS["entries"]]
    size, indices, earlier = int(str(case["size"])), case["indices"], case["earlier"]
    proof = sparse_proof(
        lambda lo, hi: root_of(leaves[lo:hi]), size, [*map(int, indices)], [*map(int, earlier)]
    )
    assert [one.hex() for one in proof] == case["hashes"]


def test_sparse_hashes_have_32_bytes_each() -> None:
    left, right = prove(2, [], [1])
    for hashes in ([left[:31], left[31:] + right], [left + right[:1], right[1:]], [b"", right]):
        with pytest.raises(VerificationError, match="32 bytes"):
            check(2, [], [1], hashes)


def test_sparse_of_the_empty_tree_has_no_hashes() -> None:
    verify_sparse(size=0, root=EMPTY_ROOT, leaves={}, earlier={}, hashes=())
    assert sparse_ranges(0, [], []) == ()
    for root, hashes in ((OTHER, ()), (EMPTY_ROOT, (OTHER,))):
        with pytest.raises(VerificationError):
            verify_sparse(size=0, root=root, leaves={}, earlier={}, hashes=hashes)


@pytest.mark.parametrize(
    ("size", "leaves", "earlier", "reason"),
    [
        pytest.param(8, {8: OTHER}, {}, "index", id="index at the size"),
        pytest.param(8, {-1: OTHER}, {}, "index", id="negative index"),
        pytest.param(0, {0: OTHER}, {}, "index", id="leaf of the empty tree"),
        pytest.param(8, {}, {0: EMPTY_ROOT}, "earlier size", id="earlier size 0"),
        pytest.param(8, {}, {9: OTHER}, "earlier size", id="earlier size beyond"),
        pytest.param(8, {1: b"short"}, {}, "32 bytes", id="short leaf"),
        pytest.param(8, {}, {1: b"short"}, "32 bytes", id="short earlier root"),
        pytest.param(-1, {}, {}, "out of range", id="negative size"),
        pytest.param(2**63, {}, {}, "out of range", id="size of 2**63"),
    ],
)
def test_sparse_refuses(
    size: int, leaves: dict[int, bytes], earlier: dict[int, bytes], reason: str
) -> None:
    with pytest.raises(VerificationError, match=reason):
        verify_sparse(size=size, root=OTHER, leaves=leaves, earlier=earlier, hashes=[OTHER])


@pytest.mark.parametrize(
    ("indices", "earlier"),
    [
        pytest.param([2, 1], [], id="indices descend"),
        pytest.param([1, 1], [], id="index twice"),
        pytest.param([8], [], id="index at the size"),
        pytest.param([-1], [], id="negative index"),
        pytest.param([], [3, 2], id="sizes descend"),
        pytest.param([], [2, 2], id="size twice"),
        pytest.param([], [0], id="size 0"),
        pytest.param([], [9], id="size beyond"),
    ],
)
def test_sparse_ranges_refuse(indices: list[int], earlier: list[int]) -> None:
    with pytest.raises(ValueError, match=r"ascend|out of range"):
        sparse_ranges(8, indices, earlier)


def test_sparse_work_is_bounded_by_what_is_asked_not_by_the_size() -> None:
    size, index, old = MAX_SIZE, 2**61 + 12345, 2**60 + 77
    ranges = sparse_ranges(size, [index], [old])
    assert len(ranges) <= 2 * 63
    calls = []

    def node(lo: int, hi: int) -> bytes:
        calls.append((lo, hi))
        return OTHER

    hashes = sparse_proof(node, size, [index], [old])
    assert calls == list(ranges)
    with pytest.raises(VerificationError, match="does not lead"):
        verify_sparse(
            size=size, root=OTHER, leaves={index: OTHER}, earlier={old: OTHER}, hashes=hashes
        )
