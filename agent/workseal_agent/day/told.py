"""What the ledger tells of a stretch of time: entries with their proof, remarks, and labels."""

from collections.abc import Sequence
from zoneinfo import ZoneInfo

from workseal_agent.ledger import Engagement, Ledger, StoredStatement
from workseal_protocol.checkpoint import SignedCheckpoint
from workseal_protocol.commitment import Note, Opening, ValueKind, parse_notes
from workseal_protocol.errors import VerificationError
from workseal_protocol.labels import Labelled, labelled_of
from workseal_protocol.policy import TlogPolicy, VerifiedCheckpoint, verify_checkpoint
from workseal_protocol.records import Evidence, Record, Segment, read_record
from workseal_protocol.statement import Statement
from workseal_protocol.terms import Terms
from workseal_protocol.window import Entry, Window, WindowError, grade, windows_of

# How long after a gap the recording that tells of it is looked for.
_NEXT_MS = 12 * 3_600_000


def entries_of(ledger: Ledger, engagement: Engagement, begin_ms: int, end_ms: int) -> list[Entry]:
    """Return what tells of a stretch of time, for the functions that fold a diary."""
    stored = ledger.told_of(engagement.id, begin_ms, end_ms)
    return [entry for entry, _ in placed_entries(ledger, engagement.id, engagement.terms, stored)]


def placed_entries(
    ledger: Ledger,
    engagement: bytes,
    terms: Terms,
    stored: Sequence[StoredStatement],
    *,
    proved: bool = True,
) -> list[tuple[Entry, StoredStatement]]:
    """Join statements with what is known of their time; those in the log first, in its order.

    Unless it is to be `proved`, no checkpoint is verified, and nothing is known of it.
    """
    last = max((one.log_index or 0 for one in stored), default=0) + 1
    placed = sorted(stored, key=lambda one: (one.log_index is None, one.log_index or one.number))
    records = [read_record(Statement.parse(one.body)) for one in placed]
    logged = [
        (one.log_index, record)
        for one, record in zip(placed, records, strict=True)
        if one.log_index is not None
    ]
    windows = _windows(ledger, engagement, terms, logged) if proved else ()
    entries = []
    for number, (one, record) in enumerate(zip(placed, records, strict=True)):
        window = windows[number] if number < len(windows) else Window()
        index = one.log_index if one.log_index is not None else last + number
        known = grade(record, window, terms.round_ms)
        entries.append((Entry(index, one.digest, record, window, known), one))
    return entries


def notes_of(
    ledger: Ledger, engagement: Engagement, begin_ms: int, end_ms: int
) -> tuple[Note, ...]:
    """Return the agent's remarks about a stretch; the ledger must have been opened with its key.

    What interrupted the recording stands in the first segment after the gap, so that one belongs
    to a stretch in which nothing was recorded.
    """
    stored = ledger.told_of(engagement.id, begin_ms, end_ms + _NEXT_MS)
    segments = sorted(
        (
            (record.begin, one.digest)
            for one in stored
            if isinstance(record := read_record(Statement.parse(one.body)), Segment)
        ),
        key=lambda pair: pair[0],
    )
    inside = [digest for begin, digest in segments if begin < end_ms]
    following = [digest for begin, digest in segments if begin >= end_ms]
    return tuple(
        note
        for digest in inside or following[:1]
        for value in ledger.private_values(digest)
        if value.kind == ValueKind.NOTES
        for note in parse_notes(value.value)
    )


def labels_over(
    ledger: Ledger, engagement: Engagement, entries: Sequence[Entry], zone: ZoneInfo
) -> Labelled:
    """Fold every label of an engagement over the time that entries tell, as a client does.

    The ledger must have been opened with its key. A label may have come long after its time.
    """
    stored = ledger.of_kind(engagement.id, Evidence.KIND.value)
    labelling = [
        Entry(one.number, one.digest, read_record(Statement.parse(one.body)), Window(), None)
        for one in stored
    ]
    openings = [
        Opening(one.digest, ValueKind.EVIDENCE, value.salt, value.value)
        for one in stored
        for value in ledger.private_values(one.digest)
        if value.kind == ValueKind.EVIDENCE
    ]
    return labelled_of([*entries, *labelling], openings, zone)


def _windows(
    ledger: Ledger, engagement: bytes, terms: Terms, logged: Sequence[tuple[int, Record]]
) -> tuple[Window, ...]:
    if not logged:
        return ()
    checkpoints = _checkpoints(ledger, engagement, terms, logged[0][0], logged[-1][0])
    try:
        return windows_of(logged, checkpoints, round_ms=terms.round_ms)
    except WindowError:
        # The bundle's own examination names the contradiction; here no time is claimed as proved.
        return tuple(Window() for _ in logged)


def _checkpoints(
    ledger: Ledger, engagement: bytes, terms: Terms, first: int, last: int
) -> list[VerifiedCheckpoint]:
    policy = TlogPolicy.parse(terms.log_policy)
    verified = []
    for body in ledger.checkpoints_over(engagement, first, last):
        try:
            verified.append(verify_checkpoint(SignedCheckpoint.parse(body), policy))
        except VerificationError:
            continue  # a changed row proves nothing; the rest may
    return verified
