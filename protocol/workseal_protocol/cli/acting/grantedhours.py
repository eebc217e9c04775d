"""Openings that are to be handed over at level 1, held against what was granted.

Rules: what a file opens must be what statements of this record committed to, in the granted hours,
of no more segments than were granted; and of one at least. The file of another request, or of
something else, is refused before anything is signed: whoever gets it could not open it.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from workseal_protocol.cli.problem import DOES_NOT_HOLD, CommandError
from workseal_protocol.cli.text import count
from workseal_protocol.commitment import Opening, ValueKind
from workseal_protocol.digest import Digest
from workseal_protocol.dispute import Ask
from workseal_protocol.errors import MalformedError, WorksealError
from workseal_protocol.records import Record, Segment, SessionOpen, read_record
from workseal_protocol.statement import Kind, Statement
from workseal_protocol.verify import check_opening

_KINDS: Final = frozenset({Kind.SEGMENT, Kind.SESSION_OPEN})
_LEVEL_ONE: Final = frozenset({ValueKind.ACTIVITY, ValueKind.NOTES, ValueKind.ENVIRONMENT})


def opened_of(ask: Ask, openings: Sequence[Opening], statements: Iterable[Statement]) -> str:
    """Say of how many segments of the granted hours these open activity.

    Raises `CommandError` for what opens anything else, or nothing of them.
    """
    try:
        records = {one.digest: read_record(one) for one in statements if one.kind in _KINDS}
    except MalformedError as error:
        raise CommandError(f"the record of work is malformed: {error}", DOES_NOT_HOLD) from error
    hours = {
        digest: record
        for digest, record in records.items()
        if isinstance(record, Segment) and ask.begin <= record.begin < ask.end
    }
    sessions = {record.session for record in hours.values()}
    for number, opening in enumerate(openings):
        record = records.get(opening.statement)
        _check(number, opening, record)
        if opening.statement not in hours and not _begins_one(record, sessions):
            raise _refused(f"opening {number} is of other hours than those that were granted")
    opened = {one.statement for one in openings} & hours.keys()
    if not 0 < len(opened) <= ask.granted:
        most = count(ask.granted, "segment")
        raise _refused(f"expected openings of 1 to {most} of the granted hours, as ruled", opened)
    active = {digest for digest, record in hours.items() if record.activity is not None}
    told = {one.statement for one in openings if one.kind is ValueKind.ACTIVITY}
    return (
        f"it opens the activity of {len(told)} of the {count(len(active), 'segment')} of the"
        f" granted hours that have it; {ask.granted} were granted"
    )


def _check(number: int, opening: Opening, record: Record | None) -> None:
    if opening.kind not in _LEVEL_ONE:
        kind = opening.kind.name.lower()
        raise _refused(f"opening {number} is of {kind}, and level 1 opens none")
    if record is None:
        raise _refused(f"opening {number} is of no statement of this record of work")
    try:
        check_opening(opening, record)
    except WorksealError as error:
        raise _refused(f"opening {number}: {error}") from error


def _begins_one(record: Record | None, sessions: set[bytes]) -> bool:
    """Say whether facts of displays are those of a session that has segments in the hours."""
    return isinstance(record, SessionOpen) and record.session in sessions


def _refused(text: str, opened: Iterable[Digest] | None = None) -> CommandError:
    found = "" if opened is None else f", found {len(set(opened))}"
    return CommandError(f"show: {text}{found}; 'workseal-agent case openings' writes them", 1)
