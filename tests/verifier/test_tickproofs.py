"""The answers of a tick prove what the protocol's own proof proves, to the byte."""

import random

import pytest

from workseal_protocol import merkle
from workseal_verifier.services.tickproofs import TickProofs, beside


def node(low: int, high: int) -> bytes:
    return merkle.leaf_hash(f"{low} {high}".encode())


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8, 9, 64, 100, 255, 256, 257])
def test_each_leaf_alone_has_the_sparse_proof_of_it(size: int) -> None:
    proofs = TickProofs(node, size)
    for index in range(size):
        assert tuple(beside(index, size)) == merkle.sparse_ranges(size, [index], [])
        assert proofs.of([index], 0) == merkle.sparse_proof(node, size, [index], [])


@pytest.mark.parametrize("size", [65_280, 65_535, 65_536, 65_537, 65_793, 2**24 + 1])
def test_at_the_borders_of_tiles_the_proofs_are_the_same(size: int) -> None:
    borders = [0, 1, 254, 255, 256, 257, 65_279, 65_280, 65_535, 65_536, size - 2, size - 1]
    inside = sorted({one for one in borders if one < size})
    proofs = TickProofs(node, size)
    for index in inside:
        for old in (0, 1, 255, 256, 257, size - 1, size):
            expected = merkle.sparse_proof(node, size, [index], [old] if old else [])
            assert proofs.of([index], old) == expected
            assert proofs.of(inside, old) == merkle.sparse_proof(
                node, size, inside, [old] if old else []
            )


def test_many_leaves_and_an_earlier_size_have_theirs() -> None:
    drawn = random.Random(73)
    for _ in range(200):
        size = drawn.randint(2, 5_000)
        indices = sorted(drawn.sample(range(size), drawn.randint(1, min(size, 70))))
        old = drawn.randint(0, size)
        expected = merkle.sparse_proof(node, size, indices, [old] if old else [])
        assert TickProofs(node, size).of([*indices, indices[0]], old) == expected


def test_a_hash_is_asked_for_once_however_many_answers_have_it() -> None:
    asked: list[tuple[int, int]] = []

    def noted(low: int, high: int) -> bytes:
        asked.append((low, high))
        return node(low, high)

    proofs = TickProofs(noted, 1_000)
    for index in range(900, 1_000):
        proofs.of([index], 0)
    assert len(asked) == len(set(asked))
