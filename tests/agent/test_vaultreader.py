import os
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard

from support.vaults import PRIVATE, PUBLIC, SEED, file_of, make
from workseal_agent.errors import VaultError
from workseal_agent.vault import VaultReader, VaultWriter
from workseal_agent.vaultkey import SealingKey, generate_private
from workseal_agent.vaultobject import (
    BODY_AT,
    SEALED_AT,
    Content,
    ObjectKind,
    object_id,
    seal_object,
)
from workseal_protocol.digest import Digest


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "vault"


@pytest.fixture
def writer(folder: Path) -> VaultWriter:
    return VaultWriter(folder, PUBLIC)


@pytest.fixture
def reader(folder: Path, writer: VaultWriter) -> VaultReader:
    assert writer is not None
    return VaultReader(folder, PRIVATE)


def swap(first: Path, second: Path) -> None:
    one, two = first.read_bytes(), second.read_bytes()
    first.write_bytes(two)
    second.write_bytes(one)


def flip(at: int) -> Callable[[Path, Path], None]:
    def change(first: Path, _: Path) -> None:
        data = bytearray(first.read_bytes())
        data[at] ^= 4
        first.write_bytes(data)

    return change


@pytest.mark.parametrize(
    ("damage", "named"),
    [
        pytest.param(swap, 2, id="swapped"),
        pytest.param(lambda a, b: a.write_bytes(b.read_bytes()), 1, id="overwritten by another"),
        pytest.param(lambda a, _: os.truncate(a, 65_535), 1, id="one byte cut"),
        pytest.param(lambda a, _: os.truncate(a, 100), 1, id="nearly all cut"),
        pytest.param(lambda a, _: os.truncate(a, 0), 1, id="emptied"),
        pytest.param(lambda a, _: os.truncate(a, 131_072), 1, id="tail added"),
        pytest.param(lambda a, _: os.truncate(a, 2**28), 1, id="huge tail added"),
        pytest.param(lambda a, _: a.rename(a.with_name("0" * 32)), 1, id="renamed"),
        pytest.param(lambda a, _: a.with_name("notes.txt").write_text("x"), 1, id="strange file"),
        pytest.param(lambda a, _: a.with_name("F" * 32).write_text("x"), 1, id="upper case name"),
        pytest.param(lambda a, _: a.with_name("e" * 32).mkdir(), 1, id="strange folder"),
        pytest.param(flip(3), 1, id="magic"),
        pytest.param(flip(10), 1, id="name inside"),
        pytest.param(flip(SEALED_AT), 1, id="sealed key"),
        pytest.param(flip(BODY_AT), 1, id="content"),
        pytest.param(flip(-1), 1, id="tag"),
    ],
)
def test_check_names_what_is_damaged(
    writer: VaultWriter,
    reader: VaultReader,
    folder: Path,
    damage: Callable[[Path, Path], object],
    named: int,
) -> None:
    for number in range(3):
        writer.put_frame(*make(number))
    assert reader.check().problems == ()
    damage(*(file_of(folder, make(number)[1]) for number in (0, 1)))
    report = reader.check()
    assert len(report.problems) == named
    assert make(2)[1] in report.frames
    for number in (0, 1):
        if make(number)[1] in report.frames:
            assert reader.frame(make(number)[1]).pixels == make(number)[2]
        else:
            with pytest.raises(VaultError):
                reader.frame(make(number)[1])


def test_a_file_that_was_cut_is_called_that(
    writer: VaultWriter, reader: VaultReader, folder: Path
) -> None:
    writer.put_frame(*make(1))
    os.truncate(file_of(folder, make(1)[1]), 65_537)
    with pytest.raises(VaultError, match="65537 bytes, which no whole object has"):
        reader.frame(make(1)[1])


def test_check_names_a_missing_frame(
    writer: VaultWriter, reader: VaultReader, folder: Path
) -> None:
    for number in range(2):
        writer.put_frame(*make(number))
    file_of(folder, make(0)[1]).unlink()
    (problem,) = reader.check([make(0)[1], make(1)[1]]).problems
    assert (problem.name, problem.text) == (str(make(0)[1]), "the frame is missing")


def test_check_names_a_frame_that_does_not_open_its_commitment(
    writer: VaultWriter, reader: VaultReader
) -> None:
    header, commitment, _, seed = make(1)
    writer.put_frame(header, commitment, bytes(90 * 70 * 3), seed)
    (problem,) = reader.check().problems
    assert problem.text == "the frame does not open its commitment"
    assert reader.check(pixels=False).problems == ()


def put_body(folder: Path, body: bytes, attributes: bytes) -> Digest:
    commitment = make(1)[1]
    identity = object_id(PUBLIC, ObjectKind.FRAME, commitment.raw)
    content = Content(ObjectKind.FRAME, commitment.raw, attributes, body)
    data = seal_object(SealingKey(PUBLIC), identity, content)
    (folder / identity.hex()).write_bytes(data)
    return commitment


def bomb() -> bytes:
    """Compress a gibibyte of zeros, a part at a time."""
    packer = zstandard.ZstdCompressor(1).compressobj(size=2**30)
    return b"".join(packer.compress(bytes(2**20)) for _ in range(2**10)) + packer.flush()


@pytest.mark.parametrize(
    "make_body",
    [
        # Made when its test runs: every process of a run reads all tests.
        pytest.param(bomb, id="bomb"),
        pytest.param(lambda: zstandard.compress(bytes(90 * 70 * 3 - 1)), id="too short"),
        pytest.param(lambda: zstandard.compress(bytes(90 * 70 * 3)) + b"x", id="trailing byte"),
        pytest.param(lambda: zstandard.compress(bytes(90 * 70 * 3))[:-3], id="cut"),
        pytest.param(
            lambda: zstandard.ZstdCompressor(write_content_size=False).compress(bytes(90 * 70 * 3)),
            id="unknown size",
        ),
        pytest.param(lambda: b"", id="nothing"),
        pytest.param(lambda: b"not zstd at all", id="no zstd"),
    ],
)
def test_decompression_gives_exactly_the_announced_size(
    reader: VaultReader, folder: Path, make_body: Callable[[], bytes]
) -> None:
    commitment = put_body(folder, make_body(), SEED + make(1)[0].encode())
    with pytest.raises(VaultError, match="frame in the object is damaged"):
        reader.frame(commitment)


def test_a_damaged_header_is_a_vault_error(reader: VaultReader, folder: Path) -> None:
    commitment = put_body(folder, b"", b"short")
    with pytest.raises(VaultError, match="damaged"):
        reader.frame(commitment)


def test_another_key_opens_nothing(writer: VaultWriter, folder: Path) -> None:
    writer.put_frame(*make(1))
    other = VaultReader(folder, generate_private())
    assert other.commitments() == ()
    assert len(other.check().problems) == 1


def test_no_text_of_an_error_or_repr_holds_content(
    writer: VaultWriter, reader: VaultReader, folder: Path
) -> None:
    header, commitment, pixels, seed = make(1, b"password: hunter2 " * 1050)
    writer.put_frame(header, commitment, pixels, seed)
    shown = repr(reader.frame(commitment))
    flip(BODY_AT + 50)(file_of(folder, commitment), folder)
    with pytest.raises(VaultError) as caught:
        reader.frame(commitment)
    shown += repr(caught.value) + repr(caught.value.__cause__) + repr(reader.check())
    assert "hunter2" not in shown
    assert repr(seed)[2:-1] not in shown
