"""Where a case stands, on lines: whose turn, until when, what silence does, what to type.

Rules: everything follows from the replay; what a person may do is what the fold allows their key
now. Other people's words are made harmless before they are printed.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from workseal_protocol.cli.acting.checked import CHECK, check_lines, unchecked
from workseal_protocol.cli.acting.preview import due_text
from workseal_protocol.cli.acting.reading import Live, Step
from workseal_protocol.cli.acting.standing import (
    SILENCE,
    Asker,
    announced,
    awaits_decision,
    ended,
    may_do,
    offers_of,
    plain_word,
    role_word,
    rungs,
    sample_of,
    shown_of,
    typed,
    zone_for,
)
from workseal_protocol.cli.casesums import who_pays
from workseal_protocol.cli.moments import both
from workseal_protocol.cli.text import count, plain
from workseal_protocol.digest import Digest
from workseal_protocol.dispute import LADDER, Case, State, departures
from workseal_protocol.keys import Role
from workseal_protocol.lottery import round_start
from workseal_protocol.terms import amount_text

NOT_PROVEN: Final = (
    "this shows who said what in which order; not that a text is true, that a screen was not"
    " staged, or what somebody thought"
)


def lines(live: Live, asker: Asker) -> list[str]:
    """Tell a case at a glance."""
    case = live.case
    told = [
        *_head(live, asker),
        *_told(live, asker),
        *_standing(case, asker),
        *_keyless(live),
        *departed(live.steps, case.terms.currency),
        *_open(live, asker),
        *_ladder(live),
        *_draw(live, asker),
        *_next(live, asker),
    ]
    if live.unverified:
        told.append("values of the beacon are not checked: no commitment at hand covers them")
    return [plain(line) for line in [*told, NOT_PROVEN]]


def _head(live: Live, asker: Asker) -> Iterator[str]:
    case = live.case
    filing = case.filing
    zone = asker.zone(case)
    yield f"case {case.case}"
    yield (
        f"{plain_word(filing.claim.name)}, filed by the {role_word(case.filer)};"
        f" at stake {amount_text(filing.amount, case.terms.currency)}"
    )
    if (ending := ended(live)) is not None:
        yield f"{ending.words(case.terms.currency)}, by {ending.statement}"
    yield who_pays(filing.claim, case.filer)
    yield f"hours from {both(filing.begin, zone)}"
    yield f"to {both(filing.end, zone)}"
    yield f"you are the {role_word(asker.role(case))}"
    if not announced(case, asker.role(case)):
        yield f"times are in {zone}, as the agreement has it: you announced no zone"


def _told(live: Live, asker: Asker) -> Iterator[str]:
    zone = asker.zone(live.case)
    for number, one in enumerate(live.steps):
        after = f"{one.state}, late" if one.late else one.state
        yield f"{number:3d}  {both(one.at, zone)}  {role_word(one.by)}: {_said(one)} -> {after}"
        yield f"     {one.statement.digest}"
        amount = getattr(one.record, "amount", None)
        if amount is not None:
            yield f"     amount: {amount_text(amount, live.case.terms.currency)}"
        for name in ("text", "why", "reason"):
            text = getattr(one.record, name, None)
            if text:
                yield f"     {name}: {text}"
        yield from (f"     cites {cited}" for cited in getattr(one.record, "cites", None) or ())
        if one.move == "withhold":
            yield "     nothing follows from a refusal by itself"
        if one.handed_over is not None:
            yield f"     handed over beside, salt and all: SHA-256 {one.handed_over}"


def departed(steps: Iterable[Step], currency: str) -> Iterator[str]:
    """Say where a decision is not that of its draft."""
    yield from (one.sentence(currency) for one in departures(one.record for one in steps))


def _said(one: Step) -> str:
    code = getattr(one.record, "code", None)
    return one.move if code is None else f"{one.move} ({plain_word(code.name)})"


def _standing(case: Case, asker: Asker) -> Iterator[str]:
    yield f"head {case.head}"
    yield f"state {case.state}"
    if case.keeps_silent:
        yield "the arbitrator never said that the key of this case was destroyed"
    if case.due is None:
        yield "nobody is waited for"
        return
    own = asker.role(case)
    names = [role_word(one) + " (you)" * (one is own) for one in sorted(case.waiting_for)]
    yield f"it waits for: {', '.join(names) or 'nobody'}"
    over = "; this time is over" if asker.now_ms > case.due.until else ""
    yield f"until {both(case.due.until, asker.zone(case))}{over}"
    if case.due.due is not None:
        yield f"counted {due_text(case.due.due)}"
    yield f"if nobody acts until then: {SILENCE[case.state]}"
    if case.limit is not None and awaits_decision(case):
        yield f"a decision should come before {both(case.limit, asker.zone(case))}"


def _keyless(live: Live) -> Iterator[str]:
    """Tell of whom nothing more comes."""
    for role in sorted(live.keyless) if live.case.open else ():
        yield (
            f"the key of the {role_word(role)} was ended, and no other takes its place: nothing"
            " that it signs is taken any more, and the case moves on by its deadlines"
        )


def _open(live: Live, asker: Asker) -> Iterator[str]:
    """Tell what is asked and offered, and not answered."""
    case = live.case
    if case.ask is not None:
        granted = f"granted {case.ask.granted}" if case.ask.granted else "not ruled on yet"
        answered = ", answered" if case.answered_ask else ""
        yield f"request at level {case.ask.level}: {case.ask.count}, {granted}{answered}"
        zone = asker.zone(case)
        yield f"  for {both(case.ask.begin, zone)} to {both(case.ask.end, zone)}"
    if case.request is not None:
        yield f"frames are named in {case.request}"
    for offer in offers_of(live):
        words = offer.words(case.terms.currency)
        yield f"open offer of the {role_word(offer.by)}: {words}, by {offer.digest}"
    yield from (f"taken back, no decision may cite it: {one}" for one in sorted(case.clawed_back))
    yield from (f"the arbitrator says: {one} cannot be opened" for one in sorted(case.unreadable))
    yield from check_lines(live)


def turn(live: Live, reader: Digest) -> str | None:
    """Tell a key's person on one line whose turn it is until when; None for nobody's."""
    due, case = live.case.due, live.case
    if due is None:
        return None
    waiting = ", ".join(sorted(map(role_word, case.waiting_for))) or "nobody"
    return plain(f"{waiting} until {both(due.until, zone_for(case, reader))}")


def _ladder(live: Live) -> Iterator[str]:
    case, shown = live.case, shown_of(live)
    yield "ladder"
    for level, word in rungs(case):
        rung = LADDER[level]
        most = f", at most {rung.most}" if rung.most else ""
        most += f", 1 tile in {rung.one_in} of each" if rung.one_in > 1 else ""
        how_many = f", {shown[level].words}" if level in shown else ""
        yield f"  {level}  {rung.shows} ({rung.decides}{most}): {word}{how_many}"


def _draw(live: Live, asker: Asker) -> Iterator[str]:
    case, zone = live.case, asker.zone(live.case)
    if case.state is State.DRAW:
        begins = round_start(case.panel_round, case.terms.round_ms)
        yield f"an arbitrator is drawn by round {case.panel_round}, from {both(begins, zone)} on"
    if case.arbitrator is not None:
        declared = "declared" if case.declared else "not declared yet"
        yield f"arbitrator {case.arbitrator}, {declared}"
    sample = case.sample
    if sample is None:
        return
    yield (
        f"frozen: {count(sample.freeze.count, 'frame')} in"
        f" {count(len(sample.freeze.strata), 'stratum', 'strata')}, root {sample.freeze.root}"
    )
    for what, whose in (("committed", sample.commitments), ("revealed", sample.secrets)):
        names = ", ".join(sorted(map(role_word, whose))) or "nobody"
        yield f"secrets {what} by: {names}"
    if case.reveal_until is not None and case.sample_round is not None and sample.seed is None:
        begins = round_start(case.sample_round, case.terms.round_ms)
        yield f"secrets are taken until {both(case.reveal_until, zone)}"
        yield f"the sample is drawn by round {case.sample_round}, from {both(begins, zone)} on"
    if case.drawn is not None and sample.seed is not None:
        yield f"drawn by seed {sample.seed.hex()}"
        yield f"places {', '.join(map(str, case.drawn))}"
        told = sample_of(live)
        yield from () if told is None else told.sentences


def _next(live: Live, asker: Asker) -> Iterator[str]:
    moves = may_do(live, asker)
    yield "you may now:" if moves else "there is nothing that you may do now"
    for move in moves:
        yield f"  {asker.command(move, typed(live.case, move, asker.role(live.case)))}"
    if asker.role(live.case) is Role.FREELANCER:
        for one in unchecked(live):
            yield "the operator did not check what you showed; to have it do so, show it to it:"
            yield f"  {asker.command(CHECK, f'--disclosure {str(one)[:16]}')}"
