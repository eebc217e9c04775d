import csv
import json
import os
import signal
import stat
from pathlib import Path
from typing import Any

import cbor2
import cv2
import pytest

from support.homes import WORDS, RigHome
from support.typed import typed_in
from support.vaults import PRIVATE, file_of
from workseal_agent.backupleft import alone
from workseal_agent.cli.handover import PASSPHRASE_VARIABLE
from workseal_agent.evidence import LateWork, declare_late, part_name, prove
from workseal_agent.export import ExportAllError, Written, export_everything
from workseal_agent.ledger import SendState
from workseal_agent.vault import VaultReader
from workseal_protocol.commitment import ValueKind, commit
from workseal_protocol.digest import Digest
from workseal_protocol.frame import FrameHeader, commit_frame
from workseal_protocol.records import Segment, SegmentState, Text, read_record
from workseal_protocol.statement import Statement

MEMO = "=HYPERLINK(zanzibar)"


@pytest.fixture
def home(tmp_path: Path) -> RigHome:
    home = RigHome(tmp_path / "home")
    home.rig.recorder.set_mode(SegmentState.OFF_SCREEN, MEMO)
    home.work(25)
    home.rig.recorder.stop()
    home.withdraw(2)
    home.rig.clock.reboot(10_800)
    now_ms = home.rig.clock.wall_ms()
    work = LateWork(now_ms - 9_000_000, now_ms - 8_000_000, 1_000_000, "late", b"a" * 32)
    declare_late(home.rig.chain, work, now_ms=now_ms, recorded_from_ms=None)
    prove(home.rig.chain, Text("a remark"), now_ms=now_ms)
    return home


def export(home: RigHome, out: Path) -> Written:
    reader = VaultReader(home.settings.vault_folder, PRIVATE)
    return export_everything(home.settings, home.ledger, reader, out)


def die(done: int, _all: int) -> None:
    """Be killed when two pictures are written."""
    if done == 2:
        os.kill(os.getpid(), signal.SIGKILL)


def killed(home: RigHome, out: Path) -> None:
    """End an export in another process in the middle of it, as a kill does."""
    child = os.fork()
    if child == 0:
        try:
            reader = VaultReader(home.settings.vault_folder, PRIVATE)
            export_everything(home.settings, home.ledger, reader, out, progress=die)
        finally:
            os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL


def test_what_a_killed_export_left_is_removed_by_the_next(home: RigHome, tmp_path: Path) -> None:
    killed(home, tmp_path / "first")
    (part,) = tmp_path.glob("first-*.part")
    assert list(part.rglob("*.png"))
    export(home, tmp_path / "second")
    assert not part.exists()
    assert not home.settings.export_left_file.exists()
    assert (tmp_path / "second" / "README.txt").exists()


def test_the_next_start_removes_what_a_killed_export_left_and_says_so(
    home: RigHome,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """Also in the vault itself, where a folder of that name would be in the way."""
    killed(home, home.settings.vault_folder / "all")
    (part,) = home.settings.vault_folder.glob("all-*.part")
    run = typed_in(home.settings.home, monkeypatch, capfd)
    monkeypatch.setenv(PASSPHRASE_VARIABLE, WORDS)
    with alone(home.settings.export_lock_file):
        assert "broken off" not in run("start", "--screen", "x11").out
        assert list(part.rglob("*.png"))
    # Nobody answers at this home's verifier, so nothing is recorded.
    assert "removed what 1 backup or export left" in run("start", "--screen", "x11").out
    assert not part.exists()
    assert "broken off" not in run("start", "--screen", "x11").out


def test_two_exports_at_once_are_refused(home: RigHome, tmp_path: Path) -> None:
    with (
        alone(home.settings.export_lock_file),
        pytest.raises(ExportAllError, match="being exported already"),
    ):
        export(home, tmp_path / "all")
    assert [one.name for one in tmp_path.iterdir()] == ["home"]


def table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def folder(home: RigHome, tmp_path: Path) -> Path:
    written = export(home, tmp_path / "all")
    assert (written.engagements, written.frames, written.withdrawn) == (1, 4, 1)
    assert written.unread == []
    return tmp_path / "all" / home.rig.engagement.id.hex()


def test_every_picture_is_exactly_what_was_committed(folder: Path) -> None:
    rows = table(folder / "frames.csv")
    assert [row["state"] for row in rows] == ["kept", "withdrawn", "kept", "kept", "kept"]
    for row in rows:
        if row["state"] == "withdrawn":
            assert (row["file"], row["seed"]) == ("", "")
            continue
        shown = cv2.imread(str(folder / row["file"]), cv2.IMREAD_COLOR)
        assert shown is not None
        pixels = cv2.cvtColor(shown, cv2.COLOR_BGR2RGB).tobytes()
        header = FrameHeader.parse(bytes.fromhex(row["header"]))
        tree = commit_frame(header, pixels, bytes.fromhex(row["seed"]))
        assert str(tree.commitment) == row["commitment"]
        assert (row["width"], row["height"]) == (str(header.width), str(header.height))
    assert len(list((folder / "frames").iterdir())) == 4


def test_every_statement_is_there_as_it_was_signed(home: RigHome, folder: Path) -> None:
    rows = table(folder / "statements.csv")
    bodies = [one.body for one in home.ledger.chain(home.rig.engagement.id)]
    chained = [row for row in rows if row["number"]]
    assert [(folder / row["file"]).read_bytes() for row in chained] == bodies
    others = [one.body for one in home.ledger.unchained(home.rig.engagement.id)]
    assert others
    assert [path.read_bytes() for path in sorted((folder / "other").iterdir())] == others
    for row in rows:
        body = (folder / row["file"]).read_bytes()
        assert str(Digest.of(body)) == row["digest"]
        assert cbor2.loads(body).tag == 18
    assert {row["sent"] for row in rows} >= {"receipted"}
    assert (folder / "offer.cose").read_bytes() == home.rig.offer.encode()
    assert "The rate is" in (folder / "terms.txt").read_text()
    assert len(list((folder / "checkpoints").iterdir())) == len(
        home.ledger.checkpoints(home.rig.engagement.id)
    )


def test_times_add_up(home: RigHome, folder: Path) -> None:
    rows = table(folder / "times.csv")
    assert sum(int(row["worked_ms"]) for row in rows) == home.rig.worked_ms
    assert {row["state"] for row in rows} == {"working", "off-screen"}
    assert rows[0]["begin"].startswith("2026-03-02T09:00:0")


def test_memos_and_every_private_value_are_told_and_open_their_commitments(
    home: RigHome, folder: Path
) -> None:
    declared = json.loads((folder / "declarations.json").read_text())
    assert {item["memo"] for item in declared} == {MEMO, "late"}
    assert {item["artefact_sha256"] for item in declared} == {None, (b"a" * 32).hex()}
    lines = [json.loads(line) for line in (folder / "values.jsonl").read_text().splitlines()]
    kinds = {line["kind"] for line in lines}
    assert kinds == {"activity", "notes", "environment", "memo", "artefact", "evidence"}
    records: dict[str, Any] = {}
    for stored in home.ledger.chain(home.rig.engagement.id):
        records[str(stored.digest)] = read_record(Statement.parse(stored.body))
    for line in lines:
        assert line["value"] is not None
        kind = ValueKind[line["kind"].upper()]
        found = commit(kind, bytes.fromhex(line["salt"]), bytes.fromhex(line["bytes"]))
        name = "item" if kind is ValueKind.EVIDENCE else line["kind"]
        assert getattr(records[line["statement"]], name) == found
    assert {"form": "text", "text": "a remark"} in [line["value"] for line in lines]
    assert any(isinstance(record, Segment) for record in records.values())
    # A memo may begin like a formula: it is in no table that a spreadsheet opens.
    assert not any("zanzibar" in path.read_text() for path in folder.glob("*.csv"))


def test_only_its_owner_reads_it(home: RigHome, folder: Path) -> None:
    for path in [folder.parent, *folder.parent.rglob("*")]:
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600)
    everything = b"".join(path.read_bytes() for path in folder.parent.rglob("*") if path.is_file())
    assert PRIVATE not in everything
    assert home.keystore.vault_public not in everything
    assert "NOT" not in (folder.parent / "README.txt").read_text()[:20]
    assert "It\nis not encrypted" in (folder.parent / "README.txt").read_text()


def test_what_cannot_be_read_is_named_and_the_rest_is_written(
    home: RigHome, tmp_path: Path
) -> None:
    row = home.ledger.captures(home.rig.engagement.id)[0]
    file_of(home.settings.vault_folder, row.commitment).unlink()
    disclosure = Digest.of(b"gone")
    kept = Digest.of(b"shown to an arbitrator")
    with home.ledger.write() as writing:
        for digest in (disclosure, kept):
            writing.add_disclosure(home.rig.engagement.id, digest, Digest.of(b""), row.commitment)
    home.writer.put_secret(part_name(kept, 0), b"shown to an arbitrator")
    written = export(home, tmp_path / "all")
    assert sorted(name.split(" (")[0] for name in written.unread) == [
        "a disclosure", "a disclosure", "frame 1",
    ]  # fmt: skip
    assert written.frames == 3
    (first, *_) = table(tmp_path / "all" / home.rig.engagement.id.hex() / "frames.csv")
    assert first["state"] == "not read: the vault does not hold this object"


def test_another_ones_words_begin_no_cell(home: RigHome, tmp_path: Path) -> None:
    digest = home.ledger.statements(home.rig.engagement.id, SendState.UNSENT)[0].digest
    with home.ledger.write() as writing:
        writing.park(digest, "=1+1\nforged")
    export(home, tmp_path / "all")
    rows = table(tmp_path / "all" / home.rig.engagement.id.hex() / "statements.csv")
    assert [row["problem"] for row in rows if row["problem"]] == ["refused: =1+1\\nforged"]


def test_a_folder_that_is_there_or_a_disk_that_fails_leaves_nothing(
    home: RigHome, tmp_path: Path
) -> None:
    (tmp_path / "all").mkdir()
    with pytest.raises(ExportAllError, match="exists already"):
        export(home, tmp_path / "all")
    with pytest.raises(ExportAllError, match="cannot be written"):
        export(home, tmp_path / "absent" / "all")
    assert sorted(one.name for one in tmp_path.iterdir()) == ["all", "home"]


def test_the_command_tells_what_it_does_and_what_it_wrote(
    home: RigHome,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    run = typed_in(home.settings.home, monkeypatch, capfd)
    monkeypatch.setenv(PASSPHRASE_VARIABLE, WORDS)
    out = tmp_path / "all"
    done = run("export-all", out, lines=("n",))
    assert (done.code, "nothing was written" in done.err) == (1, True)
    assert "NOT ENCRYPTED" in done.out
    assert not out.exists()
    done = run("export-all", out, "--yes")
    assert done.code == 0, done.err
    assert "4 pictures (PNG); withdrawn: 1" in done.out
    assert run("export-all", out, "--yes").code == 2
    row = home.ledger.captures(home.rig.engagement.id)[0]
    file_of(home.settings.vault_folder, row.commitment).unlink()
    done = run("export-all", tmp_path / "again", "--yes")
    assert (done.code, "1 object could not be read" in done.err) == (1, True)
    assert "frame 1" in done.err
    assert "3 pictures (PNG)" in done.out
