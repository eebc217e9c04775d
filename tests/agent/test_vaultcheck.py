import os
from collections.abc import Callable
from pathlib import Path

import pytest

from support.places import PLACES, Place
from support.rig import Rig
from support.vaults import PRIVATE, PUBLIC, file_of, make
from workseal_agent.evidence import find_frame, part_name, withdraw
from workseal_agent.ledger import NewCapture
from workseal_agent.vault import VaultReader, VaultWriter
from workseal_agent.vaultcheck import Depth, Progress, VaultState, check_vault
from workseal_agent.vaultobject import BODY_AT, SEALED_AT, SEALED_BYTES, ObjectKind, object_id
from workseal_protocol.digest import Digest
from workseal_protocol.records import WithdrawalReason

DISCLOSURE = Digest.of(b"a disclosure")


class Kept:
    """Hold a ledger that names five frames and one disclosure, and the vault that has them."""

    def __init__(self, folder: Path) -> None:
        self.rig = Rig(folder, capture_rate=65_536)
        self.rig.recorder.start()
        self.rig.work(50)
        self.folder = folder / "vault"
        self.writer = VaultWriter(self.folder, PUBLIC)
        self.rows = self.rig.ledger.captures(self.rig.engagement.id)
        for digest, stored in self.rig.vault.frames.items():
            self.writer.put_frame(stored.header, digest, stored.pixels, stored.seed)
        for part in range(2):
            self.writer.put_secret(part_name(DISCLOSURE, part), b"tiles")
        with self.rig.ledger.write() as writing:
            frame = self.rows[0].commitment
            writing.add_disclosure(self.rig.engagement.id, DISCLOSURE, Digest.of(b""), frame)

    def check(self, depth: Depth, progress: Progress = lambda _done, _all: None) -> VaultState:
        reader = None if depth is Depth.NAMES else VaultReader(self.folder, PRIVATE)
        return check_vault(
            self.folder, self.rig.ledger, PUBLIC, reader, depth=depth, progress=progress
        )

    def file(self, place: int) -> Path:
        return file_of(self.folder, self.rows[place].commitment)

    def withdraw(self, place: int) -> None:
        frame = find_frame(self.rig.ledger, self.rig.engagement.id, str(place + 1))
        now_ms = self.rig.clock.wall_ms()
        withdraw(
            self.rig.chain, self.rig.ledger, self.writer, frame, WithdrawalReason.OTHER,
            now_ms=now_ms,
        )  # fmt: skip


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    return Kept(tmp_path)


@pytest.mark.parametrize("depth", Depth)
def test_a_whole_vault_is_told_with_its_figures(kept: Kept, depth: Depth) -> None:
    state = kept.check(depth)
    assert state.problems == ()
    assert (state.objects, state.frames, state.parts, state.octets) == (7, 5, 2, 7 * 65_536)


def flip(at: int) -> Callable[[Path], object]:
    def change(path: Path) -> None:
        data = bytearray(path.read_bytes())
        data[at] ^= 1
        path.write_bytes(data)

    return change


def destroy_key(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(SEALED_AT)
        file.write(bytes(SEALED_BYTES))


@pytest.mark.parametrize(
    ("damage", "seen"),
    [
        pytest.param(lambda path: os.truncate(path, 65_535), set(Depth), id="cut"),
        pytest.param(flip(0), set(Depth), id="magic"),
        pytest.param(flip(10), set(Depth), id="id"),
        pytest.param(destroy_key, set(Depth), id="key destroyed"),
        pytest.param(Path.unlink, set(Depth), id="missing"),
        pytest.param(flip(SEALED_AT + 3), {Depth.KEYS, Depth.PIXELS}, id="sealed key"),
        pytest.param(flip(BODY_AT + 3), {Depth.KEYS, Depth.PIXELS}, id="content"),
    ],
)
def test_each_depth_names_the_frame_whose_damage_it_can_see(
    kept: Kept, damage: Callable[[Path], object], seen: set[Depth]
) -> None:
    damage(kept.file(2))
    for depth in Depth:
        problems = kept.check(depth).problems
        assert [one.name.split(" of ")[0] for one in problems] == ["frame 3"] * (depth in seen)


@pytest.mark.parametrize("place", PLACES)
def test_what_stands_in_a_frames_place_is_named_at_each_depth(kept: Kept, place: Place) -> None:
    path = kept.file(2)
    place(path, path.rename(kept.folder.parent / "elsewhere"))
    for depth in Depth:
        (problem,) = kept.check(depth).problems
        assert problem.name.startswith("frame 3 of engagement ")
        assert problem.text == "not a vault object"


def test_only_pixels_show_a_frame_that_does_not_open_its_commitment(kept: Kept) -> None:
    frame = kept.rig.vault.frames[kept.rows[1].commitment]
    kept.file(1).unlink()
    black = bytes(len(frame.pixels))
    kept.writer.put_frame(frame.header, kept.rows[1].commitment, black, frame.seed)
    assert kept.check(Depth.NAMES).problems == kept.check(Depth.KEYS).problems == ()
    (problem,) = kept.check(Depth.PIXELS).problems
    assert problem.text == "the frame does not open its commitment"


def test_what_the_ledger_does_not_name_is_strange(kept: Kept) -> None:
    kept.writer.put_frame(*make(1))
    (kept.folder / ("f" * 32)).mkdir()
    for depth in Depth:
        texts = {one.text for one in kept.check(depth).problems}
        assert texts == {"no statement or disclosure of the ledger names it", "not a vault object"}


def test_a_missing_disclosure_is_named(kept: Kept) -> None:
    name = object_id(PUBLIC, ObjectKind.SECRET, part_name(DISCLOSURE, 0)).hex()
    (kept.folder / name).unlink()
    problems = kept.check(Depth.NAMES).problems
    assert {(one.name.split(" of ")[0], one.text) for one in problems} == {
        ("a disclosure", "it is missing"),
    }


def test_a_frame_that_is_withdrawn_and_still_there_is_named(kept: Kept) -> None:
    held = kept.file(0).read_bytes()
    kept.withdraw(0)
    assert kept.check(Depth.NAMES).problems == ()
    kept.file(0).write_bytes(held)
    (problem,) = kept.check(Depth.NAMES).problems
    assert "withdrawn and not destroyed yet" in problem.text


def test_what_a_recording_does_meanwhile_is_no_problem(kept: Kept) -> None:
    done: list[int] = []

    def meanwhile(*_: int) -> None:
        if not done:
            kept.withdraw(4)
            header, commitment, pixels, seed = make(9)
            with kept.rig.ledger.write() as writing:
                new = NewCapture(commitment, bytes(16), 1, 2, 0, 90, 70)
                writing.announce_capture(kept.rig.engagement.id, new)
            kept.writer.put_frame(header, commitment, pixels, seed)
            (kept.folder / "x.part").touch()
        done.append(1)

    for depth in Depth:
        assert kept.check(depth, meanwhile).problems == ()
    assert len(done) > 7


def test_opening_takes_a_reader(kept: Kept) -> None:
    with pytest.raises(ValueError, match="takes a reader"):
        check_vault(kept.folder, kept.rig.ledger, PUBLIC, depth=Depth.KEYS)
