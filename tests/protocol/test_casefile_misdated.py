"""An act of the operator at another instant than it claims counts where others went on from it."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cache, partial

import pytest

from support.builders import CLIENT, ENGAGEMENT, OPERATOR
from support.casefiles import Told as Whole
from support.casefiles import sealed_ahead, work_and_quarrel
from support.cases import DAY, Play, case_terms
from workseal_protocol.casefile import (
    CaseFileReport,
    Logged,
    Replayed,
    Speakers,
    examine_case_file,
    make_case_file,
    replay,
)
from workseal_protocol.casefile.complete import check_complete
from workseal_protocol.dispute import State
from workseal_protocol.errors import VerificationError
from workseal_protocol.keys import Role
from workseal_protocol.records import Act, CasePlace, DisputeAct, read_record, sign
from workseal_protocol.statement import Statement
from workseal_protocol.verify import Outcome
from workseal_protocol.window import Entry, Window

MISDATED = "an act of the operator at another instant than it claims, after number 2"
FOLLOWS_NOTHING = "a statement after one that counts for nothing"
COUNTS = "the log has a statement of this case at index"


@cache
def answered() -> Play:
    """Give a case whose talks run: its parties have two working days."""
    return Play.begin().act(Role.OPERATOR, Act.NOTICE).act(Role.FREELANCER, Act.ANSWER)


def going_on(play: Play) -> Play:
    """Let a case go on from here, and leave this one as it is."""
    return replace(play, told=[*play.told], tried=[*play.tried])


@cache
def rushed() -> Play:
    """Let the operator say that the talks lapsed, when they just began."""
    return going_on(answered()).lapse()


def last(play: Play) -> Statement:
    return play.told[-1][0]


TALKS = tuple(one for one, _ in answered().told)
LAPSE = last(rushed())
END = last(going_on(answered()).act(Role.CLIENT, Act.END))
EXHIBIT = last(going_on(rushed()).act(Role.CLIENT, Act.EXHIBIT))


def log_of(log: Sequence[Statement], *misdated: Statement) -> Logged:
    """Give a log that had what is misdated when the talks began."""
    early = Window(upper=answered().now)
    entries = {
        one.digest: Entry(
            index, one.digest, read_record(one), early if one in misdated else Window(), None
        )
        for index, one in enumerate(log, 20)
    }
    return Logged(entries, Speakers.of_files(case_terms(), ()))


def replayed(here: Sequence[Statement], logged: Logged) -> Replayed:
    return replay(here, case_terms(), logged)


def told(here: Sequence[Statement], log: Sequence[Statement], logged: Logged) -> list[str]:
    """Examine a case by a log; give what that took beside it."""
    found = replayed(here, logged)
    assert [one.statement for one in found.told] == [one for one in here if one != LAPSE]
    return [one.what for one in check_complete(found.told, log, logged)]


def test_one_place_before_an_honest_act_it_moves_no_case() -> None:
    case, log = [*TALKS, END], [*TALKS, LAPSE, END]
    logged = log_of(log, LAPSE)
    assert told(case, log, logged) == [MISDATED]
    with_it = replayed([*case, LAPSE], logged)
    assert (with_it.case.head, with_it.beside) == (END.digest, (LAPSE,))
    # At the instant that it claims it came first.
    assert replayed([*case, LAPSE], log_of(log)).case.head == LAPSE.digest
    with pytest.raises(VerificationError, match=f"{COUNTS} 23"):
        told(case, log, log_of(log))


def test_behind_the_last_statement_it_is_left_out() -> None:
    log = [*TALKS, LAPSE]
    logged = log_of(log, LAPSE)
    assert told(TALKS, log, logged) == [MISDATED]
    with_it = replayed(log, logged)
    assert (with_it.case.state, with_it.beside) == (State.NEGOTIATION, (LAPSE,))


def test_what_is_dated_back_counts_as_little() -> None:
    """By the bounds of what stands before it in the log it came days after it claims."""
    log = [*TALKS, LAPSE]
    logged = log_of(log)
    late = read_record(LAPSE).claimed_at + DAY
    answer = replace(logged.entries[TALKS[-1].digest], window=Window(lower=late))
    logged = replace(logged, entries={**logged.entries, TALKS[-1].digest: answer})
    assert told(TALKS, log, logged) == [MISDATED]


def test_where_somebody_went_on_from_it_no_file_without_it_holds() -> None:
    """The case went on there: one that ends before it, or goes on otherwise, is another one."""
    log = [*TALKS, LAPSE, EXHIBIT]
    logged = log_of(log, LAPSE)
    found = replayed(log, logged)
    assert found.case.head == EXHIBIT.digest
    with pytest.raises(VerificationError, match="statement 3: the log had it"):
        logged.check_instants((one.statement, one.at) for one in found.told)
    with pytest.raises(VerificationError, match=f"{COUNTS} 23"):
        told(TALKS, log, logged)

    late = [*log, END]
    with pytest.raises(VerificationError, match=f"{COUNTS} 23"):
        told([*TALKS, END], late, log_of(late, LAPSE))
    # What went on from it may be younger than the log of the bundle.
    assert replayed(log, log_of(log[:-1], LAPSE)).case.head == EXHIBIT.digest


def test_whoever_goes_on_from_it_after_the_honest_act_undoes_nothing() -> None:
    """An operator and the party that lost sign what they like, when the decision is there."""
    case, log = [*TALKS, END], [*TALKS, LAPSE, END, EXHIBIT]
    logged = log_of(log, LAPSE)
    assert told(case, log, logged) == [MISDATED, FOLLOWS_NOTHING]
    assert replayed([*case, LAPSE, EXHIBIT], logged).case.head == END.digest


def act_after(prev: Statement, act: Act, at: int, by: Role) -> Statement:
    record = DisputeAct(
        engagement=ENGAGEMENT,
        claimed_at=at,
        place=CasePlace(TALKS[0].digest, prev.digest),
        act=act,
    )
    return sign(record, OPERATOR if by is Role.OPERATOR else CLIENT)


@pytest.mark.parametrize("by", [Role.OPERATOR, Role.CLIENT])
def test_what_is_not_allowed_and_what_the_operator_adds_is_no_going_on(by: Role) -> None:
    if by is Role.OPERATOR:
        more = last(going_on(rushed()).wait(8 * DAY).lapse())
    else:
        more = act_after(LAPSE, Act.END, rushed().now, by)
    log = [*TALKS, LAPSE, more]
    assert told(TALKS, log, log_of(log, LAPSE)) == [MISDATED, FOLLOWS_NOTHING]


def test_who_goes_on_after_several_acts_of_the_operator_went_on_from_the_first() -> None:
    more = going_on(rushed()).wait(8 * DAY).lapse()
    log = [*TALKS, LAPSE, last(more), last(going_on(more).act(Role.CLIENT, Act.EXHIBIT))]
    with pytest.raises(VerificationError, match=f"{COUNTS} 23"):
        told(TALKS, log, log_of(log, LAPSE))


def test_what_somebody_else_claims_falsely_is_no_breach_of_the_operators_alone() -> None:
    """Or an operator could hold back a decision for a minute, and have it counted for nothing."""
    log = [*TALKS, END]
    honest = log_of(log)
    false = replace(honest.entries[END.digest], window=Window(upper=1))
    logged = replace(honest, entries={**honest.entries, END.digest: false})
    assert replayed(log, logged).case.head == END.digest
    with pytest.raises(VerificationError, match=f"{COUNTS} 23"):
        told(TALKS, log, logged)


# --- a whole case file ---


def examine(whole: Whole, files: dict[str, bytes]) -> CaseFileReport:
    report = examine_case_file(files, whole.policy)
    assert [str(one) for one in report.steps if one.outcome is not Outcome.HOLDS] == []
    return report


@pytest.mark.parametrize("destroyed", [False, True])
def test_an_operator_undoes_no_file_of_a_decided_case_by_an_act_ahead(
    destroyed: bool,  # noqa: FBT001
) -> None:
    """That the arbitrator destroyed a key after it changes nothing of the decision."""
    false: list[Statement] = []
    case = partial(sealed_ahead, false, destroyed=destroyed)
    whole = work_and_quarrel(case, logged=999, after=false)
    assert whole.play.case.state is State.FINAL
    report = examine(whole, whole.files())
    assert report.replayed is not None
    assert report.replayed.case.decision == whole.play.case.decision
    number = len(whole.statements) - 1
    found = [one.what for one in report.breaches]
    assert found[0].endswith(f"at another instant than it claims, after number {number}")
    assert found[1:] == [FOLLOWS_NOTHING] * destroyed

    logged = Logged.of(whole.report)
    both = replay((*whole.statements, *false), whole.play.case.terms, logged)
    assert both.beside == tuple(false)
    parts = replace(whole.parts(), statements=(*whole.statements, *false))
    held = examine(whole, make_case_file(parts, both, logged.entries))
    assert held.breaches == report.breaches
