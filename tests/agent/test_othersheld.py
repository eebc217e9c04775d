import threading
from pathlib import Path
from typing import Any

import pytest

from support import builders
from support.weeks import Weeks
from support.wire import Fault, problem
from support.worker import PATIENCE_S
from workseal_agent.connection import UnreachableError
from workseal_agent.daemon import othersheld
from workseal_agent.daemon.holding import Holding
from workseal_agent.daemon.othersheld import OthersHeld, prove, wants_proof
from workseal_agent.engagement import join, read_invitation
from workseal_agent.ledger import Engagement, SendState, short_name
from workseal_agent.possession import GRACE_MS
from workseal_agent.possessionweeks import said_of
from workseal_agent.submission import Log
from workseal_agent.uplink import Uplink
from workseal_protocol.records import sign


class Others:
    """Hold weeks of frames of an engagement that rests while another one is recorded."""

    def __init__(self, folder: Path, **terms: Any) -> None:
        self.weeks = Weeks(folder, **terms)
        self.rig = self.weeks.rig
        self.recorded = self.join()
        self.weeks.begin()
        self.looked = OthersHeld(self.recorded, self.rig.ledger, self.rig.clock, self.parts)

    def join(self) -> Engagement:
        """Join a second engagement, at the same verifier."""
        rig = self.rig
        offer = builders.make_offer(
            engagement=bytes(range(32, 48)),
            terms=rig.simulator.terms(),
            claimed_at=rig.clock.true_ms,
        )
        invitation = sign(offer, rig.simulator.people.client).encode()
        return join(
            read_invitation(invitation, rig.signer.public_key),
            rig.ledger,
            rig.client,
            rig.signer,
            now_ms=rig.clock.wall_ms(),
        )

    def parts(self, engagement: Engagement) -> tuple[Holding, Uplink]:
        rig = self.rig
        holding = Holding(
            engagement,
            rig.ledger,
            rig.signer,
            self.weeks.ciphertext,
            rig.client,
            rig.clock,
            on_statement=lambda: None,
        )
        wall_ms = rig.clock.wall_ms
        return holding, Uplink(rig.ledger, rig.client, Log.of(engagement), wall_ms=wall_ms)

    def said(self) -> tuple[int, SendState | None]:
        """Return the newest week that was said of the resting engagement, and how far it is."""
        said = said_of(self.rig.ledger, self.rig.engagement, self.weeks.now_ms)
        return said.week, said.state

    def asked(self) -> int:
        return len(self.rig.wire.requests)


@pytest.fixture
def others(tmp_path: Path) -> Others:
    return Others(tmp_path)


def test_a_resting_engagement_is_proven_beside_the_recorded_one(others: Others) -> None:
    others.looked.step()
    assert others.said() == (1, SendState.RECEIPTED)
    # Nobody works for it: the week is said all the same, and shows what was committed to.
    others.weeks.begin(work=False)
    others.looked.step()
    assert others.said() == (2, SendState.RECEIPTED)
    found = others.weeks.found()
    assert [(one.week, one.shown, one.lost, one.why) for one in found.findings] == [
        (1, 0, 0, ""),
        (2, 5, 0, ""),
    ]
    assert others.looked.trouble is None


def test_between_two_weeks_nobody_is_asked_for_anything(others: Others) -> None:
    others.looked.step()
    before = others.asked()
    others.looked.step()
    assert others.asked() == before


def test_the_recorded_engagement_is_left_to_its_own_thread(others: Others) -> None:
    OthersHeld(others.rig.engagement, others.rig.ledger, others.rig.clock, others.parts).step()
    assert others.said() == (0, None)


def test_another_verifier_does_not_learn_that_this_machine_is_on(others: Others) -> None:
    with others.rig.ledger.write() as writing:
        writing._sql.execute(
            "UPDATE engagements SET url = 'http://elsewhere' WHERE id = ?",
            (others.recorded.id,),
        )
    elsewhere = next(one for one in others.rig.ledger.engagements() if one.id == others.recorded.id)
    assert elsewhere.url == "http://elsewhere"
    before = others.asked()
    OthersHeld(elsewhere, others.rig.ledger, others.rig.clock, others.parts).step()
    assert others.asked() == before
    assert others.said() == (0, None)


def test_an_engagement_whose_frames_are_all_withdrawn_is_left_alone(others: Others) -> None:
    for row in others.weeks.rows():
        others.weeks.withdraw(row)
    assert said_of(others.rig.ledger, others.rig.engagement, others.weeks.now_ms).due == 1
    assert not wants_proof(others.rig.ledger, others.rig.engagement, others.weeks.now_ms)


def test_frames_whose_days_are_over_are_nobodys_to_ask_for(others: Others) -> None:
    rig = others.rig
    days = rig.engagement.terms.retention_days
    assert wants_proof(rig.ledger, rig.engagement, others.weeks.now_ms)
    over = others.weeks.now_ms + (days + 1) * 86_400_000
    assert not wants_proof(rig.ledger, rig.engagement, over)


def test_a_copy_that_has_not_caught_up_says_nothing_of_others(others: Others) -> None:
    others.weeks.begin(send=False)
    with others.rig.ledger.write() as writing:
        writing.mark_restored(others.rig.engagement.id)
    before = others.asked()
    others.looked.step()
    assert others.asked() == before


def test_what_waits_to_be_sent_is_sent_first(tmp_path: Path) -> None:
    others = Others(tmp_path)
    others.weeks.begin(send=False)
    assert others.rig.ledger.counts(others.rig.engagement.id).unsent > 0
    others.looked.step()
    assert others.rig.ledger.counts(others.rig.engagement.id).unsent == 0
    assert others.said() == (2, SendState.RECEIPTED)
    assert others.weeks.found().failing == 0


def test_a_statement_that_could_not_be_sent_is_sent_by_the_next_look(others: Others) -> None:
    def refuse(request: Any) -> Any:
        if request.url.path == "/v1/statements":
            raise UnreachableError("away")

    others.rig.wire.fault = refuse
    others.looked.step()
    assert others.said() == (1, SendState.UNSENT)
    others.rig.wire.fault = lambda _: None
    others.looked.step()
    assert others.said() == (1, SendState.RECEIPTED)


def test_a_missing_frame_is_told_by_its_engagement_and_holds_up_no_other(others: Others) -> None:
    others.looked.step()
    others.weeks.begin(work=False)
    others.weeks.file(others.weeks.rows()[0]).unlink()
    others.looked.step()
    name = short_name(others.rig.engagement.id)
    assert others.looked.missing
    assert (others.looked.trouble or "").startswith(f"engagement {name}: not there or damaged")
    others.rig.clock.suspend(GRACE_MS / 1_000)
    others.rig.simulator.now = others.rig.clock.true_ms
    others.looked.step()
    assert (others.looked.trouble, others.looked.missing) == (None, False)
    assert others.weeks.found().lost == 1


def test_a_verifier_that_is_away_is_told_and_tried_again(others: Others) -> None:
    others.rig.wire.fault = lambda _: Fault(problem(503, "unavailable"))
    others.looked.step()
    assert (others.looked.trouble or "").startswith("engagement ")
    assert not others.looked.missing
    others.rig.wire.fault = lambda _: None
    others.looked.step()
    assert others.said() == (1, SendState.RECEIPTED)


def test_weeks_that_were_offline_are_few_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    others = Others(tmp_path)
    monkeypatch.setattr(othersheld, "_WEEKS", 2)
    others.weeks.begin()
    others.weeks.begin()
    assert prove(*others.parts(others.rig.engagement)) == 2
    assert prove(*others.parts(others.rig.engagement)) == 1
    assert prove(*others.parts(others.rig.engagement)) == 0


def test_who_stops_does_not_wait_for_it(others: Others, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(othersheld, "_FIRST_SECONDS", 0)
    stop, begun = threading.Event(), threading.Event()

    def root(_: object) -> bytes:
        begun.set()
        assert stop.wait(PATIENCE_S)
        return bytes(32)

    monkeypatch.setattr(others.weeks.ciphertext, "root", root)
    thread = threading.Thread(target=others.looked.run, args=(stop,))
    thread.start()
    assert begun.wait(PATIENCE_S)
    stop.set()
    thread.join(PATIENCE_S)
    assert not thread.is_alive()
    assert others.said() == (0, None)
