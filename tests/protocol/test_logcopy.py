import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workseal_protocol.checkpoint import Checkpoint, SignedCheckpoint, sign_checkpoint
from workseal_protocol.digest import Digest
from workseal_protocol.encoding import encode
from workseal_protocol.errors import MalformedError
from workseal_protocol.keys import SeedSigner
from workseal_protocol.logcopy import (
    MAX_ITEM_BYTES,
    TITLE,
    Copied,
    CopiedStatement,
    CopiedToken,
    CopyReader,
    encode_copy,
)

ORIGIN = "copy.example/1"
LOG = SeedSigner(b"\x01" * 32)
VECTORS = json.loads((Path(__file__).parents[1] / "vectors/log/copy.json").read_text("utf-8"))


def checkpoint(size: int, origin: str = ORIGIN) -> SignedCheckpoint:
    return sign_checkpoint(Checkpoint(origin, size, Digest(bytes([size]) * 32)), LOG)


HEAD = encode([TITLE, ORIGIN])
STATEMENTS = [CopiedStatement(7, b"seven"), CopiedStatement(9, b"n" * 65_536)]
ITEMS: list[Copied] = [*STATEMENTS, checkpoint(8), checkpoint(10), CopiedToken(8, b"t" * 65_536)]

statements = st.lists(
    st.builds(CopiedStatement, st.integers(0, 2**53 - 1), st.binary(min_size=1, max_size=99)),
    max_size=20,
    unique_by=lambda one: one.index,
).map(lambda found: sorted(found, key=lambda one: one.index))


def written(items: Sequence[Copied], origin: str = ORIGIN) -> bytes:
    return b"".join(encode_copy(origin, items))


def read(data: bytes, piece: int = 1 << 16) -> tuple[str, list[Copied]]:
    reader = CopyReader(data[at : at + piece] for at in range(0, len(data), piece))
    return reader.origin, list(reader)


@pytest.mark.parametrize("piece", [1, 77, 1 << 20])
def test_reading_is_the_inverse_of_writing_whatever_the_pieces(piece: int) -> None:
    assert read(written(ITEMS), piece) == (ORIGIN, ITEMS)


@given(statements, st.integers(1, 99))
def test_what_is_written_is_read(found: list[CopiedStatement], piece: int) -> None:
    assert read(written(found), piece) == (ORIGIN, found)


@given(st.binary(max_size=200), st.integers(0, 200))
def test_reading_raises_only_malformed(noise: bytes, at: int) -> None:
    good = written([CopiedStatement(1, b"one"), checkpoint(2)])
    with suppress(MalformedError):
        read(good[:at] + noise + good[at + len(noise) :])


@pytest.mark.parametrize("case", [pytest.param(c, id=c["name"]) for c in VECTORS["copies"]])
def test_reads_as_the_vector_says(case: dict[str, Any]) -> None:
    data = bytes.fromhex(case["copy"])
    if case["expect"] == "malformed":
        with pytest.raises(MalformedError):
            read(data)
        return
    origin, items = read(data)
    assert written(items, origin) == data
    indices = [one.index for one in items if isinstance(one, CopiedStatement)]
    sizes = [one.checkpoint.size for one in items if isinstance(one, SignedCheckpoint)]
    stamped = [one.size for one in items if isinstance(one, CopiedToken)]
    assert (origin, indices, sizes) == (case["origin"], case["indices"], case["sizes"])
    assert stamped == case["stamped"]


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(encode(["workseal log copy v2", ORIGIN]), id="other title"),
        pytest.param(encode([TITLE, ""]), id="empty origin"),
        pytest.param(encode([TITLE, "o" * 256]), id="long origin"),
        pytest.param(HEAD + encode([7, b""]), id="empty statement"),
        pytest.param(HEAD + encode([7, b"x" * 65_537]), id="long statement"),
        pytest.param(HEAD + encode([-1, b"x"]), id="negative index"),
        pytest.param(HEAD + encode([7, b"x", 1]), id="three in a row"),
        pytest.param(HEAD + encode([8, b"x"]) + encode([7, b"y"]), id="indices descend"),
        pytest.param(HEAD + encode([7, b"x"]) * 2, id="index twice"),
        pytest.param(HEAD + encode(b"no note"), id="no checkpoint"),
        pytest.param(HEAD + encode(checkpoint(3).encode()) * 2, id="size twice"),
        pytest.param(HEAD + encode(checkpoint(3, "other/1").encode()), id="other log"),
        pytest.param(
            HEAD + encode(checkpoint(3).encode()) + encode([7, b"x"]), id="statement after it"
        ),
        pytest.param(HEAD + encode({1: 0, 2: b"t"}), id="token over nothing"),
        pytest.param(HEAD + encode({1: 1, 2: b""}), id="empty token"),
        pytest.param(HEAD + encode({1: 1, 2: b"t", 3: 0}), id="token and more"),
        pytest.param(HEAD + encode({1: 1, 2: b"t"}) * 2, id="two tokens of a size"),
        pytest.param(
            HEAD + encode({1: 1, 2: b"t"}) + encode(checkpoint(3).encode()), id="token first"
        ),
        pytest.param(HEAD + encode([7, b"seven"])[:-1], id="ends inside an item"),
        pytest.param(HEAD + b"\x82\x18\x07\x41x", id="longer spelling"),
        pytest.param(HEAD + encode(b"x" * (MAX_ITEM_BYTES + 1)), id="an item too long"),
    ],
)
def test_refuses(data: bytes) -> None:
    with pytest.raises(MalformedError):
        read(data)


@pytest.mark.parametrize(
    "items",
    [
        pytest.param(list(reversed(STATEMENTS)), id="indices descend"),
        pytest.param([checkpoint(8), STATEMENTS[0]], id="checkpoint first"),
        pytest.param([checkpoint(8, "other/1")], id="other log"),
    ],
)
def test_writes_no_copy_that_it_would_not_read(items: list[Copied]) -> None:
    with pytest.raises(ValueError, match=r"ascend|another log"):
        written(items)


def test_holds_no_more_than_a_few_items() -> None:
    taken = 0

    def pieces() -> Iterator[bytes]:
        nonlocal taken
        yield HEAD
        for index in range(100):
            taken += 1
            yield encode([index, b"x" * 60_000])

    reader = iter(CopyReader(pieces()))
    next(reader)
    assert taken <= MAX_ITEM_BYTES // 60_000 + 2
