import errno
import fcntl
import os
import subprocess
import sys
from pathlib import Path

import pytest
import zstandard

from support.vaults import PRIVATE, PUBLIC, file_of, make
from workseal_agent.errors import VaultError, VaultFullError
from workseal_agent.vault import StoredFrame, VaultReader, VaultWriter
from workseal_agent.vaultkey import SealingKey
from workseal_agent.vaultobject import (
    BODY_AT,
    SEALED_AT,
)
from workseal_protocol.frame import FrameHeader


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


def test_gives_back_what_was_put(writer: VaultWriter, reader: VaultReader) -> None:
    frames = [make(number) for number in range(3)]
    for frame in frames:
        writer.put_frame(*frame)
    for header, commitment, pixels, seed in frames:
        assert reader.frame(commitment) == StoredFrame(header, pixels, seed)
    assert reader.commitments() == tuple(sorted(frame[1] for frame in frames))


def test_opens_the_published_object() -> None:
    vector = Path(__file__).parent.parent / "vectors" / "vault"
    reader = VaultReader(vector, PRIVATE)
    (commitment,) = reader.commitments()
    assert str(commitment) == "a9186cce1018da80680b625fe61ede9f960ba18382e4b23154699e54cf7e5a1a"
    assert reader.frame(commitment) == StoredFrame(
        FrameHeader(40, 24, 16, 0, 7, 1500, bytes(range(16))),
        bytes(number % 251 for number in range(40 * 24 * 3)),
        bytes(range(16, 32)),
    )
    assert reader.check([commitment]).problems == ()


def test_keeps_secrets_by_name(writer: VaultWriter, reader: VaultReader) -> None:
    writer.put_secret(b"session 1", b"the secret")
    writer.put_secret(b"session 2", b"")
    assert reader.secret(b"session 1") == b"the secret"
    assert reader.secret(b"session 2") == b""
    with pytest.raises(VaultError, match="does not hold"):
        reader.secret(b"session 3")
    assert reader.check().secrets == 2
    assert reader.commitments() == ()


def test_a_writer_holds_no_key_that_opens(writer: VaultWriter) -> None:
    held = list(vars(writer).values())
    assert {type(value) for value in held} == {type(writer._folder), bytes, SealingKey}
    assert PUBLIC in held
    assert not any(name.startswith(("frame", "secret", "open")) for name in dir(writer))


def test_nothing_of_the_content_lies_in_the_folder(writer: VaultWriter, folder: Path) -> None:
    header, commitment, pixels, seed = make(1, b"password: hunter2 " * 1050)
    writer.put_frame(header, commitment, pixels, seed)
    writer.put_secret(b"session name", b"session value")
    written = b"".join(path.name.encode() + path.read_bytes() for path in folder.iterdir())
    packed = zstandard.compress(pixels, 3)
    for secret in (
        b"hunter2", pixels[:64], packed[12:40], seed, commitment.raw, commitment.raw.hex().encode(),
        header.encode()[:20], b"session name", b"session value",
    ):  # fmt: skip
        assert secret not in written


def test_sizes_and_modes_tell_nothing(writer: VaultWriter, folder: Path) -> None:
    writer.put_frame(*make(1, bytes(90 * 70 * 3)))
    writer.put_frame(*make(2))
    writer.put_secret(b"name", b"x" * 9999)
    found = [path.stat() for path in folder.iterdir()]
    assert {(item.st_size, item.st_mode & 0o777) for item in found} == {(65_536, 0o600)}
    assert folder.stat().st_mode & 0o777 == 0o700


def test_an_object_is_never_replaced(writer: VaultWriter, folder: Path) -> None:
    writer.put_frame(*make(1))
    before = {path: path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(VaultError, match="already"):
        writer.put_frame(*make(1))
    assert {path: path.read_bytes() for path in folder.iterdir()} == before


def test_refuses_what_is_no_frame_and_no_secret(writer: VaultWriter, folder: Path) -> None:
    header, commitment, pixels, seed = make(1)
    with pytest.raises(ValueError, match="size"):
        writer.put_frame(header, commitment, pixels[:-1], seed)
    with pytest.raises(ValueError, match="seed"):
        writer.put_frame(header, commitment, pixels, seed[:-1])
    for name, value in ((b"", b""), (b"n" * 257, b""), (b"n", bytes(1_048_577))):
        with pytest.raises(ValueError, match="secret"):
            writer.put_secret(name, value)
    assert list(folder.iterdir()) == []


# --- durability ---------------------------------------------------------------------------------


def test_the_file_is_durable_before_it_has_its_name_and_the_name_before_the_return(
    writer: VaultWriter, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[str] = []
    fsync, link = os.fsync, os.link

    def seen_fsync(handle: int) -> None:
        steps.append("folder" if Path(f"/proc/self/fd/{handle}").readlink() == folder else "file")
        fsync(handle)

    def seen_link(source: Path, target: Path) -> None:
        steps.append("name")
        link(source, target)

    monkeypatch.setattr(os, "fsync", seen_fsync)
    monkeypatch.setattr(os, "link", seen_link)
    writer.put_frame(*make(1))
    assert steps == ["file", "name", "folder"]
    steps.clear()
    writer.destroy(make(1)[1])
    assert steps == ["file", "folder"]


@pytest.mark.parametrize("number", sorted({errno.ENOSPC, errno.EDQUOT, errno.EIO}))
@pytest.mark.parametrize("call", ["fsync of the file", "fsync of the folder", "link"])
def test_a_failed_step_leaves_nothing(
    writer: VaultWriter, folder: Path, monkeypatch: pytest.MonkeyPatch, call: str, number: int
) -> None:
    real = os.fsync

    def fail(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    def fsync(handle: int) -> None:
        is_folder = Path(f"/proc/self/fd/{handle}").is_dir()
        (fail if is_folder == call.endswith("folder") else real)(handle)

    with monkeypatch.context() as patch:
        patch.setattr(os, "link" if call == "link" else "fsync", fail if call == "link" else fsync)
        with pytest.raises(VaultError) as caught:
            writer.put_frame(*make(1))
    assert isinstance(caught.value, VaultFullError) == (number != errno.EIO)
    assert list(folder.iterdir()) == []
    writer.put_frame(*make(1))


def test_without_room_nothing_is_half_written(folder: Path) -> None:
    program = f"""
import resource
from pathlib import Path
from workseal_agent.errors import VaultFullError
from workseal_agent.vault import VaultWriter
writer = VaultWriter(Path({str(folder)!r}), bytes.fromhex({PUBLIC.hex()!r}))
resource.setrlimit(resource.RLIMIT_FSIZE, (65536, 65536))
writer.put_secret(b"fits", b"")
try:
    writer.put_secret(b"does not", bytes(100_000))
except VaultFullError as error:
    print(error)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True, timeout=60
    )
    assert done.stdout == "there is no room in the vault\n"
    assert [path.stat().st_size for path in folder.iterdir()] == [65_536]
    assert VaultReader(folder, PRIVATE).check().problems == ()


def test_what_a_crash_left_is_removed_unless_somebody_writes(
    writer: VaultWriter, folder: Path
) -> None:
    writer.put_frame(*make(1))
    part = folder / f"{'0' * 32}-12345678.part"
    part.write_bytes(b"half")
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_SH)
        VaultWriter(folder, PUBLIC)
        assert part.exists()
    finally:
        os.close(handle)
    VaultWriter(folder, PUBLIC)
    assert not part.exists()
    assert len(list(folder.iterdir())) == 1


def test_a_folder_with_the_name_of_what_a_crash_left_holds_up_nothing(
    folder: Path, reader: VaultReader
) -> None:
    strange = folder / "all-0000000000000000.part"
    (strange / "frames").mkdir(parents=True)
    (folder / "linked.part").symlink_to(strange)
    writer = VaultWriter(folder, PUBLIC)
    writer.put_frame(*make(1))
    assert strange.is_dir()
    assert not (folder / "linked.part").exists()
    assert [one.name for one in reader.check().problems] == [strange.name]


def test_says_when_the_folder_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(VaultError, match="cannot be used"):
        VaultWriter(tmp_path / "file", PUBLIC)


# --- destroying ---------------------------------------------------------------------------------


def test_a_destroyed_frame_cannot_be_read_from_a_copy_of_its_disk_blocks(
    writer: VaultWriter, reader: VaultReader, folder: Path
) -> None:
    for number in (1, 2):
        writer.put_frame(*make(number))
    path = file_of(folder, make(1)[1])
    sealed = path.read_bytes()[SEALED_AT:BODY_AT]
    blocks = folder.parent / "blocks"
    os.link(path, blocks)  # the inode stays, as the blocks of an unlinked file may
    assert writer.destroy(make(1)[1]) is True
    assert not path.exists()
    assert not any(sealed in item.read_bytes() for item in (blocks, *folder.iterdir()))
    os.link(blocks, path)
    with pytest.raises(VaultError, match="was destroyed"):
        reader.frame(make(1)[1])
    assert reader.frame(make(2)[1]).pixels == make(2)[2]


def test_destroying_is_safe_to_repeat(writer: VaultWriter, reader: VaultReader) -> None:
    writer.put_frame(*make(1))
    writer.put_secret(b"name", b"value")
    assert [writer.destroy(make(1)[1]), writer.destroy(make(1)[1])] == [True, False]
    assert [writer.destroy_secret(b"name"), writer.destroy_secret(b"name")] == [True, False]
    with pytest.raises(VaultError, match="does not hold"):
        reader.frame(make(1)[1])


def test_a_crash_between_overwriting_and_removing_is_finished_later(
    writer: VaultWriter, reader: VaultReader, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: Path) -> None:
        raise OSError(errno.EIO, "input/output error")

    writer.put_frame(*make(1))
    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", fail)
        with pytest.raises(VaultError, match="cannot be destroyed"):
            writer.destroy(make(1)[1])
    (problem,) = reader.check().problems
    assert "still to be removed" in problem.text
    assert writer.destroy(make(1)[1]) is True
    assert list(folder.iterdir()) == []
