"""What people told of their disputes, played as whole cases: work, log, bundle, case, case file.

Each claim names what went wrong for them elsewhere, and is shown not to go wrong here.
"""

import csv
import io
from dataclasses import replace
from datetime import UTC, datetime

from support.acting import ScriptedAgent
from support.builders import octets
from support.casefiles import Told, work_and_quarrel
from support.cases import Play
from support.simulator import START
from workseal_protocol.casefile import Told as OneTold
from workseal_protocol.casefile import examine_case_file
from workseal_protocol.cli.calendars import holiday_days
from workseal_protocol.desk import Material, Outcome, examine_hours, gather
from workseal_protocol.digest import Digest
from workseal_protocol.dispute import State
from workseal_protocol.keys import Role
from workseal_protocol.records import (
    Act,
    Capture,
    DeclarationForm,
    DisputeAct,
    DisputeFiling,
    Refusal,
    Segment,
    Verdict,
    read_record,
)
from workseal_protocol.totals import Totals

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000


def totals_of(told: Told) -> Totals:
    report = told.report
    assert report.holds, report.first_problem
    assert report.totals is not None
    return report.totals


def material_of(told: Told) -> Material:
    return gather(told.report, openings=told.openings)


def whole(told: Told) -> bool:
    """Say whether the case file of it all verifies, as a stranger would see it."""
    return examine_case_file(told.files(), told.policy).holds


def decide(play: Play, verdict: Verdict, amount: int, *cites: Digest) -> Play:
    """Draft, hear both, and decide with reasons that cite."""
    said = {"text": "for the reasons cited", "code": verdict, "amount": amount}
    cited = cites or (play.case.case,)
    play.act(Role.ARBITRATOR, Act.DRAFT, cites=cited, **said).both(Act.COMMENT)
    return play.act(Role.ARBITRATOR, Act.DECIDE, cites=cited, **said)


def slices(agent: ScriptedAgent) -> None:
    """Work for two minutes, pause for ten, work for eighteen."""
    agent.work(2 * MINUTE)
    agent.pause(10 * MINUTE)
    agent.work(18 * MINUTE)


# --- a capture stood for ten minutes, whether two had passed or eighteen ---


def test_two_and_eighteen_minutes_are_two_and_eighteen_minutes() -> None:
    told = work_and_quarrel(lambda play: decide(play.heard(), Verdict.DISMISSED, 0), slices)
    assert totals_of(told).worked_ms == 20 * MINUTE
    segments = [entry.record for entry in told.report.entries if isinstance(entry.record, Segment)]
    first = [one.worked for one in segments if one.begin < START + 5 * MINUTE]
    assert sum(first) == 2 * MINUTE
    captures = sum(one.capture is Capture.CAPTURED for one in segments)
    assert captures * 10 * MINUTE != 20 * MINUTE
    assert told.play.case.state is State.APPEAL
    assert whole(told)


# --- deleting a picture deleted its paid time ---


def test_withdrawn_frames_cost_no_minute_and_are_told() -> None:
    def withdrawing(agent: ScriptedAgent) -> None:
        slices(agent)
        agent.send()
        for frame in tuple(agent.frames[:2]):
            agent.withdraw(frame)

    def quarrel(play: Play) -> None:
        decide(play.heard().shown(1), Verdict.DISMISSED, 0)

    told = work_and_quarrel(quarrel, withdrawing, max_withdrawn_percent=50)
    totals = totals_of(told)
    assert (totals.worked_ms, totals.withdrawn) == (20 * MINUTE, 2)
    (cover, schedule) = examine_hours(material_of(told), (1, 2)).checks
    assert f"{totals.frames} frames were taken, 2 of them withdrawn" in cover.sentence
    assert cover.outcome is schedule.outcome is Outcome.NOTHING
    assert whole(told)


# --- a picture of the music player, denied by staff, checkable by nobody ---


class Listener(ScriptedAgent):
    """Have a music player on the screen whenever a picture is taken."""

    def _pixels(self, number: int) -> bytes:
        del number
        return bytes((30, 215, 96)) * (self.size[0] * self.size[1])


def test_captures_come_when_they_were_drawn_whatever_is_on_the_screen() -> None:
    def quarrel(play: Play) -> None:
        play.heard()

    music = work_and_quarrel(quarrel, slices, make=Listener)
    other = work_and_quarrel(quarrel, slices)

    def rounds(told: Told) -> list[int]:
        material = material_of(told)
        return [one.segment.round for one in material.places if one.segment.frames]

    assert rounds(music) == rounds(other) != []
    for told in (music, other):
        (schedule,) = examine_hours(material_of(told), (2,)).checks
        assert schedule.outcome is Outcome.NOTHING
        assert "0 are told that were not due" in schedule.sentence
        assert totals_of(told).worked_ms == 20 * MINUTE


# --- under an NDA nothing may be shown ---


def test_hours_are_accepted_with_no_pixel_disclosed() -> None:
    def quarrel(play: Play) -> None:
        play.heard().shown(1).granted(2).request()
        play.act(Role.FREELANCER, Act.WITHHOLD, code=Refusal.THIRD_PARTY_NDA, text="their NDA")
        play.act(Role.CLIENT, Act.COMMENT)
        decide(play, Verdict.DISMISSED, 0)

    told = work_and_quarrel(quarrel, slices)
    case = told.play.case
    assert (case.state, case.reached) == (State.APPEAL, 2)
    assert told.report.bundle is not None
    assert told.report.bundle.contents.disclosures == ()
    assert material_of(told).frames == ()
    record = read_record(told.statements[-1])
    assert isinstance(record, DisputeAct)
    assert (record.code, record.amount) == (Verdict.DISMISSED, 0)
    # What was opened at level 1 are numbers: input was there, and no check noticed anything.
    assert not examine_hours(material_of(told), (8, 9)).noticed
    assert whole(told)


# --- three days to answer, over the fourth of July ---


def ms(year: int, month: int, day: int, hour: int = 9) -> int:
    return int(datetime(year, month, day, hour, tzinfo=UTC).timestamp() * 1000)


def test_three_days_over_the_fourth_of_july_forfeit_nothing() -> None:
    days = holiday_days("US", "Europe/Berlin")
    answered: list[int] = []

    def quarrel(play: Play) -> None:
        play.act(Role.OPERATOR, Act.NOTICE)
        assert play.case.due is not None
        # Filed on Thursday 2 July 2026; Friday is the observed holiday. Ten working days end on
        # Friday the 17th, and three calendar days would have been over on Sunday.
        until = datetime.fromtimestamp(play.case.due.until / 1000, UTC)
        assert until.date().isoformat() == "2026-07-17"
        play.wait(5 * DAY)
        assert play.case.state is State.ANSWER
        assert play.case.allowed(play.signer_of(Role.OPERATOR).public_key.thumbprint, play.now) == (
            "outage",
        )
        play.act(Role.FREELANCER, Act.ANSWER)
        answered.append(play.now)
        play.act(Role.CLIENT, Act.END).seat()
        decide(play, Verdict.DISMISSED, 0)

    told = work_and_quarrel(
        quarrel,
        slices,
        filed=ms(2026, 7, 2),
        calendars={Role.FREELANCER: days, Role.CLIENT: days},
        freelancer_calendar="US",
        client_calendar="US",
    )
    assert answered == [ms(2026, 7, 7)]
    assert not told.play.case.late
    assert whole(told)


def test_even_silence_is_heard_by_a_person_and_can_be_broken_late() -> None:
    def quarrel(play: Play) -> None:
        play.act(Role.OPERATOR, Act.NOTICE).lapse().lapse()
        assert play.case.state is State.DRAW
        play.seat().act(Role.FREELANCER, Act.ANSWER)
        decide(play, Verdict.DISMISSED, 0)

    told = work_and_quarrel(quarrel, slices)
    assert told.play.case.answered
    record = read_record(told.statements[-1])
    assert isinstance(record, DisputeAct)
    assert record.code is Verdict.DISMISSED
    assert whole(told)


# --- nobody read the messages ---


def test_a_misunderstanding_in_the_messages_stands_in_the_reasons() -> None:
    """And a stranger reads them, as each party handed them over, out of the case file."""
    exhibits: list[Digest] = []
    said = {
        Role.FREELANCER: b"4 May, client: please do the report for that month",
        Role.CLIENT: b"4 May, client: please do the report for that month\n2 June: of June!",
    }
    handed = {role: text + octets(role.name)[:16] for role, text in said.items()}

    def quarrel(play: Play) -> None:
        play.heard()
        for role, data in handed.items():
            value = Digest.of(data).raw
            play.act(role, Act.EXHIBIT, value=value, text="our messages of that day")
            exhibits.append(play.case.head)
        decide(play, Verdict.IN_PART, 65_000, *exhibits)

    told = replace(work_and_quarrel(quarrel, slices), exhibits=tuple(handed.values()))
    record = read_record(told.statements[-1])
    assert isinstance(record, DisputeAct)
    assert record.cites == tuple(exhibits)
    files = told.files()
    assert all(str(one) in files["data/decision.txt"].decode() for one in exhibits)
    rows = list(csv.DictReader(io.StringIO(files["data/custody.csv"].decode())))
    assert rows[-1]["contents"] == " ".join(map(str, exhibits))
    # Of each statement that the decision cites, what stood in the messages, and whose they are.
    cited = [row for row in rows if row["statement"] in rows[-1]["contents"].split()]
    read = {row["role"]: files[row["exhibit"]][:-16] for row in cited}
    assert read == {role.name.lower(): text for role, text in said.items()}
    # Who is handed only one half of them is told so.
    less = replace(told, exhibits=told.exhibits[:1])
    report = examine_case_file(less.files(), told.policy)
    assert report.holds
    assert any("1 files that were handed over beside are not here" in s for s in report.not_proven)
    assert whole(told)


# --- time entered by hand was refunded by itself ---


def test_declared_time_is_its_own_class_and_no_silence_refunds_it() -> None:
    def declaring(agent: ScriptedAgent) -> None:
        slices(agent)
        end = agent.verifier.now - 20 * HOUR
        agent.declare(DeclarationForm.LATE, end - HOUR, end, 50 * MINUTE)

    def quarrel(play: Play) -> None:
        filing = read_record(play.told[0][0])
        assert isinstance(filing, DisputeFiling)
        play.heard().shown(1)
        decide(play, Verdict.IN_PART, 32_500, play.told[0][0].digest)

    told = work_and_quarrel(quarrel, declaring)
    totals = totals_of(told)
    assert (totals.worked_ms, totals.late_declared_ms) == (20 * MINUTE, 50 * MINUTE)
    moves = [one.move for one in _told(told)]
    assert "lapse" not in moves
    assert moves[-1] == "decide"
    silent = work_and_quarrel(
        lambda play: play.act(Role.OPERATOR, Act.NOTICE).lapse().lapse(), declaring
    )
    # The freelancer says nothing at all: the case waits for a person, and no sum has changed.
    assert silent.play.case.state is State.DRAW
    assert silent.play.case.decision is None
    assert totals_of(silent) == totals
    assert whole(told)


def _told(told: Told) -> tuple[OneTold, ...]:
    report = examine_case_file(told.files(), told.policy)
    assert report.replayed is not None
    return report.replayed.told
