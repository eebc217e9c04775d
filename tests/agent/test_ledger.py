import errno
import os
import resource
import shutil
import sqlite3
import stat
import time
from contextlib import closing
from pathlib import Path

import pytest

from support import builders
from support.rig import Rig
from workseal_agent.ledger import (
    Ledger,
    LedgerError,
    LedgerKey,
    NewCapture,
    PrivateValue,
    RevealRow,
    SendState,
    SessionSecrets,
    schema,
)
from workseal_agent.ledger.schema import VERSION
from workseal_protocol.digest import Digest
from workseal_protocol.keys import Algorithm, SeedSigner
from workseal_protocol.records import sign
from workseal_protocol.statement import Statement

KEY = LedgerKey(builders.FREELANCER)
FRAME = builders.digest("frame")


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig(tmp_path)


def a_capture(frame: Digest = FRAME) -> NewCapture:
    return NewCapture(frame, bytes(16), 1, 2, 0, 64, 48)


def a_statement(number: int = 0) -> Statement:
    return sign(builders.make_open(number), builders.FREELANCER)


def test_writes_are_durable_against_a_power_cut(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger", KEY)
    assert ledger._rows("PRAGMA journal_mode") == [("wal",)]
    assert ledger._rows("PRAGMA synchronous") == [(2,)]


def test_the_file_belongs_to_the_user_alone(tmp_path: Path) -> None:
    Ledger(tmp_path / "ledger", KEY)
    for path in tmp_path.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_keeps_everything_when_it_is_opened_again(rig: Rig) -> None:
    rig.recorder.start()
    rig.work(35)
    before = [row.body for row in rig.ledger.chain(rig.engagement.id)]
    counts = rig.ledger.counts(rig.engagement.id)
    rig.kill()
    assert [row.body for row in rig.ledger.chain(rig.engagement.id)] == before
    assert rig.ledger.counts(rig.engagement.id) == counts
    assert rig.ledger.engagements() == (rig.engagement,)


def test_refuses_a_second_body_for_one_number(rig: Rig) -> None:
    with rig.ledger.write() as writing:
        writing.add_statement(rig.engagement.id, a_statement(), seq=0)
    with pytest.raises(LedgerError, match="in this place"), rig.ledger.write() as writing:
        writing.add_statement(rig.engagement.id, a_statement(7), seq=0)


def test_a_transaction_that_raises_leaves_nothing(rig: Rig) -> None:
    def fail_half_way() -> None:
        with rig.ledger.write() as writing:
            writing.add_statement(rig.engagement.id, a_statement(), seq=0)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_half_way()
    assert list(rig.ledger.chain(rig.engagement.id)) == []
    with rig.ledger.write() as writing:
        writing.add_statement(rig.engagement.id, a_statement(), seq=0)


def test_two_processes_wait_for_each_other(rig: Rig) -> None:
    other = Ledger(rig.path, KEY)
    with rig.ledger.write() as writing:
        writing.add_statement(rig.engagement.id, a_statement(), seq=0)
    with other.write() as writing:
        writing.add_statement(rig.engagement.id, a_statement(1), seq=1)
    assert [row.seq for row in rig.ledger.chain(rig.engagement.id)] == [0, 1]


def test_a_write_is_announced_before_it_reads(rig: Rig) -> None:
    """Two processes that read first and write then would fail each other half-way."""
    other = Ledger(rig.path, KEY)
    other._sql.execute("PRAGMA busy_timeout = 0")
    with rig.ledger.write(), pytest.raises(LedgerError, match="another program"), other.write():
        pass


def test_names_a_statement_that_was_changed_on_the_disk(rig: Rig) -> None:
    rig.recorder.start()
    raw = sqlite3.connect(rig.path)
    raw.execute("UPDATE statements SET body = zeroblob(length(body)) WHERE seq = 0")
    raw.commit()
    with pytest.raises(LedgerError, match="was changed on the disk"):
        list(rig.ledger.chain(rig.engagement.id))


def test_room_is_kept_and_a_ledger_at_its_limit_is_written_on(rig: Rig) -> None:
    """Whatever is stored and sent: no file of this process may grow."""
    rig.ledger.keep_room()
    sizes = [path.stat().st_size for path in rig.path.parent.glob(f"{rig.path.name}*")]
    rig.ledger.keep_room()
    assert sorted(sizes) == sorted(
        path.stat().st_size for path in rig.path.parent.glob(f"{rig.path.name}*")
    )
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (max(sizes), hard))
    try:
        with pytest.raises(LedgerError, match="no room of its own"):
            rig.ledger.keep_room(64 << 20)
        rig.recorder.start()
        rig.work(2_000)
        rig.recorder.stop()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert rig.worked_ms == 2_000_000
    raw = sqlite3.connect(rig.path)
    assert raw.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    tables = {name for (name,) in raw.execute("SELECT name FROM sqlite_schema")}
    raw.close()
    assert "room" not in tables


def test_a_ledger_in_which_another_program_writes_without_end_is_read_and_told(rig: Rig) -> None:
    with closing(sqlite3.connect(rig.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        begun = time.monotonic()
        # Who wants to pause or to know is not to wait for whoever writes.
        with Ledger(rig.path, KEY, busy_ms=10) as opened:
            assert [one.id for one in opened.engagements()] == [rig.engagement.id]
            with pytest.raises(LedgerError, match="another program is writing"), opened.write():
                pass
            assert time.monotonic() - begun < schema.BUSY_MS / 2_000


def test_a_ledger_that_may_only_be_read_is_told_so(rig: Rig) -> None:
    rig.ledger._sql.close()
    rig.ledger._sql = sqlite3.connect(f"file:{rig.path}?mode=ro", uri=True, isolation_level=None)
    assert rig.ledger.engagements()
    told = "written: its folder is read-only, or another user's"
    with pytest.raises(LedgerError, match=told), rig.ledger.write() as writing:
        writing.unpark(rig.engagement.id)


def test_says_that_a_file_is_no_ledger(tmp_path: Path) -> None:
    path = tmp_path / "ledger"
    path.write_bytes(b"not a database at all" * 100)
    with pytest.raises(LedgerError, match="cannot be opened"):
        Ledger(path, KEY)


def test_refuses_a_version_that_it_does_not_know(tmp_path: Path) -> None:
    path = tmp_path / "ledger"
    Ledger(path, KEY).close()
    raw = sqlite3.connect(path)
    raw.execute(f"PRAGMA user_version = {VERSION + 1}")
    raw.close()
    with pytest.raises(LedgerError, match="version"):
        Ledger(path, KEY)


class ReadOnly:
    """Stand in for a medium that takes no writing: root may write in any folder."""

    f_flag = os.ST_RDONLY

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def refused(path: Path, **_: object) -> None:
            raise OSError(errno.EROFS, os.strerror(errno.EROFS), path)

        monkeypatch.setattr(Path, "touch", refused)
        monkeypatch.setattr(os, "statvfs", lambda _path: self)


@pytest.mark.parametrize("log", [True, False], ids=["with its log", "in one file"])
def test_a_read_only_medium_can_be_looked_at(
    rig: Rig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, log: bool
) -> None:
    rig.recorder.start()
    rig.work(35)
    kept = tmp_path / "kept"
    kept.mkdir()
    file = kept / rig.path.name
    if log:
        for one in rig.path.parent.glob(f"{rig.path.name}*"):
            shutil.copy(one, kept)
    else:
        rig.ledger.snapshot(file)
    before = sorted(kept.iterdir())
    assert (f"{file}-wal" in map(str, before)) == log
    ReadOnly(monkeypatch)
    with Ledger(file, KEY) as looked:
        assert looked.counts(rig.engagement.id) == rig.ledger.counts(rig.engagement.id)
        if not log:
            with pytest.raises(LedgerError, match="cannot be written"), looked.write() as writing:
                writing.add_statement(rig.engagement.id, a_statement())
    if not log:
        assert sorted(kept.iterdir()) == before


def test_an_older_ledger_on_a_read_only_medium_says_what_it_needs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "ledger"
    Ledger(path, KEY).close()
    with closing(sqlite3.connect(path)) as raw:
        raw.execute(f"PRAGMA user_version = {VERSION - 1}")
    ReadOnly(monkeypatch)
    with pytest.raises(LedgerError, match="on a medium that it can write"):
        Ledger(path, KEY)


def test_private_values_open_again_and_only_with_the_key(rig: Rig) -> None:
    own = SessionSecrets(b"c" * 32, b"s" * 32)
    value = PrivateValue(4, bytes(16), b"a memo about quartz")
    with rig.ledger.write() as writing:
        writing.add_opening(FRAME, value)
        writing.set_memo(rig.engagement.id, 5, "zanzibar")
        writing.add_session(
            rig.engagement.id, bytes(16), 1, 1, SessionSecrets(b"c" * 32, b"s" * 32)
        )
    assert rig.ledger.private_values(FRAME) == (value,)
    memo = rig.ledger.memo(rig.engagement.id)
    assert memo is not None
    assert (memo.begin_ms, memo.text) == (5, "zanzibar")
    assert rig.ledger.session_secrets(bytes(16)) == own
    stranger = Ledger(rig.path, LedgerKey(builders.STRANGER))
    with pytest.raises(LedgerError, match="does not open"):
        stranger.private_values(FRAME)
    with pytest.raises(LedgerError, match="does not open"):
        stranger.session_secrets(bytes(16))
    with pytest.raises(LedgerError, match="without its key"):
        Ledger(rig.path).memo(rig.engagement.id)


def test_no_private_value_stands_in_the_files_in_clear(rig: Rig, tmp_path: Path) -> None:
    secret = SessionSecrets(
        b"chain-last-value-in-the-clear...", b"session-secret-in-the-clear....."
    )
    with rig.ledger.write() as writing:
        writing.add_opening(FRAME, PrivateValue(4, bytes(16), b"quartz-memo-7741"))
        writing.set_memo(rig.engagement.id, 5, "zanzibar-memo-7741")
        writing.add_session(rig.engagement.id, bytes(16), 1, 1, secret)
    files = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    for word in (b"quartz-memo", b"zanzibar-memo", secret.chain_last, secret.secret):
        assert word not in files


def test_a_value_sealed_for_one_place_does_not_open_in_another() -> None:
    sealed = KEY.seal(b"one", b"value")
    assert KEY.open(b"one", sealed) == b"value"
    for place, data in ((b"two", sealed), (b"one", sealed[:-1]), (b"one", b"")):
        with pytest.raises(LedgerError):
            KEY.open(place, data)


def test_needs_a_signer_whose_signatures_repeat() -> None:
    with pytest.raises(ValueError, match="repeat"):
        LedgerKey(SeedSigner(bytes(32), Algorithm.ML_DSA_44))


def test_a_frame_that_is_not_known_holds_up_no_segment(rig: Rig) -> None:
    with rig.ledger.write() as writing:
        writing.attach_captures(builders.digest("segment"), [builders.digest("unknown")])
    assert rig.ledger.captures(rig.engagement.id) == ()


def test_an_announced_frame_belongs_to_one_segment(rig: Rig) -> None:
    with rig.ledger.write() as writing:
        writing.announce_capture(rig.engagement.id, a_capture())
    assert rig.ledger.orphans() == (FRAME,)
    with rig.ledger.write() as writing:
        writing.attach_captures(builders.digest("segment"), [FRAME])
    assert rig.ledger.orphans() == ()
    with pytest.raises(LedgerError, match="another segment"), rig.ledger.write() as writing:
        writing.attach_captures(builders.digest("another segment"), [FRAME])


def test_a_frame_is_withdrawn_once(rig: Rig) -> None:
    with rig.ledger.write() as writing:
        writing.announce_capture(rig.engagement.id, a_capture())
        writing.attach_captures(builders.digest("segment"), [FRAME])
        writing.withdraw_capture(FRAME, builders.digest("tombstone"))
    assert rig.ledger.undestroyed() == (FRAME,)
    with pytest.raises(LedgerError, match="withdrawn before"), rig.ledger.write() as writing:
        writing.withdraw_capture(FRAME, builders.digest("tombstone"))


def test_only_a_receipt_takes_a_statement_out_of_the_queue(rig: Rig) -> None:
    rig.recorder.start()
    (first,) = rig.ledger.sendable(rig.engagement.id, 10)
    with rig.ledger.write() as writing:
        writing.park(first.digest, "refused: because")
    assert rig.ledger.sendable(rig.engagement.id, 10) == ()
    assert rig.ledger.statements(rig.engagement.id, SendState.PARKED)[0].problem is not None
    with rig.ledger.write() as writing:
        assert writing.unpark(rig.engagement.id) == 1
    assert len(rig.ledger.sendable(rig.engagement.id, 10)) == 1
    with rig.ledger.write() as writing:
        writing.receipted(first.digest, 5, 6)
        writing.park(first.digest, "too late")
    stored = rig.ledger.statement(first.digest)
    assert stored is not None
    assert (stored.state, stored.log_index) == (SendState.RECEIPTED, 5)


def test_the_first_checkpoint_of_a_size_stays(rig: Rig) -> None:
    with rig.ledger.write() as writing:
        writing.add_checkpoint(rig.engagement.id, 1_000, b"first")
        writing.add_checkpoint(rig.engagement.id, 1_000, b"second")
    assert rig.ledger.newest_checkpoint(rig.engagement.id) == b"first"


def test_a_ledger_of_version_1_opens_and_becomes_the_newest(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    Ledger(path).close()
    with closing(sqlite3.connect(path)) as raw:
        raw.execute("DROP TABLE restored")
        raw.execute("DROP TABLE reveals")
        raw.execute("DROP TABLE possessions")
        raw.execute("DROP TABLE cases")
        raw.execute("ALTER TABLE statements DROP COLUMN successor")
        raw.execute("ALTER TABLE incidents DROP COLUMN made")
        raw.execute("PRAGMA user_version = 1")
        raw.execute("INSERT INTO incidents VALUES (1, x'00', 2, 'kept', x'03')")
        raw.commit()
    for _ in range(2):
        with Ledger(path) as ledger:
            assert [one.text for one in ledger.incidents(b"\0")] == ["kept"]
            assert not ledger.is_restored(bytes(16))
    with closing(sqlite3.connect(path)) as raw:
        assert raw.execute("PRAGMA user_version").fetchone() == (VERSION,)


@pytest.mark.parametrize(
    "shown",
    [
        pytest.param((), id="nothing"),
        pytest.param((0,), id="the first tile"),
        pytest.param((0, 1, 2, 5, 7, 8, 11), id="runs, from the first to the last"),
        pytest.param(tuple(range(12)), id="everything"),
    ],
)
def test_what_a_disclosure_showed_is_read_as_it_was_noted(
    tmp_path: Path, shown: tuple[int, ...]
) -> None:
    row = RevealRow(builders.digest("statement"), FRAME, shown, 12)
    for _ in range(2):
        with Ledger(tmp_path / "ledger.sqlite") as ledger:
            with ledger.write() as writing:
                writing.add_reveal(bytes(16), row)
            assert ledger.reveals(bytes(16)) == (row,)
            assert ledger.reveals(bytes(range(16))) == ()


@pytest.mark.parametrize("shown", [(1, 1), (2, 1), (-1,), (12,)])
def test_a_reveal_names_tiles_that_there_are(shown: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="tiles"):
        RevealRow(builders.digest("statement"), FRAME, shown, 12)


def test_a_mark_of_a_restore_stays_until_it_is_taken_away(tmp_path: Path) -> None:
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        with ledger.write() as writing:
            writing.mark_restored(bytes(16))
            writing.mark_restored(bytes(16))
        assert ledger.is_restored(bytes(16))
        assert not ledger.is_restored(bytes(15))
        ledger.snapshot(tmp_path / "copy")
        assert stat.S_IMODE((tmp_path / "copy").stat().st_mode) == 0o600
        with ledger.write() as writing:
            writing.mark_caught_up(bytes(16))
        assert not ledger.is_restored(bytes(16))
    with Ledger(tmp_path / "copy") as copy:
        assert copy.is_restored(bytes(16))


def test_a_copy_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    with (
        Ledger(tmp_path / "ledger.sqlite") as ledger,
        pytest.raises(LedgerError, match="cannot be copied"),
    ):
        ledger.snapshot(tmp_path / "absent" / "copy")


def test_keeps_what_a_weekly_statement_committed_to(tmp_path: Path) -> None:
    said, other = Digest.of(b"said"), Digest.of(b"not said")
    objects = tuple(Digest.of(bytes([n])).raw for n in range(3))
    path = tmp_path / "ledger.sqlite"
    with Ledger(path) as ledger, ledger.write() as writing:
        writing.add_possession(bytes(16), said, objects)
        writing.add_possession(bytes(16), Digest.of(b"nothing"), ())
    with Ledger(path) as ledger:
        assert ledger.held_objects(said) == objects
        assert ledger.held_objects(Digest.of(b"nothing")) == ()
        assert ledger.held_objects(other) is None
