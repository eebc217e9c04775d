import errno
import os
from itertools import pairwise
from pathlib import Path

import pytest

from support.places import PLACES, Place
from support.vaults import PUBLIC, file_of, make
from workseal_agent import heldobject
from workseal_agent.errors import VaultError
from workseal_agent.heldobject import Ciphertext, block_places
from workseal_agent.vault import VaultWriter
from workseal_agent.vaultobject import BODY_AT, LARGEST_CLASS, SEALED_AT, SMALLEST_CLASS
from workseal_protocol.digest import Digest
from workseal_protocol.possession import BLOCKS, object_root
from workseal_protocol.records import BLOCK_BYTES


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "vault"


@pytest.fixture
def frames(folder: Path) -> list[Digest]:
    writer = VaultWriter(folder, PUBLIC)
    for number in range(2):
        writer.put_frame(*make(number))
    return [make(number)[1] for number in range(2)]


@pytest.fixture
def ciphertext(folder: Path) -> Ciphertext:
    return Ciphertext(folder, PUBLIC)


@pytest.mark.parametrize("size", [SMALLEST_CLASS, 4 * SMALLEST_CLASS, LARGEST_CLASS])
def test_blocks_lie_in_the_ciphertext_from_end_to_end(size: int) -> None:
    places = block_places(size)
    assert len(places) == BLOCKS
    assert places[0] == BODY_AT
    assert places[-1] + BLOCK_BYTES == size
    gaps = {after - before for before, after in pairwise(places)}
    assert max(gaps) - min(gaps) <= 1


def test_no_byte_of_the_sealed_key_is_shown(
    folder: Path, frames: list[Digest], ciphertext: Ciphertext
) -> None:
    data = file_of(folder, frames[0]).read_bytes()
    blocks = ciphertext.blocks(frames[0])
    assert blocks is not None
    shown = b"".join(blocks)
    for at in range(SEALED_AT, BODY_AT - 16, 16):
        assert data[at : at + 16] not in shown
    assert blocks[0] == data[BODY_AT : BODY_AT + BLOCK_BYTES]


def test_every_frame_has_as_many_blocks_whatever_its_size(
    folder: Path, frames: list[Digest], ciphertext: Ciphertext
) -> None:
    small = ciphertext.blocks(frames[0])
    path = file_of(folder, frames[1])
    head = path.read_bytes()[:BODY_AT]
    path.write_bytes(head + bytes(4 * SMALLEST_CLASS - BODY_AT))
    large = ciphertext.blocks(frames[1])
    assert small is not None
    assert large is not None
    assert [len(one) for one in small] == [len(one) for one in large] == [BLOCK_BYTES] * BLOCKS


def test_a_frame_that_is_not_whole_from_outside_has_no_blocks(
    folder: Path, frames: list[Digest], ciphertext: Ciphertext
) -> None:
    path = file_of(folder, frames[0])
    data = path.read_bytes()
    for spoiled in (
        data[:-1],
        data + data,
        b"x" + data[1:],
        data[:SEALED_AT] + bytes(BODY_AT - SEALED_AT) + data[BODY_AT:],
    ):
        path.write_bytes(spoiled)
        assert (ciphertext.blocks(frames[0]) is None) == (len(spoiled) != 2 * len(data))
    path.unlink()
    assert ciphertext.blocks(frames[0]) is None
    assert ciphertext.blocks(Digest.of(b"never there")) is None


def test_a_disk_that_does_not_answer_says_nothing_of_a_frame(
    frames: list[Digest], ciphertext: Ciphertext, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(heldobject, "open_object_file", fail)
    with pytest.raises(VaultError, match="cannot be read"):
        ciphertext.blocks(frames[0])


@pytest.mark.parametrize("place", PLACES)
def test_what_stands_in_a_frames_place_is_no_frame_and_holds_up_nothing(
    folder: Path, frames: list[Digest], ciphertext: Ciphertext, place: Place
) -> None:
    path = file_of(folder, frames[0])
    whole = path.rename(folder.parent / "elsewhere")
    place(path, whole)
    assert ciphertext.blocks(frames[0]) is None
    assert ciphertext.blocks(frames[1]) is not None


def test_what_is_committed_to_follows_from_the_file(
    folder: Path, frames: list[Digest], ciphertext: Ciphertext
) -> None:
    blocks = ciphertext.blocks(frames[0])
    assert blocks is not None
    root = ciphertext.root(frames[0])
    assert root == object_root(ciphertext.salt(frames[0]), blocks)
    path = file_of(folder, frames[0])
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    assert ciphertext.root(frames[0]) != root


def test_a_frame_that_is_not_there_is_committed_to_like_any_other(
    folder: Path, frames: list[Digest], ciphertext: Ciphertext
) -> None:
    gone = [Digest.of(b"gone"), Digest.of(b"gone too")]
    assert [ciphertext.root(one) for one in gone] == [None, None]
    roots = [*map(ciphertext.stand_in, gone), *map(ciphertext.root, frames)]
    assert {len(root or b"") for root in roots} == {32}
    assert len(set(roots)) == 4
    # Nobody without the vault's public key computes it, so no neighbour's path tells of it.
    assert Ciphertext(folder, bytes(len(PUBLIC))).stand_in(gone[0]) != roots[0]


def test_salts_are_a_frames_own_and_a_vaults_own(
    folder: Path, frames: list[Digest], ciphertext: Ciphertext
) -> None:
    salts = {ciphertext.salt(one) for one in frames}
    salts.add(Ciphertext(folder, bytes(len(PUBLIC))).salt(frames[0]))
    assert len(salts) == 3
    assert {len(one) for one in salts} == {16}
