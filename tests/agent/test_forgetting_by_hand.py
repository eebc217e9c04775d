import json
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from support.bridge import Bridge, bridged
from support.builders import digest
from support.typed import Typed, typed_in
from support.wire import Fault, problem
from support.worker import PATIENCE_S, Worker, ended
from workseal_agent import retention
from workseal_agent.knowncases import Held
from workseal_agent.ledger import CaseRow
from workseal_protocol.records import Tombstone, WithdrawalReason, read_record
from workseal_protocol.statement import Statement


@pytest.fixture
def bridge() -> Iterator[Bridge]:
    with bridged() as bridge:
        yield bridge
    ended()


@pytest.fixture
def worker(tmp_path: Path, bridge: Bridge) -> Worker:
    """Give a home with at least three frames."""
    worker = Worker(tmp_path / "home", bridge, capture_rate=65_536, max_withdrawn_percent=20)
    process = worker.start()
    worker.wait(process)
    deadline = time.monotonic() + 20
    while len(kept(worker)) < 3 and time.monotonic() < deadline:
        time.sleep(0.2)
    worker.ask("stop")
    process.wait(PATIENCE_S)
    return worker


@pytest.fixture
def run(
    worker: Worker, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Typed:
    return typed_in(worker.home, monkeypatch, capfd)


def kept(worker: Worker) -> list[int]:
    with worker.ledger() as ledger:
        rows = ledger.captures(worker.engagement.id)
    return [row.number for row in rows if not row.withdrawn]


def reasons(worker: Worker) -> list[WithdrawalReason]:
    with worker.ledger() as ledger:
        records = [
            read_record(Statement.parse(row.body)) for row in ledger.chain(worker.engagement.id)
        ]
    return [record.reason for record in records if isinstance(record, Tombstone)]


def test_forgetting_by_hand_and_being_warned(
    run: Typed, worker: Worker, bridge: Bridge, monkeypatch: pytest.MonkeyPatch
) -> None:
    warn_of_size(run, worker.home)
    frames = kept(worker)
    assert len(frames) >= 3
    # The days are not over.
    done = run("forget", "--yes")
    assert (done.code, "nothing is to be destroyed" in done.out) == (0, True), done.err
    assert kept(worker) == frames
    worked = json.loads(run("status", "--json").out)["worked_ms_today"]
    with monkeypatch.context() as later:
        # The round of the newest frame may still run.
        later.setattr(retention, "DAY_MS", -1_000)
        assert f"{len(frames)} frames past the terms' days" in run("status").out
        # A verifier whose clock says otherwise, and none at all.
        bridge.ahead_ms = -3_600_000
        assert "nothing is to be destroyed" in run("forget", "--yes").out
        bridge.ahead_ms = 0
        bridge.up = False
        done = run("forget", "--yes")
        assert (done.code, "the verifier's clock too" in done.err) == (1, True)
        bridge.up = True
        done = run("forget", lines=("n",))
        assert (done.code, "nothing was changed" in done.err) == (1, True)
        keep_for_a_case(run, worker, len(frames))
        assert kept(worker) == frames
    with monkeypatch.context() as later:
        # The first two are over, the others are not.
        later.setattr(
            retention, "due_ms", lambda _, row: 0 if row.number in frames[:2] else 1 << 60
        )
        assert run("forget", "--yes").code == 0
    assert kept(worker) == frames[2:]
    assert reasons(worker) == [WithdrawalReason.RETENTION] * 2
    done = run("forget", "--everything", lines=("y",))
    assert done.code == 0, done.err
    assert f"withdrawn early would be {len(frames)} of {len(frames)}" in done.out
    assert "the terms name 20 % as limit" in done.out
    assert kept(worker) == []
    assert reasons(worker)[2:] == [WithdrawalReason.OTHER] * len(frames[2:])
    assert list((worker.home / "vault").iterdir()) == []
    after = json.loads(run("status", "--json").out)
    assert (after["worked_ms_today"], after["unsent"], after["vault_bytes"]) == (worked, 0, 0)


def test_a_case_that_was_not_read_is_for_a_person_to_decide(
    run: Typed, worker: Worker, bridge: Bridge, monkeypatch: pytest.MonkeyPatch
) -> None:
    frames, wire = kept(worker), bridge.wire
    assert "nothing is to be destroyed" in run("forget", "--yes").out
    assert "/v1/cases" not in [path for _, path, _ in wire.requests]
    monkeypatch.setattr(retention, "DAY_MS", -1_000)
    wire.listed(worker.engagement.id, digest("a filing"))
    for every in ((), ("--everything",)):
        done = run("forget", *every, "--yes")
        assert "a case runs that you have not read, perhaps about these" in done.out
        assert (done.code, "nothing was changed" in done.err) == (1, True)
    # A verifier that does not say, and none at all.
    wire.fault = lambda asked: (
        Fault(problem(503, "busy")) if asked.url.path == "/v1/cases" else None
    )
    done = run("forget", "--yes")
    assert "whether a case runs about these is not known: " in done.out
    assert (done.code, "nothing was changed" in done.err) == (1, True)
    bridge.up = False
    done = run("forget", "--everything", lines=("n",))
    assert "whether a case runs about these is not known: " in done.out
    assert (done.code, "nothing was changed" in done.err) == (1, True)
    bridge.up = True
    assert kept(worker) == frames
    # Whoever owns them may destroy them all the same.
    assert run("forget", lines=("y",)).code == 0
    assert kept(worker) == []


def test_what_is_asked_for_outside_of_a_case_is_told_apart(
    run: Typed, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    (asked, *others) = kept(worker)
    assert others
    with worker.ledger() as ledger:
        rows = ledger.captures(worker.engagement.id)
        names = frozenset(row.commitment for row in rows if row.number == asked)
    held = Held(frozenset(), frozenset(), names, (), worker.engagement.terms.round_ms)
    monkeypatch.setattr(Held, "of", lambda *_: held)
    done = run("forget", "--yes")
    assert "  1 kept for a dispute\n  1 of them by a request outside of any case" in done.out
    assert "case list" not in done.out


def keep_for_a_case(run: Typed, worker: Worker, frames: int) -> None:
    case = CaseRow(digest("a filing"), 0, 1 << 60, ended=False)
    with worker.ledger() as ledger, ledger.write() as writing:
        writing.note_case(worker.engagement.id, case)
    for every in ((), ("--everything",)):
        done = run("forget", *every, "--yes")
        assert f"  {frames} kept for a dispute\n" in done.out
        assert "nothing is to be destroyed" in done.out
        assert "`workseal-agent case list`" in done.out
        assert "outside of any case" not in done.out
    assert f"{frames} frames are kept by all means, for a dispute" in run("status").out
    with worker.ledger() as ledger, ledger.write() as writing:
        writing.note_case(worker.engagement.id, replace(case, ended=True))


def warn_of_size(run: Typed, home: Path) -> None:
    config = home / "config.toml"
    config.write_text("[vault]\nwarn_above_gib = 1\n")
    assert "more than the 1 GiB" not in run("status").out
    big = home / "vault" / "x.part"
    with big.open("wb") as file:
        file.truncate((1 << 30) + 1)
    assert "the vault has 1.0 GiB, more than the 1 GiB of your settings" in run("status").out
    big.unlink()
    config.write_text("[vault]\nwarn_above_gib = 0\n")
    # A mistake is told, and hides nothing else.
    assert "trouble: warn_above_gib" in run("status").out
    config.unlink()
