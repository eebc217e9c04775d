"""Exactly what is about to be signed, in words, field by field, and what it does."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from enum import IntEnum
from typing import Final

from workseal_protocol.cli.casesums import Said, offer_in, who_pays
from workseal_protocol.cli.moments import both
from workseal_protocol.cli.movewords import then_of
from workseal_protocol.cli.text import count, plain
from workseal_protocol.digest import Digest
from workseal_protocol.dispute import Case, move_of
from workseal_protocol.records import (
    Act,
    CaseCalendar,
    DisputeAct,
    DisputeDisclosure,
    DisputeFiling,
    DisputeFinding,
    DisputeRequest,
    Due,
)
from workseal_protocol.terms import Terms, amount_text

_OF_SUMS: Final = frozenset({Act.OFFER, Act.ACCEPT, Act.DRAFT, Act.DECIDE})
_FILED: Final = "the other party is told of it, and has its working days for an answer"
_FIRST: Final = "it ends with your next offer, and with the next draft"
_REPLACING: Final = (
    "it takes the place of your offer before it, where you made one, and ends with the next draft"
)

Signable = DisputeAct | DisputeRequest | DisputeDisclosure | DisputeFinding | DisputeFiling


def preview(
    record: Signable,
    terms: Terms,
    case: Case | None,
    beside: Iterable[str] = (),
    told: Iterable[Said] = (),
) -> list[str]:
    """Say everything that a statement will say, and what an act does; a signature comes on top.

    `beside` is what its signer should know and no statement has, `told` the statements of the case.
    """
    lines = [f"{record.KIND} of engagement {record.engagement.hex()}"]
    if case is not None:
        lines += [f"case      {case.case}", f"after     {case.head}"]
    lines.append(f"signed at {both(record.claimed_at, terms.zone)}")
    lines += _body(record, terms)
    then = _FILED if isinstance(record, DisputeFiling) else then_of(move_of(record), case)
    lines.append(f"then      {then}")
    if case is not None and isinstance(record, DisputeAct):
        lines += (f"note      {one}" for one in _notes(record, case, told))
    lines += (f"note      {one}" for one in beside)
    due = record.due if isinstance(record, DisputeFiling) else _due_of(record)
    if due is not None:
        lines.append(f"deadline  {due_text(due)}")
    return [plain(line) for line in lines]


def _notes(act: DisputeAct, case: Case, told: Iterable[Said]) -> Iterator[str]:
    """Say what follows from an act and cannot be read off it."""
    if act.act is Act.ACCEPT:
        yield from (_accepted(case, told, cited) for cited in act.cites or ())
    if act.act in _OF_SUMS:
        yield who_pays(case.filing.claim, case.filer)
    match act.act:
        case Act.WITHDRAW if case.drawing:
            yield "the round that draws was set in this case: you file no other over its hours"
        case Act.APPEAL:
            yield "the next arbitrator asks for nothing, writes no draft, and cannot open what was"
            yield "sealed to the first: say all of it here, and in the one comment of each party"
        case Act.OFFER:
            # Whose are open is known, and not who signs: of one's own first offer nothing is ended.
            yield _REPLACING if case.offers else _FIRST
            if (act.amount or 0) > case.filing.amount:
                yield f"that is more than the {_at_stake(case)} at stake"
        case _:
            pass


def _accepted(case: Case, told: Iterable[Said], cited: Digest) -> str:
    """Say what an acceptance accepts: a digest tells nobody a sum."""
    offer = offer_in(case, told, cited)
    if offer is None:
        return f"what it accepts is not at hand: {cited}"
    words = offer.words(case.terms.currency)
    return f"it accepts {words}, the offer of the {_word(offer.by)}: {offer.text}"


def _at_stake(case: Case) -> str:
    return amount_text(case.filing.amount, case.terms.currency)


def due_text(due: Due) -> str:
    """Write a deadline with how it was counted."""
    days = count(due.days, "working day")
    return f"{both(due.until, due.zone)}; {days} of {due.calendar}, {due.source}"


def _due_of(
    record: DisputeAct | DisputeRequest | DisputeDisclosure | DisputeFinding,
) -> Due | None:
    return None if record.place is None else record.place.due


def _body(record: Signable, terms: Terms) -> Iterator[str]:
    match record:
        case DisputeFiling():
            yield f"about     {_word(record.claim)}"
            yield f"amount    {amount_text(record.amount, terms.currency)}"
            yield from _period(record.begin, record.end, terms)
            yield f"text      {record.text}"
            yield from _calendar(record.calendar)
        case DisputeRequest():
            yield f"reason    {record.reason}"
            yield from (f"frame     {one.frame}" for one in record.frames)
            yield f"key       {Digest.of(record.sealing_key)}"
        case DisputeDisclosure():
            yield f"answers   {record.request}"
            yield from (f"frame     {one.frame}" for one in record.frames)
        case DisputeFinding():
            yield f"judges    {record.disclosure}"
            yield from (
                f"{_word(one.outcome):<9} {one.disclosure}, {one.shown} of {one.tiles} tiles shown"
                for one in record.findings
            )
        case DisputeAct():
            yield from _act(record, terms)


def _act(act: DisputeAct, terms: Terms) -> Iterator[str]:
    yield f"act       {_word(act.act)}"
    if act.code is not None:
        yield f"code      {_word(act.code)}"
    if act.level is not None:
        yield f"level     {act.level}"
    if act.count is not None:
        yield f"count     {act.count}"
    if act.begin is not None and act.end is not None:
        yield from _period(act.begin, act.end, terms)
    elif act.end is not None:
        yield f"until     {both(act.end, terms.zone)}"
    if act.amount is not None:
        yield f"amount    {amount_text(act.amount, terms.currency)}"
    for name, text in (("text", act.text), ("why", act.why)):
        if text is not None:
            yield f"{name:<9} {text}"
    yield from (f"cites     {one}" for one in act.cites or ())
    yield from _calendar(act.calendar)
    yield from _digits(act)


def _digits(act: DisputeAct) -> Iterator[str]:
    if act.freeze is not None:
        yield f"freeze    {act.freeze.root}, {count(act.freeze.count, 'frame')}"
    if act.round is not None:
        yield f"round     {act.round}"
    if act.value is not None:
        yield f"value     {act.value.hex()}"
    if act.person is not None:
        yield f"person    {act.person}"
    if act.sealing_key is not None:
        yield f"key       {Digest.of(act.sealing_key)}"


def _period(begin: int, end: int, terms: Terms) -> Iterator[str]:
    yield f"from      {both(begin, terms.zone)}"
    yield f"to        {both(end, terms.zone)}"


def _calendar(calendar: CaseCalendar | None) -> Iterator[str]:
    if calendar is not None:
        off = datetime(1970, 1, 1, tzinfo=UTC)
        days = ", ".join(f"{off + timedelta(days=day):%Y-%m-%d}" for day in calendar.days_off)
        yield f"calendar  {calendar.name} in {calendar.zone}, days off: {days or 'none'}"


def _word(member: IntEnum) -> str:
    return member.name.lower().replace("_", " ")
