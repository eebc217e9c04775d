"""What a statement of a case says, against what the case knows: counts, draws, citations, times.

Rule: it refuses and changes nothing.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

from workseal_protocol.digest import Digest
from workseal_protocol.dispute.deadlines import DAY_MS
from workseal_protocol.dispute.ladder import LADDER, check_ask
from workseal_protocol.dispute.panel import draw_person
from workseal_protocol.dispute.rules import CaseError, Rule
from workseal_protocol.dispute.sampling import secret_commitment
from workseal_protocol.dispute.values import (
    MAX_STAY_DAYS,
    MAX_STAYS_DAYS,
    MIN_OUTAGE_MS,
)
from workseal_protocol.keys import Role
from workseal_protocol.lottery import round_start
from workseal_protocol.records import (
    DisputeAct,
    DisputeDisclosure,
    DisputeFinding,
    DisputeRequest,
    Ruling,
    Verdict,
)

if TYPE_CHECKING:
    from workseal_protocol.dispute.case import Case

CaseRecord = DisputeAct | DisputeRequest | DisputeDisclosure | DisputeFinding


def check_record(case: "Case", role: Role, record: CaseRecord, known_at: int) -> None:
    """Check what a statement says against what its case knows, or raise `CaseError`."""
    match record:
        case DisputeRequest():
            _check_request(case, record)
        case DisputeDisclosure(request=named):
            if named != case.request:
                raise CaseError(
                    Rule.REQUEST, "the disclosure", expected=str(case.request), found=str(named)
                )
        case DisputeFinding(disclosure=named):
            if role not in case.unexamined.get(named, frozenset()):
                raise CaseError(
                    Rule.REQUEST,
                    "the finding",
                    expected=f"a disclosure of this case without one of the {role.name.lower()}",
                    found=str(named),
                )
            if named in case.clawed_back:
                raise CaseError(
                    Rule.CITATION,
                    "the finding",
                    expected="what was shown and is not taken back",
                    found=str(named),
                )
        case DisputeAct():
            name = record.act.name.lower()
            found = _CONTENTS.get(name)
            if found is not None:
                found(case, role, record, known_at)


def _check_request(case: "Case", record: DisputeRequest) -> None:
    granted = 0 if case.ask is None else case.ask.granted
    if len(record.frames) > granted:
        raise CaseError(
            Rule.LADDER,
            "the request",
            expected=f"at most {granted} frames, as ruled",
            found=str(len(record.frames)),
        )
    if case.sealing_key not in {None, record.sealing_key}:
        raise CaseError(
            Rule.REQUEST, "the request", expected="the declared key of the case", found="another"
        )
    due = record.place.due if record.place is not None else None
    if due is not None and record.answer_by != due.until:
        raise CaseError(
            Rule.DEADLINE, "answer_by", expected=str(due.until), found=str(record.answer_by)
        )


def _content_ask(case: "Case", role: Role, act: DisputeAct, known_at: int) -> None:
    del role, known_at
    frozen = case.sample is not None
    ask = check_ask(act, case.filing, case.terms, climbed=case.climbed, frozen=frozen)
    sampled = LADDER[ask.level].sampled
    if sampled and case.sample is not None and ask.count > case.sample.size:
        raise CaseError(
            Rule.LADDER,
            "the request",
            expected=f"the {case.sample.size} drawn frames at most",
            found=str(ask.count),
        )


def _content_rule(case: "Case", role: Role, act: DisputeAct, known_at: int) -> None:
    del role, known_at
    narrows = act.code is Ruling.NARROW
    most = 0 if case.ask is None else case.ask.count
    if narrows is (act.count is None) or (act.count or 0) > most - narrows:
        raise CaseError(
            Rule.LADDER,
            "the ruling",
            expected="a smaller count where it narrows, and else none",
            found=str(act.count),
        )


def _content_draw(case: "Case", role: Role, act: DisputeAct, known_at: int) -> None:
    del role
    number, value = _released(case, act, case.panel_round, known_at, "the draw")
    person = draw_person(case.case, number, value, case.panel)
    if act.person != person:
        raise CaseError(Rule.DRAW, "the draw", expected=str(person), found=str(act.person))


def _content_sample(case: "Case", role: Role, act: DisputeAct, known_at: int) -> None:
    del role
    _released(case, act, case.sample_round or 0, known_at, "the sample")


def _released(
    case: "Case", act: DisputeAct, expected: int, known_at: int, what: str
) -> tuple[int, bytes]:
    number, value = act.round or 0, act.value or b""
    if number != expected:
        raise CaseError(Rule.DRAW, what, expected=f"round {expected}", found=f"round {number}")
    if known_at < round_start(number, case.terms.round_ms):
        raise CaseError(Rule.TIME, what, expected="a round that has begun", found="one to come")
    if not case.released(number, value):
        raise CaseError(Rule.DRAW, what, expected="the committed value", found="another")
    return number, value


def _content_reveal(case: "Case", role: Role, act: DisputeAct, known_at: int) -> None:
    del known_at
    committed = {} if case.sample is None else case.sample.commitments
    if secret_commitment(case.case, role, act.value or b"") != committed.get(role):
        raise CaseError(Rule.SAMPLE, "the secret", expected="the committed one", found="another")


def _content_accept(case: "Case", role: Role, act: DisputeAct, known_at: int) -> None:
    del known_at
    cites = act.cites or ()
    if len(cites) != 1 or case.offers.get(cites[0], role) is role:
        raise CaseError(
            Rule.CITATION,
            "the acceptance",
            expected="one offer of the other party",
            found=", ".join(map(str, cites[:1])),
        )


def _content_decide(case: "Case", role: Role, act: DisputeAct, known_at: int) -> None:
    del role, known_at
    cites = act.cites or ()
    if not any(one in case.statements for one in cites):
        raise CaseError(
            Rule.CITATION, "the reasons", expected="a statement of this case", found="none"
        )
    _refuse_clawed_back(case, cites)
    _require_amount(act, case.filing.amount)


def _require_amount(act: DisputeAct, stake: int) -> None:
    """Refuse a sum that says something else than its verdict."""
    amount = act.amount or 0
    fits, expected = {
        Verdict.UPHELD: (amount == stake, f"all of the {stake} at stake"),
        Verdict.IN_PART: (
            0 < amount < stake or amount == stake == 0,
            f"more than nothing and less than the {stake} at stake",
        ),
        Verdict.DISMISSED: (amount == 0, "nothing"),
    }[Verdict(act.code or 0)]
    if not fits:
        raise CaseError(Rule.AMOUNT, "the amount", expected=expected, found=f"{amount}")


def _refuse_clawed_back(case: "Case", cites: tuple[Digest, ...]) -> None:
    for one in cites:
        if case.findings.get(one, one) in case.clawed_back:
            raise CaseError(
                Rule.CITATION,
                "the reasons",
                expected="nothing that was disclosed by mistake, and no finding of it",
                found=str(one),
            )


def _content_claw_back(case: "Case", role: Role, act: DisputeAct, known_at: int) -> None:
    del role, known_at
    for one in act.cites or ():
        # Once: or a case could be filled with one thing taken back over and over, and never end.
        if one not in case.shown or one in case.clawed_back:
            expected = "what was shown and is not taken back"
            raise CaseError(Rule.CITATION, "the claw-back", expected=expected, found=str(one))


def _content_unreadable(case: "Case", role: Role, act: DisputeAct, known_at: int) -> None:
    del role, known_at
    for one in act.cites or ():
        if one not in case.shown or one in case.clawed_back | case.unreadable:
            expected = "what was shown, and is neither taken back nor named before"
            raise CaseError(Rule.CITATION, "the unreadable", expected=expected, found=str(one))


def _content_stay(case: "Case", role: Role, act: DisputeAct, known_at: int) -> None:
    del role
    days = stay_days(act, known_at)
    left = min(MAX_STAY_DAYS, MAX_STAYS_DAYS - case.stayed_days)
    if not 0 < days <= left:
        raise CaseError(Rule.TIME, "the stay", expected=f"1 to {left} days", found=f"{days}")


def stay_days(act: DisputeAct, known_at: int) -> int:
    """Return the begun days that a stay lasts."""
    return -(-((act.end or 0) - known_at) // DAY_MS)


def _content_outage(case: "Case", role: Role, act: DisputeAct, known_at: int) -> None:
    del role
    begin, end = act.begin or 0, act.end or 0
    until = 0 if case.due is None else case.due.until
    if end > known_at or end - begin < MIN_OUTAGE_MS:
        raise CaseError(
            Rule.TIME, "the outage", expected="four hours or more that are over", found=f"{begin}"
        )
    if begin > until or end <= until - DAY_MS:
        raise CaseError(
            Rule.TIME, "the outage", expected=f"the last day before {until}", found=f"{begin}"
        )
    # One that lies over midnight touches the last day of the moved deadline as well.
    if begin <= case.down_until:
        raise CaseError(
            Rule.ONCE,
            "the outage",
            expected=f"one that began after {case.down_until}, when the last one ended",
            found=f"{begin}",
        )


_CONTENTS: Final[Mapping[str, Callable[["Case", Role, DisputeAct, int], None]]] = {
    "ask": _content_ask,
    "rule": _content_rule,
    "draw": _content_draw,
    "sample": _content_sample,
    "reveal": _content_reveal,
    "accept": _content_accept,
    "draft": _content_decide,
    "decide": _content_decide,
    "claw_back": _content_claw_back,
    "unreadable": _content_unreadable,
    "stay": _content_stay,
    "outage": _content_outage,
}
