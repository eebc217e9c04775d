"""Step 12: what is opened is what was committed, was asked for, and was not withdrawn."""

from workseal_protocol.bundle import FrameDisclosure
from workseal_protocol.chain import owed_instant
from workseal_protocol.commitment import (
    ActivityRecord,
    Opening,
    ValueKind,
    parse_notes,
    verify_opening,
)
from workseal_protocol.digest import Digest
from workseal_protocol.disclosure import verify_disclosure
from workseal_protocol.errors import VerificationError, WorksealError
from workseal_protocol.frame import FrameHeader
from workseal_protocol.lottery import round_start
from workseal_protocol.records import (
    Declaration,
    DisputeDisclosure,
    DisputeFinding,
    DisputeRequest,
    Evidence,
    Outcome,
    Record,
    Segment,
    SessionOpen,
    parse_item,
)
from workseal_protocol.terms import Terms
from workseal_protocol.verify.case import Case, named

_TEXTS = frozenset({ValueKind.ENVIRONMENT, ValueKind.MEMO})
# How many tiles of a frame are shown, of how many: the tiles themselves are not kept.
_Counts = tuple[int, int]


def check_opened(case: Case) -> str:
    """Check openings, disclosures, and the disputes that name them."""
    contents = case.bundle.contents
    records = {statement.digest: record for _, _, statement, record in case.items()}
    seen: set[tuple[Digest, ValueKind]] = set()
    for number, opening in enumerate(contents.openings):
        try:
            check_opening(opening, records.get(opening.statement))
        except WorksealError as error:
            raise VerificationError(f"opening {number}: {error}") from error
        if (opening.statement, opening.kind) in seen:
            raise VerificationError(f"opening {number}: the value was opened before")
        seen.add((opening.statement, opening.kind))
    answers = _Answers(case, records)
    verified: dict[Digest, _Counts] = {}
    for item in contents.disclosures:
        try:
            verified[item.disclosure.digest] = _check_disclosure(case, item, answers)
        except VerificationError as error:
            raise VerificationError(f"{item.name}: {error}") from error
    _check_findings(case, records, verified)
    return f"openings: {len(contents.openings)}, disclosures: {len(contents.disclosures)}"


def check_opening(opening: Opening, record: Record | None) -> None:
    """Check that a value is the one its statement committed to, or raise a `WorksealError`."""
    # (12) An opened value is the committed one, and has the form of its kind.
    commitment = _commitments(record).get(opening.kind)
    if commitment is None:
        raise VerificationError("its statement committed to no value of this kind")
    verify_opening(opening, commitment)
    if opening.kind is ValueKind.ACTIVITY:
        _require_observed(ActivityRecord.parse(opening.value), record)
    if opening.kind is ValueKind.NOTES:
        parse_notes(opening.value)
    if opening.kind is ValueKind.EVIDENCE:
        parse_item(opening.value)
    if opening.kind in _TEXTS:
        _require_text(opening.value)


def _require_observed(activity: ActivityRecord, record: Record | None) -> None:
    # (12) Input is observed in worked time alone: no more of it than was worked.
    if isinstance(record, Segment) and activity.observed_ms > record.worked:
        raise VerificationError(
            f"activity was observed for {activity.observed_ms} ms, in a segment of"
            f" {record.worked} worked ms"
        )


def _require_text(value: bytes) -> None:
    try:
        value.decode("utf-8")
    except UnicodeDecodeError as error:
        raise VerificationError("the value is not text in UTF-8") from error


def _commitments(record: Record | None) -> dict[ValueKind, Digest | None]:
    match record:
        case Segment():
            return {ValueKind.ACTIVITY: record.activity, ValueKind.NOTES: record.notes}
        case SessionOpen():
            return {ValueKind.ENVIRONMENT: record.environment}
        case Declaration():
            return {ValueKind.MEMO: record.memo, ValueKind.ARTEFACT: record.artefact}
        case Evidence():
            return {ValueKind.EVIDENCE: record.item}
        case _:
            return {}


class _Answers:
    """Find the frames that were asked for and answered, in the order of the log."""

    def __init__(self, case: Case, records: dict[Digest, Record]) -> None:
        requests: set[Digest] = set()
        self._pairs: dict[tuple[Digest, Digest], list[tuple[int, Digest]]] = {}
        for place, _, statement, record in case.items():
            if isinstance(record, DisputeRequest):
                requests.add(statement.digest)
            if isinstance(record, DisputeDisclosure):
                request = records.get(record.request)
                # (12) An answer follows its request, and shows only what was asked for.
                if record.request not in requests or not isinstance(request, DisputeRequest):
                    raise VerificationError(
                        f"{named(place, statement)} answers a request that does not stand before it"
                    )
                asked = {item.frame: item.segment for item in request.frames}
                for item in record.frames:
                    if item.frame not in asked:
                        raise VerificationError(
                            f"{named(place, statement)} shows a frame that was not asked for"
                        )
                    pair = (item.frame, item.disclosure)
                    self._pairs.setdefault(pair, []).append((place, asked[item.frame]))

    def place_of(self, frame: Digest, disclosure: Digest, segment: Digest) -> int | None:
        """Give the place of the first answer to name both, to a request that named the segment."""
        named_both = self._pairs.get((frame, disclosure), [])
        return min((place for place, asked in named_both if asked == segment), default=None)


def _check_disclosure(case: Case, item: FrameDisclosure, answers: _Answers) -> _Counts:
    statements = case.bundle.contents.statements
    record = case.records[item.number] if item.number < len(statements) else None
    if not isinstance(record, Segment) or not record.frames:
        raise VerificationError("its number is not that of a segment with frames")
    if (item.display is None) != (len(record.frames) == 1):
        raise VerificationError("a display is named exactly when the segment has several frames")
    if (item.display or 0) >= len(record.frames):
        raise VerificationError("the segment has no frame of this display")
    frame = record.frames[item.display or 0]
    # (12) A logged answer to a logged request names this disclosure.
    answered = answers.place_of(frame, item.disclosure.digest, statements[item.number].digest)
    if answered is None:
        raise VerificationError("no logged answer to a request names this disclosure")
    # (12) What was withdrawn is not opened afterwards; nobody takes back what was shown before.
    if case.withdrawn.get(frame, answered) < answered:
        raise VerificationError("the frame was withdrawn before the answer")
    # (12) The tiles are those of the frame, and the frame is one of its segment's round.
    verified = verify_disclosure(item.disclosure, frame)
    check_frame_header(verified.header, record, item.display or 0, case.terms)
    return len(verified.shown), verified.header.grid.count


def check_frame_header(header: FrameHeader, segment: Segment, display: int, terms: Terms) -> None:
    """Check that a frame tells the place where it stands, or raise `VerificationError`."""
    if header.round != segment.round:
        raise VerificationError("the frame tells another round than its segment")
    if header.display != display:
        raise VerificationError("the frame tells another display than its place in the segment")
    if header.tile != terms.tile:
        raise VerificationError("the frame has other tiles than the terms ask for")
    drawn = owed_instant(terms, segment.engagement, segment)
    if drawn != round_start(segment.round, terms.round_ms) + header.offset_ms:
        raise VerificationError("the frame tells another instant than the one that was drawn")


def _check_findings(
    case: Case, records: dict[Digest, Record], verified: dict[Digest, _Counts]
) -> None:
    for place, _, statement, record in case.items():
        if not isinstance(record, DisputeFinding):
            continue
        # (12) A finding is about a logged answer, and says what can be found again here.
        answer = records.get(record.disclosure)
        if not isinstance(answer, DisputeDisclosure):
            raise VerificationError(f"{named(place, statement)} is about no logged answer")
        told = {item.disclosure for item in answer.frames}
        for finding in record.findings:
            if finding.disclosure not in told:
                raise VerificationError(
                    f"{named(place, statement)} judges what was not handed over"
                )
            counts = verified.get(finding.disclosure)
            if counts is None:
                continue
            if finding.outcome is not Outcome.HOLDS or (finding.shown, finding.tiles) != counts:
                raise VerificationError(f"{named(place, statement)} says what does not hold here")
