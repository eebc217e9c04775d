import re
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from support import builders
from support.pseudo import PSEUDO, english_in, speaking
from support.rig import Rig
from workseal_agent.bus import BusError
from workseal_agent.daemon import telling as module
from workseal_agent.daemon.telling import Telling
from workseal_agent.language import own
from workseal_agent.ledger import SendState
from workseal_agent.notices import Notice
from workseal_agent.vaultkey import generate_private, public_of
from workseal_protocol.records import DisputeRequest, RequestedFrame, sign

HOUR = 3_600
TROUBLE = "the ledger cannot be written"


class Watched:
    """Hold a telling of a rig, whose looks a test makes, and what it had shown."""

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        self.shown: list[Notice] = []
        self.mute = False
        self.telling = Telling(rig.engagement, rig.ledger, rig.uplink, rig.clock, self._show)

    def _show(self, notice: Notice) -> None:
        if self.mute:
            raise BusError("nobody shows notices")
        self.shown.append(notice)

    def minutes(self, count: int, trouble: str | None = None) -> list[str]:
        """Let minutes pass, with a look in each; returns what was shown."""
        before = len(self.shown)
        for _ in range(count):
            self.telling.look(trouble)
            self.rig.clock.run(60)
        return [one.summary.removeprefix("Workseal: ") for one in self.shown[before:]]


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig(tmp_path, capture_rate=65_536, max_offline_ms_per_week=1_000_000)


@pytest.fixture
def watched(rig: Rig) -> Iterator[Watched]:
    watched = Watched(rig)
    yield watched
    # Whatever a test had shown can be said in another language, whole.
    with speaking(PSEUDO):
        told = [own(text) for one in watched.shown for text in (one.summary, one.body)]
    short = rig.engagement.id.hex()[:8]
    for text in told:
        assert not english_in(re.sub(rf"`[^`]*`|{short}", "", text)), text


def test_while_all_is_well_nothing_is_said(rig: Rig, watched: Watched) -> None:
    rig.recorder.start()
    rig.work(120)
    assert watched.minutes(120) == []


def test_a_trouble_is_told_once_and_again_only_hours_after_it_had_ended(watched: Watched) -> None:
    assert watched.minutes(30, TROUBLE) == ["time is not being stored"]
    assert watched.minutes(2) == []
    assert watched.minutes(30, TROUBLE) == []
    watched.minutes(6 * 60)
    assert watched.minutes(30, TROUBLE) == ["time is not being stored"]
    assert watched.minutes(24 * 60, TROUBLE) == []


def test_frames_that_are_missing_are_told_while_they_can_come_back(rig: Rig) -> None:
    watched = Watched(rig)
    missing = [True]
    watched.telling = Telling(
        rig.engagement,
        rig.ledger,
        rig.uplink,
        rig.clock,
        watched._show,
        missing=lambda: missing[0],
    )
    assert watched.minutes(30) == ["frames are missing"]
    missing[0] = False
    assert watched.minutes(30) == []


def test_a_case_that_holds_up_the_forgetting_is_told_until_it_is_read(rig: Rig) -> None:
    watched = Watched(rig)
    unread = [True]
    watched.telling = Telling(
        rig.engagement,
        rig.ledger,
        rig.uplink,
        rig.clock,
        watched._show,
        unread=lambda: unread[0],
    )
    assert watched.minutes(30) == ["a case runs that you have not read"]
    assert "`workseal-agent case list`" in watched.shown[0].body
    unread[0] = False
    assert watched.minutes(30) == []


def test_a_full_disk_is_told_while_it_is_full(rig: Rig) -> None:
    watched = Watched(rig)
    full = [True]
    watched.telling = Telling(
        rig.engagement,
        rig.ledger,
        rig.uplink,
        rig.clock,
        watched._show,
        cramped=lambda: full[0],
    )
    assert watched.minutes(30) == ["the disk is full"]
    full[0] = False
    assert watched.minutes(30) == []


def test_a_trouble_that_passes_by_itself_is_none(watched: Watched) -> None:
    for _ in range(10):
        watched.telling.look(TROUBLE)
        watched.rig.clock.run(30)
        watched.telling.look(TROUBLE)
        assert watched.minutes(1) == []
    assert watched.shown == []


def test_a_notice_holds_no_word_of_what_went_wrong(rig: Rig, watched: Watched) -> None:
    """Whoever sees the screen learns a short number, and not which client's address failed."""
    watched.minutes(3, "the ledger of https://acme.example cannot be written")
    (notice,) = watched.shown
    assert notice.body.startswith(f"Engagement {rig.engagement.id.hex()[:8]}: ")
    assert "acme" not in notice.summary + notice.body


def test_two_things_are_told_ten_minutes_apart(rig: Rig, watched: Watched) -> None:
    rig.recorder.start()
    rig.uplink.halted = True
    park(rig)
    assert watched.minutes(9) == ["sending has stopped"]
    assert watched.minutes(10) == ["a statement was refused"]


def park(rig: Rig) -> None:
    row = next(iter(rig.ledger.chain(rig.engagement.id)))
    with rig.ledger.write() as writing:
        writing.park(row.digest, "refused: the rule of this test")


def test_a_desktop_that_shows_nothing_now_is_asked_again_later(rig: Rig, watched: Watched) -> None:
    rig.uplink.halted = True
    watched.mute = True
    assert watched.minutes(9) == []
    watched.mute = False
    assert watched.minutes(10) == ["sending has stopped"]


def test_an_arbitrators_request_is_told_with_its_day_and_once_more_before_it(
    rig: Rig, watched: Watched
) -> None:
    rig.recorder.start()
    rig.work(30)
    row = rig.ledger.captures(rig.engagement.id)[0]
    record = DisputeRequest(
        engagement=builders.ENGAGEMENT,
        claimed_at=rig.clock.wall_ms(),
        frames=(RequestedFrame(row.segment, row.commitment),),
        reason="zanzibar",
        sealing_key=public_of(generate_private()),
        answer_by=rig.clock.wall_ms() + 3 * 24 * HOUR * 1000,
    )
    statement = sign(record, rig.simulator.people.arbitrator)
    with rig.ledger.write() as writing:
        writing.add_statement(rig.engagement.id, statement, state=SendState.HELD)
    assert watched.minutes(120) == ["an arbitrator's request waits"]
    assert "2026-" in watched.shown[0].body
    assert "zanzibar" not in watched.shown[0].body
    rig.clock.run(46 * HOUR)
    assert watched.minutes(120) == ["an arbitrator's request waits"]
    rig.clock.run(24 * HOUR)
    assert watched.minutes(120) == []


def test_the_offline_limit_is_told_when_it_is_near(rig: Rig, watched: Watched) -> None:
    rig.recorder.start()
    rig.work(60)
    rig.cut(up=False)
    rig.work(700)
    assert watched.minutes(1) == []
    rig.work(150)
    rig.clock.run(HOUR)
    assert watched.minutes(1) == ["the offline limit is near"]
    assert "0.2 of 0.3 hours" in watched.shown[0].body


def test_a_look_that_fails_ends_nothing(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_LOOK_SECONDS", 0.001)
    stop, looks = threading.Event(), list[int]()

    def trouble() -> str | None:
        looks.append(1)
        if len(looks) == 3:
            stop.set()
        raise RuntimeError("whoever is asked fails")

    watched.telling.run(stop, trouble)
    assert looks == [1, 1, 1]
