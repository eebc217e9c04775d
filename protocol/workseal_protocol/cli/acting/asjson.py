"""Where a case stands, as one JSON object: what `telling` says on lines."""

from workseal_protocol.cli.acting.checked import excesses_in, findings_in
from workseal_protocol.cli.acting.preview import due_text
from workseal_protocol.cli.acting.reading import Live, Step
from workseal_protocol.cli.acting.standing import (
    SILENCE,
    Asker,
    ended,
    may_do,
    offers_of,
    plain_word,
    role_word,
    rungs,
    sample_of,
    typed,
)
from workseal_protocol.cli.casesums import ending_value, who_pays
from workseal_protocol.cli.moments import both
from workseal_protocol.cli.text import instant


def as_json(live: Live, asker: Asker) -> dict[str, object]:
    """Tell a case as one JSON object."""
    case = live.case
    due = case.due
    return {
        "case": str(case.case),
        "engagement": case.filing.engagement.hex(),
        "about": plain_word(case.filing.claim.name),
        "filer": role_word(case.filer),
        "you": role_word(asker.role(case)),
        "begin": case.filing.begin,
        "end": case.filing.end,
        "amount": case.filing.amount,
        "currency": case.terms.currency,
        "head": str(case.head),
        "state": str(case.state),
        "waiting_for": sorted(map(role_word, case.waiting_for)),
        "keyless": sorted(map(role_word, live.keyless if case.open else ())),
        "until": None if due is None else due.until,
        "until_utc": None if due is None else instant(due.until),
        "until_local": None if due is None else both(due.until, asker.zone(case)),
        "counted": None if due is None or due.due is None else due_text(due.due),
        "silence": SILENCE.get(case.state),
        "limit": case.limit,
        "level": case.reached,
        "ladder": [{"level": level, "state": word} for level, word in rungs(case)],
        "request": None if case.request is None else str(case.request),
        "offers": [
            {
                "offer": str(one.digest),
                "by": role_word(one.by),
                "amount": one.amount,
                "text": one.text,
            }
            for one in offers_of(live)
        ],
        "pays": who_pays(case.filing.claim, case.filer),
        "ended": ending_value(ended(live)),
        "arbitrator": None if case.arbitrator is None else str(case.arbitrator),
        "drawn": None if case.drawn is None else list(case.drawn),
        "sample": None if (told := sample_of(live)) is None else told.as_value(),
        "unreadable": [str(one) for one in sorted(case.unreadable)],
        "moves": {
            move: asker.command(move, typed(case, move, asker.role(case)))
            for move in may_do(live, asker)
        },
        "checks": [
            {
                "disclosure": str(one.disclosure),
                "by": role_word(one.by),
                "holds": one.holds,
                "findings": [
                    {
                        "disclosure": str(each.disclosure),
                        "outcome": plain_word(each.outcome.name),
                        "shown": each.shown,
                        "tiles": each.tiles,
                    }
                    for each in one.findings
                ],
            }
            for one in findings_in(live)
        ],
        "excesses": [one.sentence for one in excesses_in(live)],
        "statements": [_step(one) for one in live.steps],
        "unverified_beacon_values": live.unverified,
    }


def _step(one: Step) -> dict[str, object]:
    text = getattr(one.record, "text", None) or getattr(one.record, "reason", None)
    code = getattr(one.record, "code", None)
    return {
        "digest": str(one.statement.digest),
        "move": one.move,
        "by": role_word(one.by),
        "at": one.at,
        "state": one.state,
        "late": one.late,
        "code": None if code is None else plain_word(code.name),
        "amount": getattr(one.record, "amount", None),
        "text": text,
        "cites": [str(cited) for cited in getattr(one.record, "cites", None) or ()],
        "handed_over": None if one.handed_over is None else str(one.handed_over),
    }
