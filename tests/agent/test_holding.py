import threading
from pathlib import Path

import pytest

from support.weeks import Weeks
from support.wire import problem
from support.worker import PATIENCE_S
from workseal_agent import possession
from workseal_agent.connection import BeaconChain, UnreachableError
from workseal_agent.daemon import holding
from workseal_agent.daemon.holding import Holding
from workseal_agent.ledger import LedgerError
from workseal_agent.possession import GRACE_MS, MissingFramesError, NotYetError


class Held:
    """Hold two weeks of frames, and what says each week that they are held."""

    def __init__(self, folder: Path) -> None:
        self.weeks = Weeks(folder)
        self.weeks.begin()
        self.told: list[str] = []
        self.holding = Holding(
            self.weeks.rig.engagement,
            self.weeks.rig.ledger,
            self.weeks.rig.signer,
            self.weeks.ciphertext,
            self.weeks.rig.client,
            self.weeks.rig.clock,
            on_statement=lambda: self.told.append("sent"),
        )

    def said(self) -> int:
        return len(self.weeks.rig.ledger.of_kind(self.weeks.rig.engagement.id, "possession"))


@pytest.fixture
def held(tmp_path: Path) -> Held:
    return Held(tmp_path)


def test_it_says_the_week_and_looks_again_when_the_next_one_begins(held: Held) -> None:
    assert held.holding.step() == 60
    assert (held.said(), held.told) == (1, ["sent"])
    assert held.weeks.rig.uplink.drain(100)
    assert held.holding.step() == 3_600
    rig = held.weeks.rig
    rig.clock.suspend((held.weeks.begun_ms + 2 * 604_800_000 - held.weeks.now_ms) / 1_000 - 60)
    assert 30 < held.holding.step() <= 60
    assert held.said() == 1
    assert held.weeks.found().findings[0].why == ""


def test_a_past_week_is_said_under_the_commitment_to_its_own_value(held: Held) -> None:
    held.weeks.begin()
    for _ in range(2):
        assert held.holding.step() == 60
        assert held.weeks.rig.uplink.drain(100)
    assert [(one.week, one.why) for one in held.weeks.found().findings] == [(1, ""), (2, "")]


def test_the_value_is_believed_only_as_what_was_committed_to(
    held: Held, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(held.weeks.rig.client, "beacon_value", lambda *_: bytes(32))
    with pytest.raises(UnreachableError, match="not the committed one"):
        held.holding.step()
    assert held.said() == 0


def test_a_commitment_of_other_rounds_is_none(held: Held, monkeypatch: pytest.MonkeyPatch) -> None:
    # A verifier that does not know the question answers with the commitment in force.
    real = held.weeks.rig.client.beacon(60_000)
    later = BeaconChain(real.first_round + 1_000, real.count, real.head, real.commitment)
    monkeypatch.setattr(held.weeks.rig.client, "beacon", lambda *_: later)
    with pytest.raises(UnreachableError):
        held.holding.step()
    assert held.said() == 0


def test_a_value_that_nobody_has_is_no_trouble(held: Held, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(held.weeks.rig.wire, "_beacon", lambda _: problem(404, "not-found"))
    assert held.holding.step() == 3_600
    assert held.said() == 0


def test_a_value_that_comes_later_is_waited_for(
    held: Held, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(held.weeks.rig.wire, "_value", lambda _: problem(425, "too-early"))
        with pytest.raises(Exception, match="too-early"):
            held.holding.step()
    assert held.holding.step() == 60


def test_who_is_offline_does_not_read_the_chain_for_it(
    held: Held, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> None:
        raise UnreachableError("no network")

    def read(*_: object) -> None:
        raise AssertionError("the chain was read")

    monkeypatch.setattr(held.weeks.rig.client, "beacon", away)
    monkeypatch.setattr(possession, "fold_held", read)
    with pytest.raises(UnreachableError):
        held.holding.step()


def test_what_goes_on_failing_is_tried_ever_more_rarely(
    held: Held, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop, waits = threading.Event(), list[float]()
    outcomes = [NotYetError("frames wait")] * 8 + [None, LedgerError("full"), LedgerError("full")]

    def step(_: object) -> float:
        outcome = outcomes.pop(0)
        if outcome is not None:
            raise outcome
        return 7

    def wait(seconds: float) -> bool:
        waits.append(seconds)
        return not outcomes

    monkeypatch.setattr(held.holding, "step", step)
    monkeypatch.setattr(stop, "wait", wait)
    held.holding.run(stop)
    assert waits == [30, 60, 120, 240, 480, 960, 1_920, 3_600, 3_600, 7, 300, 600]


@pytest.fixture
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("_FIRST_SECONDS", "_LOOK_SECONDS", "_SOON_SECONDS", "_TROUBLED_SECONDS"):
        monkeypatch.setattr(holding, name, 0)


@pytest.mark.usefixtures("fast")
def test_what_fails_is_told_and_tried_again(held: Held, monkeypatch: pytest.MonkeyPatch) -> None:
    stop, told, missing = threading.Event(), [], []
    failures: list[Exception] = [
        LedgerError("the ledger cannot be written: disk full"),
        MissingFramesError("1 of 5 frames drawn for the weekly proof is not there"),
        NotYetError("frames wait"),
        ValueError("whatever"),
    ]

    def fail(_: object) -> float:
        told.append(held.holding.trouble)
        missing.append(held.holding.missing)
        if failures:
            raise failures.pop(0)
        stop.set()
        return 0

    monkeypatch.setattr(held.holding, "step", fail)
    held.holding.run(stop)
    assert told == [
        None,
        "the weekly proof of your frames waits: the ledger cannot be written: disk full",
        "1 of 5 frames drawn for the weekly proof is not there",
        "1 of 5 frames drawn for the weekly proof is not there",
        "the weekly proof of your frames waits: something unexpected failed (ValueError)",
    ]
    # Told once more than a reason lasts, until it is over.
    assert missing == [False, False, True, True, True]
    assert (held.holding.trouble, held.holding.missing) == (None, False)


@pytest.mark.usefixtures("fast")
def test_who_stops_does_not_wait_for_a_long_piece_of_work(
    held: Held, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop, begun = threading.Event(), threading.Event()

    def root(_: object) -> bytes:
        begun.set()
        assert stop.wait(PATIENCE_S)
        return bytes(32)

    monkeypatch.setattr(held.weeks.ciphertext, "root", root)
    thread = threading.Thread(target=held.holding.run, args=(stop,))
    thread.start()
    assert begun.wait(PATIENCE_S)
    stop.set()
    thread.join(PATIENCE_S)
    assert not thread.is_alive()
    assert held.said() == 0


def test_a_killed_process_says_the_same_week_once(held: Held) -> None:
    held.holding.step()
    held.weeks.rig.kill()
    again = Holding(
        held.weeks.rig.engagement,
        held.weeks.rig.ledger,
        held.weeks.rig.signer,
        held.weeks.ciphertext,
        held.weeks.rig.client,
        held.weeks.rig.clock,
        on_statement=lambda: None,
    )
    assert again.step() == 3_600
    assert held.said() == 1
    assert held.weeks.rig.uplink.drain(100)
    assert held.weeks.found().failing == 0


def test_frames_that_are_missing_are_told_before_they_are_called_lost(held: Held) -> None:
    held.holding.step()
    assert held.weeks.rig.uplink.drain(100)
    held.weeks.begin()
    for row in held.weeks.rows()[:2]:
        held.weeks.file(row).unlink()
    with pytest.raises(MissingFramesError) as caught:
        held.holding.step()
    said = str(caught.value)
    assert said.startswith("not there or damaged for the weekly proof: 2 frames. Restore from")
    held.weeks.rig.clock.suspend(GRACE_MS / 1_000)
    held.weeks.rig.simulator.now = held.weeks.rig.clock.true_ms
    assert held.holding.step() == 60
    assert held.weeks.rig.uplink.drain(100)
    assert held.weeks.found().lost == 2
