"""Where a case stands, for one person: whose turn, until when, what silence does, what to type.

Rules: everything follows from the replay; what a person may do is what the fold allows their key
now. Other people's words are made harmless before they are printed.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from workseal_protocol.cli.acting.checked import CHECK, check_lines, findings_in, unchecked
from workseal_protocol.cli.acting.preview import both, due_text
from workseal_protocol.cli.acting.reading import Live, Step
from workseal_protocol.cli.acting.said import DETAILS, spelled
from workseal_protocol.cli.text import count, instant, plain
from workseal_protocol.digest import Digest
from workseal_protocol.dispute import LADDER, Case, State, departures, meaning
from workseal_protocol.keys import Role
from workseal_protocol.lottery import round_start
from workseal_protocol.terms import amount_text

# How many percent of false frames the sentence about a sample asks about.
_QUESTION: Final = 20
_REMINDED: Final = "a reminder of 5 working days; after it another arbitrator is drawn"
# What the end of a deadline does when nobody acts. Nothing of it decides.
SILENCE: Final[dict[State, str]] = {
    State.NOTICE: "the time for an answer begins all the same",
    State.ANSWER: "what is left of 15 working days begins, or else an arbitrator is drawn",
    State.SECOND: "an arbitrator is drawn; an answer is still taken then, and marked as late",
    State.NEGOTIATION: "an arbitrator is drawn",
    State.DRAW: "nothing: anybody of the case may make the draw",
    State.SEATING: "it goes on with the arbitrator, if they declared; else with another person",
    State.EVIDENCE: _REMINDED,
    State.OBJECTION: "the request counts as not objected to, and is ruled on",
    State.RULING: _REMINDED,
    State.NAMING: _REMINDED,
    State.DISCLOSURE: "nothing is shown, and nothing follows from that by itself",
    State.COMMENT: "it goes on without a comment",
    State.DRAFT: "it goes on without a comment on the draft",
    State.DECISION: _REMINDED,
    State.APPEAL: "the decision is final",
    State.REVIEW: "it goes on without comments",
    State.STAYED: "the case goes on where it was interrupted",
    State.SETTLED: "the case is sealed",
    State.WITHDRAWN: "the case is sealed",
    State.UNDECIDED: "the case is sealed",
    State.FINAL: "the case is sealed",
    State.SEALED: "what was shown is destroyed",
}
NOT_PROVEN: Final = (
    "this shows who said what in which order; not that a text is true, that a screen was not"
    " staged, or what somebody thought"
)


@dataclass(frozen=True, slots=True)
class Asker:
    """Say for whom a case is told; `command` writes how a move is made."""

    key: Digest
    now_ms: int
    command: Callable[[str, str], str]

    def role(self, case: Case) -> Role:
        """Return the asker's role."""
        return case.parties.roles[self.key]

    def zone(self, case: Case) -> str:
        """Return the zone that the asker announced, else that of the terms."""
        announced = case.calendars.get(self.role(case))
        return case.terms.zone if announced is None else announced[0].zone


def lines(live: Live, asker: Asker) -> list[str]:
    """Tell a case at a glance."""
    case = live.case
    told = [
        *_head(case, asker),
        *_told(live, asker),
        *_standing(case, asker),
        *departed(live.steps, case.terms.currency),
        *_open(live, asker),
        *_ladder(case),
        *_draw(case, asker),
        *_next(live, asker),
    ]
    if live.unverified:
        told.append("values of the beacon are not checked: no commitment at hand covers them")
    return [plain(line) for line in [*told, NOT_PROVEN]]


def may_do(live: Live, asker: Asker) -> tuple[str, ...]:
    """Return the moves that the asker has now."""
    at = max(asker.now_ms, live.case.known_at)
    return tuple(dict.fromkeys(live.case.allowed(asker.key, at)))


def _head(case: Case, asker: Asker) -> Iterator[str]:
    filing = case.filing
    zone = asker.zone(case)
    yield f"case {case.case}"
    yield (
        f"{_word(filing.claim.name)}, filed by the {_role(case.filer)};"
        f" at stake {amount_text(filing.amount, case.terms.currency)}"
    )
    yield f"hours from {both(filing.begin, zone)}"
    yield f"to {both(filing.end, zone)}"
    yield f"you are the {_role(asker.role(case))}"


def _told(live: Live, asker: Asker) -> Iterator[str]:
    zone = asker.zone(live.case)
    for number, one in enumerate(live.steps):
        after = f"{one.state}, late" if one.late else one.state
        yield f"{number:3d}  {both(one.at, zone)}  {_role(one.by)}: {_said(one)} -> {after}"
        yield f"     {one.statement.digest}"
        amount = getattr(one.record, "amount", None)
        if amount is not None:
            yield f"     amount: {amount_text(amount, live.case.terms.currency)}"
        for name in ("text", "why", "reason"):
            text = getattr(one.record, name, None)
            if text:
                yield f"     {name}: {text}"
        yield from (f"     cites {cited}" for cited in getattr(one.record, "cites", None) or ())
        if one.handed_over is not None:
            yield f"     handed over beside, salt and all: SHA-256 {one.handed_over}"


def departed(steps: Iterable[Step], currency: str) -> Iterator[str]:
    """Say where a decision is not that of its draft."""
    yield from (one.sentence(currency) for one in departures(one.record for one in steps))


def _said(one: Step) -> str:
    code = getattr(one.record, "code", None)
    return one.move if code is None else f"{one.move} ({_word(code.name)})"


def _standing(case: Case, asker: Asker) -> Iterator[str]:
    yield f"head {case.head}"
    yield f"state {case.state}"
    if case.due is None:
        yield "nobody is waited for"
        return
    own = asker.role(case)
    names = [_role(one) + " (you)" * (one is own) for one in sorted(case.waiting_for)]
    yield f"it waits for: {', '.join(names) or 'nobody'}"
    over = "; this time is over" if asker.now_ms > case.due.until else ""
    yield f"until {both(case.due.until, asker.zone(case))}{over}"
    if case.due.due is not None:
        yield f"counted {due_text(case.due.due)}"
    yield f"if nobody acts until then: {SILENCE[case.state]}"
    if case.limit is not None and case.open:
        yield f"a decision should come before {both(case.limit, asker.zone(case))}"


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
    for offer, maker in case.offers.items():
        if case.open:
            yield f"offer of the {_role(maker)}: {offer}"
    yield from (f"taken back, not to be used: {one}" for one in sorted(case.clawed_back))
    yield from (f"the arbitrator says: {one} cannot be opened" for one in sorted(case.unreadable))
    yield from check_lines(live)


def turn(live: Live) -> str | None:
    """Tell on one line whose turn it is until when; None where nobody is waited for."""
    due, case = live.case.due, live.case
    if due is None:
        return None
    waiting = ", ".join(sorted(map(_role, case.waiting_for))) or "nobody"
    return plain(f"{waiting} until {both(due.until, case.terms.zone)}")


def _ladder(case: Case) -> Iterator[str]:
    yield "ladder"
    for level, word in rungs(case):
        rung = LADDER[level]
        most = f", at most {rung.most}" if rung.most else ""
        yield f"  {level}  {rung.shows} ({rung.decides}{most}): {word}"


def rungs(case: Case) -> Iterator[tuple[int, str]]:
    """Give each level with where the case stands on it."""
    for level, rung in LADDER.items():
        if case.terms.level < rung.needs:
            yield level, "not in these terms"
        elif case.ask is not None and case.ask.level == level and not case.answered_ask:
            yield level, "granted" if case.ask.granted else "asked for"
        elif level <= case.reached:
            yield level, "reached"
        else:
            yield level, "may be asked for" if level == case.reached + 1 else "not yet"


def _draw(case: Case, asker: Asker) -> Iterator[str]:
    zone = asker.zone(case)
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
        names = ", ".join(sorted(map(_role, whose))) or "nobody"
        yield f"secrets {what} by: {names}"
    if case.reveal_until is not None and case.sample_round is not None and sample.seed is None:
        begins = round_start(case.sample_round, case.terms.round_ms)
        yield f"secrets are taken until {both(case.reveal_until, zone)}"
        yield f"the sample is drawn by round {case.sample_round}, from {both(begins, zone)} on"
    if case.drawn is not None and sample.seed is not None:
        yield f"drawn by seed {sample.seed.hex()}"
        yield f"places {', '.join(map(str, case.drawn))}"
        yield meaning(sample.freeze.strata, sample.size, _QUESTION)


def _next(live: Live, asker: Asker) -> Iterator[str]:
    moves = may_do(live, asker)
    yield "you may now:" if moves else "there is nothing that you may do now"
    for move in moves:
        yield f"  {asker.command(move, typed(live.case, move))}"
    if asker.role(live.case) is Role.FREELANCER:
        for one in unchecked(live):
            yield "the operator did not check what you showed; to have it do so, show it to it:"
            yield f"  {asker.command(CHECK, f'--disclosure {str(one)[:16]}')}"


def typed(case: Case, move: str) -> str:
    """Write the details that a move needs, as they are typed."""
    details = DETAILS.get(move)
    if details is None:
        return ""
    wanted = set(details.needs)
    if move == "declare":
        wanted.add("calendar")
    if move == "request" and case.ask is not None and not LADDER[case.ask.level].sampled:
        wanted.add("frame")
    return " ".join(f"{spelled(name)} {_EXAMPLES.get(name, '…')}" for name in sorted(wanted))


_EXAMPLES: Final = {
    "amount": "480.00", "begin": "YYYY-MM-DD", "end": "YYYY-MM-DD", "calendar": "DE-BY",
    "cite": "DIGEST", "text": '"…"', "why": '"…"', "frame": "DIGITS", "file": "FILE",
    "salted": "NEW-FILE",
}  # fmt: skip


# --- the same as values ---


def as_json(live: Live, asker: Asker) -> dict[str, object]:
    """Tell a case as one JSON object."""
    case = live.case
    due = case.due
    return {
        "case": str(case.case),
        "engagement": case.filing.engagement.hex(),
        "about": _word(case.filing.claim.name),
        "filer": _role(case.filer),
        "you": _role(asker.role(case)),
        "begin": case.filing.begin,
        "end": case.filing.end,
        "amount": case.filing.amount,
        "currency": case.terms.currency,
        "head": str(case.head),
        "state": str(case.state),
        "waiting_for": sorted(map(_role, case.waiting_for)),
        "until": None if due is None else due.until,
        "until_utc": None if due is None else instant(due.until),
        "until_local": None if due is None else both(due.until, asker.zone(case)),
        "counted": None if due is None or due.due is None else due_text(due.due),
        "silence": SILENCE.get(case.state),
        "limit": case.limit,
        "level": case.reached,
        "ladder": [{"level": level, "state": word} for level, word in rungs(case)],
        "request": None if case.request is None else str(case.request),
        "offers": {str(offer): _role(maker) for offer, maker in case.offers.items()},
        "arbitrator": None if case.arbitrator is None else str(case.arbitrator),
        "drawn": None if case.drawn is None else list(case.drawn),
        "unreadable": [str(one) for one in sorted(case.unreadable)],
        "moves": {move: asker.command(move, typed(case, move)) for move in may_do(live, asker)},
        "checks": [
            {
                "disclosure": str(one.disclosure),
                "by": _role(one.by),
                "holds": one.holds,
                "findings": [
                    {
                        "disclosure": str(each.disclosure),
                        "outcome": _word(each.outcome.name),
                        "shown": each.shown,
                        "tiles": each.tiles,
                    }
                    for each in one.findings
                ],
            }
            for one in findings_in(live)
        ],
        "statements": [_step(one) for one in live.steps],
        "unverified_beacon_values": live.unverified,
    }


def _step(one: Step) -> dict[str, object]:
    text = getattr(one.record, "text", None) or getattr(one.record, "reason", None)
    code = getattr(one.record, "code", None)
    return {
        "digest": str(one.statement.digest),
        "move": one.move,
        "by": _role(one.by),
        "at": one.at,
        "state": one.state,
        "late": one.late,
        "code": None if code is None else _word(code.name),
        "amount": getattr(one.record, "amount", None),
        "text": text,
        "cites": [str(cited) for cited in getattr(one.record, "cites", None) or ()],
        "handed_over": None if one.handed_over is None else str(one.handed_over),
    }


def _role(role: Role) -> str:
    return role.name.lower()


def _word(name: str) -> str:
    return name.lower().replace("_", " ")
