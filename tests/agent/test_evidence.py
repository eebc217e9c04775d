from dataclasses import replace
from pathlib import Path

import pytest

from support.rig import Rig
from workseal_agent.chain import OwnChainError
from workseal_agent.errors import AgentError, VaultError
from workseal_agent.evidence import (
    LateWork,
    UnknownFrameError,
    declare_late,
    find_frame,
    finish_withdrawals,
    part_name,
    prove,
    proved,
    withdraw,
)
from workseal_agent.ledger import LedgerError
from workseal_protocol.digest import Digest
from workseal_protocol.records import (
    Declaration,
    DeclarationForm,
    Evidence,
    Text,
    Tombstone,
    WithdrawalReason,
    encode_item,
    read_record,
)


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    rig = Rig(tmp_path, capture_rate=65_536)
    rig.recorder.start()
    rig.work(50)
    return rig


def gone(rig: Rig, name: str = "1") -> Tombstone:
    frame = find_frame(rig.ledger, rig.engagement.id, name)
    reason = WithdrawalReason.PRIVATE
    statement = withdraw(
        rig.chain, rig.ledger, rig.vault, frame, reason, now_ms=rig.clock.wall_ms()
    )
    record = read_record(statement)
    assert isinstance(record, Tombstone)
    return record


def test_a_withdrawn_frame_leaves_its_commitment_and_its_time(rig: Rig) -> None:
    worked = rig.worked_ms
    record = gone(rig)
    assert record.frame not in rig.vault.frames
    assert len(rig.vault.frames) == 4
    assert record.frame in {frame for segment in rig.segments() for frame in segment.frames}
    assert rig.worked_ms == worked
    assert rig.ledger.undestroyed() == ()


def test_a_frame_is_found_by_number_or_commitment(rig: Rig) -> None:
    rows = rig.ledger.captures(rig.engagement.id)
    assert find_frame(rig.ledger, rig.engagement.id, "2") == rows[1]
    assert find_frame(rig.ledger, rig.engagement.id, str(rows[2].commitment)[:12]) == rows[2]
    for name in ("0", "99", "", "abc", "zz" * 8, "²", "1" * 5_000):
        with pytest.raises(UnknownFrameError):
            find_frame(rig.ledger, rig.engagement.id, name)


def test_a_name_that_fits_several_frames_is_told_so(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = rig.ledger.captures(rig.engagement.id)
    near = [replace(row, commitment=Digest(bytes(31) + bytes([row.number]))) for row in rows]
    monkeypatch.setattr(rig.ledger, "captures", lambda _engagement: near)
    with pytest.raises(UnknownFrameError, match="several frames"):
        find_frame(rig.ledger, rig.engagement.id, "00000000000")


def test_a_frame_is_withdrawn_once(rig: Rig) -> None:
    gone(rig)
    with pytest.raises(UnknownFrameError, match="already"):
        gone(rig)


def test_a_crash_before_the_destruction_is_made_good_at_the_next_start(rig: Rig) -> None:
    real = rig.vault.destroy

    def fail(commitment: Digest) -> bool:
        del commitment
        raise VaultError("the disk said no")

    rig.vault.destroy = fail  # type: ignore[method-assign]
    with pytest.raises(VaultError):
        gone(rig)
    (frame,) = rig.ledger.undestroyed()
    assert frame in rig.vault.frames
    rig.vault.destroy = real  # type: ignore[method-assign]
    finish_withdrawals(rig.ledger, rig.vault)
    assert frame not in rig.vault.frames
    assert rig.ledger.undestroyed() == ()


def test_a_tombstone_that_could_not_be_stored_destroys_nothing(rig: Rig) -> None:
    real = rig.ledger._commit

    def fail() -> None:
        raise LedgerError("the disk said no")

    rig.ledger._commit = fail  # type: ignore[method-assign]
    with pytest.raises(LedgerError):
        gone(rig)
    assert len(rig.vault.frames) == 5
    rig.ledger._commit = real  # type: ignore[method-assign]
    gone(rig)
    assert len(rig.vault.frames) == 4


def test_what_was_disclosed_of_a_withdrawn_frame_is_destroyed_too(rig: Rig) -> None:
    frame = find_frame(rig.ledger, rig.engagement.id, "1").commitment
    disclosure, statement = Digest.of(b"disclosure"), Digest.of(b"statement")
    for part in range(3):
        rig.vault.put_secret(part_name(disclosure, part), b"tiles")
    rig.vault.put_secret(part_name(Digest.of(b"another"), 0), b"tiles")
    with rig.ledger.write() as writing:
        writing.add_disclosure(rig.engagement.id, disclosure, statement, frame)
    gone(rig)
    assert set(rig.vault.secrets) == {part_name(Digest.of(b"another"), 0)}
    assert rig.ledger.disclosures(rig.engagement.id) == ()


def test_a_withdrawal_left_undone_is_finished_whatever_is_recorded_next(rig: Rig) -> None:
    frame = find_frame(rig.ledger, rig.engagement.id, "1").commitment
    disclosure = Digest.of(b"disclosure")
    rig.vault.put_secret(part_name(disclosure, 0), b"tiles")
    with rig.ledger.write() as writing:
        writing.add_disclosure(rig.engagement.id, disclosure, Digest.of(b"statement"), frame)
    real = rig.vault.destroy

    def killed(commitment: Digest) -> bool:
        raise KeyboardInterrupt(commitment)

    rig.vault.destroy = killed  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        gone(rig)
    rig.vault.destroy = real  # type: ignore[method-assign]
    other = replace(rig.engagement, id=b"\x42" * 16)
    with rig.ledger.write() as writing:
        writing.add_engagement(other)
    finish_withdrawals(rig.ledger, rig.vault)
    assert rig.vault.secrets == {}
    assert frame not in rig.vault.frames
    assert rig.ledger.undestroyed() == ()


def late(rig: Rig, begin: int, end: int, **changes: object) -> LateWork:
    first = rig.segments()[0].begin
    fields: dict[str, object] = {
        "begin_ms": first + begin * 1000,
        "end_ms": first + end * 1000,
        "worked_ms": (end - begin) * 1000,
        "memo": "a call that I forgot to record",
    }
    return LateWork(**(fields | changes))  # type: ignore[arg-type]


def declare(rig: Rig, work: LateWork, recorded_from_ms: int | None = None) -> Declaration:
    statement = declare_late(
        rig.chain, work, now_ms=rig.clock.wall_ms(), recorded_from_ms=recorded_from_ms
    )
    record = read_record(statement)
    assert isinstance(record, Declaration)
    return record


def test_late_time_is_declared_beside_the_recorded(rig: Rig) -> None:
    worked = rig.worked_ms
    record = declare(rig, late(rig, -4, -2, artefact=bytes(32)))
    assert (record.form, record.worked) == (DeclarationForm.LATE, 2_000)
    assert record.artefact is not None
    assert rig.worked_ms == worked
    (row,) = [row for row in rig.ledger.chain(rig.engagement.id) if row.kind == "declaration"]
    assert [value.value for value in rig.ledger.private_values(row.digest)] == [
        b"a call that I forgot to record",
        bytes(32),
    ]


def test_recorded_time_cannot_be_declared_again(rig: Rig) -> None:
    with pytest.raises(OwnChainError, match="recorded already"):
        declare(rig, late(rig, -4, 10))
    declare(rig, late(rig, -4, -2))
    with pytest.raises(OwnChainError, match="declared already"):
        declare(rig, late(rig, -3, -1))


def test_time_that_is_being_recorded_cannot_be_declared(rig: Rig) -> None:
    rig.work(7)
    since = rig.recorder.recorded_from_ms()
    assert since is not None
    with pytest.raises(AgentError, match="being recorded now"):
        declare(rig, late(rig, 51, 54), since)
    rig.work(30)
    rig.recorder.stop()
    assert rig.worked_ms == 87_000


def test_time_before_the_terms_cannot_be_declared(rig: Rig) -> None:
    with pytest.raises(OwnChainError, match="before the terms were agreed"):
        declare(rig, late(rig, -3600, -1800))


def test_time_to_come_cannot_be_declared(rig: Rig) -> None:
    with pytest.raises(OwnChainError, match="still to come"):
        declare(rig, late(rig, 3600, 7200))


def test_recording_begins_after_what_was_declared_even_with_the_clock_set_back(rig: Rig) -> None:
    rig.recorder.stop()
    rig.clock.run(3_600)
    declared = declare(rig, late(rig, 1_000, 3_000))
    rig.clock.offset_ms = -3_000_000
    rig.recorder.start()
    rig.work(20)
    rig.recorder.stop()
    assert rig.segments()[-2].begin >= declared.end
    assert rig.worked_ms == 70_000


def test_evidence_is_sent_as_a_commitment_and_kept_as_it_is(rig: Rig) -> None:
    worked = rig.worked_ms
    items = (Text("delivered"), Text("paid"))
    statements = [prove(rig.chain, item, now_ms=rig.clock.wall_ms()) for item in (*items, items[0])]
    assert all(isinstance(read_record(one), Evidence) for one in statements)
    assert not any(encode_item(items[0]) in one.encode() for one in statements)
    found = proved(rig.ledger, rig.engagement.id)
    assert [(one.number, one.item) for one in found] == [
        (1, items[0]), (2, items[1]), (3, items[0]),
    ]  # fmt: skip
    # The same item twice has two salts: nobody sees that it is the same.
    first, _, third = (read_record(one) for one in statements)
    assert isinstance(first, Evidence)
    assert isinstance(third, Evidence)
    assert first.item != third.item
    assert rig.worked_ms == worked
    rig.work(50)
    assert rig.worked_ms > worked
