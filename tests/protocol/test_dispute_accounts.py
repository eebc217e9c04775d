"""What people told of their disputes, played as whole cases: work, log, bundle, case, case file.

Each claim names what went wrong for them elsewhere, and is shown not to go wrong here.
"""

import csv
import io
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from support.acting import ScriptedAgent
from support.builders import octets
from support.casefiles import Told, work_and_quarrel
from support.cases import Play
from support.simulator import START
from workseal_protocol.casefile import (
    CaseFileReport,
    Logged,
    examine_case_file,
    make_case_file,
    replay,
)
from workseal_protocol.chain import ChainError
from workseal_protocol.chain import Rule as ChainRule
from workseal_protocol.cli.calendars import holiday_days
from workseal_protocol.desk import Material, Outcome, examine_hours, gather
from workseal_protocol.digest import Digest
from workseal_protocol.dispute import CaseError, Rule, Span, State, count_due
from workseal_protocol.keys import Role
from workseal_protocol.records import (
    Act,
    Capture,
    DeclarationForm,
    DisputeAct,
    DisputeFiling,
    Refusal,
    Segment,
    SheetAnswer,
    Verdict,
    read_record,
)
from workseal_protocol.timesheets import Agreement
from workseal_protocol.totals import Totals
from workseal_protocol.verify import examine_bundle

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000


def totals_of(told: Told) -> Totals:
    report = told.report
    assert report.holds, report.first_problem
    assert report.totals is not None
    return report.totals


def billed_in(told: Told) -> tuple[int, int]:
    billed = totals_of(told).billed
    return billed.ms, billed.amount


def material_of(told: Told) -> Material:
    return gather(told.report, openings=told.openings)


def stranger(told: Told, *, sealed: bool = True) -> CaseFileReport:
    """Verify the case file of it all as a stranger would, who comes to the same sums and head."""
    found = replay(told.statements, told.play.case.terms, Logged.of(told.report))
    files = make_case_file(told.parts(sealed=sealed), found, Logged.of(told.report).entries)
    report = examine_case_file(files, told.policy)
    assert report.holds, report.steps
    assert report.bundle is not None
    assert report.replayed is not None
    assert report.bundle.totals == totals_of(told)
    assert report.replayed.case.head == told.play.case.head
    return report


def moves_of(report: CaseFileReport) -> list[str]:
    assert report.replayed is not None
    return [one.move for one in report.replayed.told]


def require_nobody_decides(play: Play) -> None:
    """Require that no party, operator or clock can end the case for or against anybody now."""
    case = play.case
    assert (case.decision, case.closed_at) == (None, None)
    for key, role in case.parties.roles.items():
        for at in (play.now, play.now + 400 * DAY):
            deciding = {"decide", "draft"} & set(case.allowed(key, at))
            assert not deciding or key == case.arbitrator, role
    for role in (Role.CLIENT, Role.FREELANCER, Role.OPERATOR):
        refused(None, lambda: play.act(role, Act.DECIDE))  # noqa: B023
    assert play.case is case


def refused(rule: Rule | None, act: Callable[[], object]) -> None:
    with pytest.raises(CaseError) as caught:
        act()
    assert rule in (None, caught.value.rule), caught.value


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
    (cover,) = examine_hours(material_of(told), (1,)).checks
    assert "0 h 20 min 00 s of 0 h 30 min 00 s are recorded as worked" in cover.sentence
    # With a picture in each round the sums are the same, to the cent.
    often = work_and_quarrel(lambda play: play.heard(), slices, capture_rate=65_536)
    few, many = totals_of(told), totals_of(often)
    assert 0 < few.captured == captures < many.captured
    assert (many.worked_ms, many.billed) == (few.worked_ms, few.billed)
    assert few.billed.ms == 20 * MINUTE
    assert told.play.case.state is State.APPEAL
    stranger(told)


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
    kept = totals_of(work_and_quarrel(lambda play: play.heard(), slices))
    assert (kept.withdrawn, kept.frames) == (0, totals.frames)
    assert (kept.worked_ms, kept.billed, kept.days) == (
        totals.worked_ms,
        totals.billed,
        totals.days,
    )
    stranger(told)


# --- a picture of the music player, denied by staff, checkable by nobody ---


class Listener(ScriptedAgent):
    """Have a music player on the screen whenever a picture is taken."""

    def _pixels(self, number: int) -> bytes:
        del number
        return bytes((30, 215, 96)) * (self.size[0] * self.size[1])


class Lurker(Listener):
    """Take a picture in a round that no draw named, because there is music."""

    def _capture(self, *args: Any) -> Any:
        found = super()._capture(*args)
        if found[0] is not Capture.NONE:
            return found
        terms = self.terms
        self.terms = replace(terms, capture_rate=65_536)
        try:
            return super()._capture(*args)
        finally:
            self.terms = terms


def test_a_capture_that_no_draw_named_is_refused_by_whoever_computes_the_draws_again() -> None:
    with pytest.raises(ChainError, match="no capture was drawn in round") as refused:
        work_and_quarrel(lambda play: play.heard(), slices, make=Lurker)
    assert refused.value.rule is ChainRule.CAPTURE


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
    accept: list[Callable[[], object]] = []

    def working(agent: ScriptedAgent) -> None:
        slices(agent)
        day = datetime.fromtimestamp(agent.verifier.now / 1000, UTC).date()
        sheet = agent.sum_up(day, day)
        accept.append(lambda: agent.reply(sheet, SheetAnswer.ACCEPTED))

    def quarrel(play: Play) -> None:
        play.heard().shown(1).granted(2).request()
        withheld = {"code": Refusal.THIRD_PARTY_NDA, "text": "their NDA"}
        play.act(Role.FREELANCER, Act.WITHHOLD, **withheld)
        reason = play.case.head
        require_nobody_decides(play)
        play.act(Role.CLIENT, Act.COMMENT)
        require_nobody_decides(play)
        # The next level can be asked for: a refusal is an answer, and no loss.
        assert (play.case.state, play.case.reached) == (State.EVIDENCE, 2)
        refused(
            Rule.AMOUNT,
            lambda: play.act(
                Role.ARBITRATOR, Act.DRAFT, cites=(reason,), code=Verdict.DISMISSED, amount=1
            ),
        )
        decide(play, Verdict.DISMISSED, 0, reason)
        accept[-1]()

    told = work_and_quarrel(quarrel, working)
    report = stranger(told, sealed=False)
    assert report.bundle is not None
    zone = ZoneInfo(told.play.case.terms.zone)
    (week,) = examine_bundle(told.bundle, told.policy, zone=zone).timesheets
    assert week.agreement is Agreement.AGREES, week.why
    assert week.answer is not None
    assert week.answer.answer is SheetAnswer.ACCEPTED
    assert (week.record.billed_ms, week.record.amount) == billed_in(told)
    assert totals_of(told).worked_ms == 20 * MINUTE
    assert report.bundle.bundle is not None
    assert report.bundle.bundle.contents.disclosures == ()
    assert material_of(told).frames == ()
    # In the case, nothing was ever shown above numbers, and nothing sealed lies beside it.
    assert {"disclosure", "finding", "approve"}.isdisjoint(moves_of(report))
    # What was opened at level 1 are numbers: input was there, and no check noticed anything.
    assert not examine_hours(material_of(told), (8, 9)).noticed


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
        # Of three working days from then this would have been the second; nothing can be cut short.
        three = count_due(Span(ms(2026, 7, 2), 3), days)
        assert datetime.fromtimestamp(three.until / 1000, UTC).date().isoformat() == "2026-07-08"
        require_nobody_decides(play)
        refused(Rule.TIME, lambda: play.act(Role.OPERATOR, Act.LAPSE))
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
    report = stranger(told)
    assert report.replayed is not None
    assert (report.replayed.case.late, report.replayed.case.answered) == (frozenset(), True)
    assert "lapse" not in moves_of(report)
    # Whoever has the file counts the same deadline again from what is written in it.
    notice = read_record(told.statements[1])
    assert isinstance(notice, DisputeAct)
    assert notice.place.due == count_due(Span(ms(2026, 7, 2), 10, least_days=14), days)


def test_even_silence_is_heard_by_a_person_and_can_be_broken_late() -> None:
    def quarrel(play: Play) -> None:
        play.act(Role.OPERATOR, Act.NOTICE)
        for state in (State.SECOND, State.DRAW):
            require_nobody_decides(play)
            assert play.lapse().case.state is state
        require_nobody_decides(play)
        play.seat()
        assert not play.case.answered
        play.act(Role.FREELANCER, Act.ANSWER)
        decide(play, Verdict.DISMISSED, 0)

    told = work_and_quarrel(quarrel, slices)
    report = stranger(told)
    assert report.replayed is not None
    assert report.replayed.case.answered
    # It came after two deadlines and counts, and who decided is the person that was drawn.
    moves = moves_of(report)
    assert moves[2:5] == ["lapse", "lapse", "draw"]
    assert moves.index("answer") > moves.index("draw")
    assert report.replayed.told[-1].statement.issuer == report.replayed.case.arbitrator


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
        # Reasons cite what stands in the case, and not what nobody handed over.
        unseen = {"cites": (Digest.of(b"another message"),), "amount": 65_000}
        refused(Rule.CITATION, lambda: play.act(Role.ARBITRATOR, Act.DRAFT, **unseen))
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
    assert any("Files handed over beside that are not here: 1." in s for s in report.not_proven)
    stranger(told)


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
    moves = moves_of(stranger(told))
    assert "lapse" not in moves
    assert moves[-1] == "decide"

    def say_nothing(play: Play) -> None:
        play.act(Role.OPERATOR, Act.NOTICE)
        for _ in range(2):
            require_nobody_decides(play)
            play.lapse()
        require_nobody_decides(play)

    silent = work_and_quarrel(say_nothing, declaring)
    # The freelancer says nothing at all: the case waits for a person, and no sum has changed.
    assert silent.play.case.state is State.DRAW
    assert silent.play.case.decision is None
    assert totals_of(silent) == totals
    stranger(silent)
    # Beside what was recorded, and never in one sum with it.
    recorded = totals_of(work_and_quarrel(lambda play: play.heard(), slices))
    assert (recorded.late_declared_ms, recorded.worked_ms) == (0, totals.worked_ms)
    assert totals.by_state == recorded.by_state
