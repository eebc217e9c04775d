"""What a case file says of frames, against the chain in its bundle."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache

import pytest

from support.acting import ScriptedAgent
from support.builders import digest
from support.casefiles import Told, work_and_quarrel
from support.cases import HOUR, Play
from workseal_protocol.casefile import CaseFileReport, examine_case_file
from workseal_protocol.cli.acting.naming import frames_to_name
from workseal_protocol.cli.problem import CommandError
from workseal_protocol.dispute import FrozenFrame, freeze_frames
from workseal_protocol.keys import Role
from workseal_protocol.records import (
    Act,
    DisputeRequest,
    Freeze,
    Holding,
    RequestedFrame,
    Segment,
    Stratum,
    read_record,
)
from workseal_protocol.verify import Outcome

ALL = 100
Change = Callable[[tuple[FrozenFrame, ...]], Freeze]


def to_level_2(play: Play, freeze: Change = freeze_frames) -> Play:
    """Go up to a draw of the frames of some hours, frozen as somebody would have it."""
    until = play.case.filing.begin + 2 * HOUR
    assert play.chain is not None
    play.chain = [one for one in play.chain if not _later(one[1], until)]
    play.heard().shown(1)
    # One of two may be the one that was withdrawn.
    asked = play.question(2) | {"freeze": freeze(play.frames), "count": 2, "end": until}
    play.act(Role.ARBITRATOR, Act.ASK, **asked).both(Act.PASS).act(Role.ARBITRATOR, Act.RULE)
    return play.sampled()


def _later(record: object, until: int) -> bool:
    return isinstance(record, Segment) and record.begin >= until


def working(agent: ScriptedAgent) -> None:
    """Work, and withdraw one frame."""
    agent.work(1_800_000)
    agent.send()
    agent.withdraw(agent.frames[0])


def longer(agent: ScriptedAgent) -> None:
    """Work once more when the hours in dispute are over."""
    working(agent)
    agent.pause(2 * HOUR)
    agent.work(120_000)


def examined(told: Told) -> CaseFileReport:
    return examine_case_file(told.files(), told.policy)


def ninth(report: CaseFileReport) -> tuple[Outcome, str]:
    assert {one.outcome for one in report.steps[:8]} == {Outcome.HOLDS}, report.steps
    step = report.steps[8]
    assert (step.number, step.name) == (9, "frames")
    return step.outcome, step.why


def quarrelled(
    quarrel: Callable[[Play], object],
    *,
    work: Callable[[ScriptedAgent], object] = working,
    logged: int = 0,
) -> CaseFileReport:
    return examined(work_and_quarrel(quarrel, work, logged=logged, max_withdrawn_percent=50))


def unreached(report: CaseFileReport) -> list[str]:
    return [one for one in report.not_proven if "Freezes and requests for frames" in one]


@cache
def honest() -> CaseFileReport:
    def quarrel(play: Play) -> None:
        to_level_2(play).request().disclose().act(Role.CLIENT, Act.COMMENT)
        play.shown(3).granted(4).request()

    return quarrelled(quarrel, logged=ALL)


def test_honest_frames_are_compared_and_hold() -> None:
    assert ninth(honest()) == (Outcome.HOLDS, "1 freeze, 3 requests for frames")
    assert unreached(honest()) == []


def fewer(frames: tuple[FrozenFrame, ...]) -> Freeze:
    return freeze_frames(frames[1:])


def other(frames: tuple[FrozenFrame, ...]) -> Freeze:
    return freeze_frames((replace(frames[0], frame=digest("other")), *frames[1:]))


def hidden(frames: tuple[FrozenFrame, ...]) -> Freeze:
    """Call a frame that was withdrawn a kept one."""
    return freeze_frames([replace(one, holding=Holding.KEPT) for one in frames])


def strange(frames: tuple[FrozenFrame, ...]) -> Freeze:
    """Claim 111 frames on days outside of the hours."""
    days = (Stratum(Holding.KEPT, 20_000, 111),)
    return Freeze(digest("freeze"), tuple(sorted((*freeze_frames(frames).strata, *days))))


def more(frames: tuple[FrozenFrame, ...]) -> Freeze:
    """Claim a frame more on a day of the hours."""
    first, *rest = freeze_frames(frames).strata
    return Freeze(digest("freeze"), (replace(first, count=first.count + 1), *rest))


@pytest.mark.parametrize("logged", [ALL, 0], ids=["in the log", "behind its end"])
@pytest.mark.parametrize("change", [fewer, other, hidden, strange])
def test_a_freeze_of_other_frames_fails(change: Change, logged: int) -> None:
    report = quarrelled(lambda play: to_level_2(play, change), logged=logged)
    outcome, why = ninth(report)
    assert (outcome, "the freeze: expected" in why) == (Outcome.FAILS, True), why
    assert not report.holds


def test_a_freeze_behind_the_end_of_the_log_is_compared_as_far_as_the_chain_reaches() -> None:
    same = quarrelled(to_level_2)
    assert ninth(same) == (Outcome.HOLDS, "1 freeze, 0 requests for frames")
    assert unreached(same) == []
    open_ended = quarrelled(lambda play: to_level_2(play, more))
    assert ninth(open_ended) == (
        Outcome.HOLDS, "1 freeze, 0 requests for frames, 1 of them not compared",
    )  # fmt: skip
    (told,) = unreached(open_ended)
    assert ", or of such a freeze: 1." in told
    over = quarrelled(lambda play: to_level_2(play, more), work=longer)
    outcome, why = ninth(over)
    assert (outcome, "frames on day" in why) == (Outcome.FAILS, True), why


@pytest.mark.parametrize("logged", [ALL, 0], ids=["in the log", "behind its end"])
def test_a_request_names_what_was_drawn(logged: int) -> None:
    def undrawn(play: Play) -> None:
        to_level_2(play)
        (drawn,) = play.nameable() or (None,)
        left = [one for one in play.frames if drawn is None or one.frame != drawn.frame]
        play.request(frames=(RequestedFrame(left[0].segment, left[0].frame),))

    outcome, why = ninth(quarrelled(undrawn, logged=logged))
    assert (outcome, "expected frames that were drawn" in why) == (Outcome.FAILS, True), why


def first_named(play: Play) -> RequestedFrame:
    records = (read_record(one) for one, _ in play.told)
    return next(one.frames[0] for one in records if isinstance(one, DisputeRequest))


def granted_elsewhere(play: Play) -> RequestedFrame:
    """Have level 3 granted for what comes after the segment of a drawn frame; return this."""
    to_level_2(play).request().disclose().act(Role.CLIENT, Act.COMMENT)
    drawn = first_named(play)
    begins = {digest: one.begin for digest, one in play.chain or () if isinstance(one, Segment)}
    asked = play.question(3) | {"begin": begins[drawn.segment] + 1}
    play.act(Role.ARBITRATOR, Act.ASK, **asked).both(Act.PASS).act(Role.ARBITRATOR, Act.RULE)
    return drawn


@pytest.mark.parametrize("logged", [ALL, 0], ids=["in the log", "behind its end"])
def test_a_request_names_drawn_frames_of_the_hours_that_were_granted(logged: int) -> None:
    def elsewhere(play: Play) -> None:
        play.request(frames=(granted_elsewhere(play),))

    outcome, why = ninth(quarrelled(elsewhere, logged=logged))
    assert (outcome, "expected frames of the hours" in why) == (Outcome.FAILS, True), why


def test_the_arbitrators_program_names_no_frame_of_other_hours() -> None:
    told = work_and_quarrel(granted_elsewhere, working, logged=ALL, max_withdrawn_percent=50)
    assert told.report.bundle is not None
    statements = told.report.bundle.contents.statements
    for typed in ((), (str(first_named(told.play).frame),)):
        with pytest.raises(CommandError, match="these hours have no drawn frames"):
            frames_to_name(told.play.case, statements, typed)


def whole_frames(play: Play, **changes: object) -> None:
    to_level_2(play).request().disclose().act(Role.CLIENT, Act.COMMENT)
    play.shown(3)
    asked = play.question(4) | {"count": 1, "end": play.case.filing.begin + 2 * HOUR}
    play.act(Role.ARBITRATOR, Act.ASK, **asked).both(Act.PASS).act(Role.ARBITRATOR, Act.RULE)
    play.request(**changes)


STRANGE = RequestedFrame(digest("segment"), digest("frame"))


def test_whole_frames_are_those_of_the_hours() -> None:
    def named(play: Play) -> None:
        whole_frames(play, frames=(STRANGE,))

    outcome, why = ninth(quarrelled(named, logged=ALL))
    assert (outcome, f"found {STRANGE.frame}" in why) == (Outcome.FAILS, True), why
    unlogged = quarrelled(named)
    assert ninth(unlogged)[0] is Outcome.HOLDS
    assert len(unreached(unlogged)) == 1
    over = quarrelled(named, work=longer)
    assert ninth(over)[0] is Outcome.FAILS


def test_without_frames_there_is_nothing_to_compare() -> None:
    report = quarrelled(lambda play: play.heard().shown(1))
    assert ninth(report) == (Outcome.HOLDS, "no frame was asked for")
