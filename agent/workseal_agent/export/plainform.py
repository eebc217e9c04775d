"""What the ledger and the vault hold, in words and figures that any program reads.

Rules: nothing is left out and nothing is judged. Instants are RFC 3339 in UTC. A value is told in
words beside its bytes, because only the bytes open its commitment.
"""

from typing import Any

from workseal_agent.ledger import CaptureRow, PrivateValue, StoredStatement
from workseal_protocol.cli.openings import item_value
from workseal_protocol.cli.text import instant, plain
from workseal_protocol.commitment import ActivityRecord, ValueKind, parse_notes
from workseal_protocol.errors import MalformedError
from workseal_protocol.records import (
    Declaration,
    DeclarationForm,
    Segment,
    SegmentState,
    parse_item,
)

STATEMENT_COLUMNS = ("file", "number", "kind", "digest", "sent", "log_index", "problem")
TIME_COLUMNS = (
    "statement", "session", "round", "begin", "end", "begin_ms", "end_ms", "worked_ms", "state",
    "capture",
)  # fmt: skip
FRAME_COLUMNS = (
    "number", "file", "state", "commitment", "segment", "round", "taken", "taken_ms", "display",
    "width", "height", "header", "seed",
)  # fmt: skip


def statement_row(stored: StoredStatement, file: str) -> tuple[str, ...]:
    """Give one line of `statements.csv`."""
    return (
        file,
        "" if stored.seq is None else str(stored.seq),
        stored.kind,
        str(stored.digest),
        str(stored.state),
        "" if stored.log_index is None else str(stored.log_index),
        # Somebody else's words: never the beginning of a cell, where a program may take a formula.
        f"refused: {plain(stored.problem)}" if stored.problem else "",
    )


def time_row(digest: str, segment: Segment) -> tuple[str, ...]:
    """Give one line of `times.csv`."""
    return (
        digest,
        segment.session.hex(),
        str(segment.round),
        rfc3339(segment.begin),
        rfc3339(segment.end),
        str(segment.begin),
        str(segment.end),
        str(segment.worked),
        _word(SegmentState(segment.state).name),
        _word(segment.capture.name),
    )


def declaration_value(
    digest: str, record: Declaration, values: tuple[PrivateValue, ...]
) -> dict[str, Any]:
    """Give one item of `declarations.json`."""
    own = {value.kind: value.value for value in values}
    artefact = own.get(ValueKind.ARTEFACT)
    return {
        "statement": digest,
        "form": _word(DeclarationForm(record.form).name),
        "begin": rfc3339(record.begin),
        "end": rfc3339(record.end),
        "begin_ms": record.begin,
        "end_ms": record.end,
        "worked_ms": record.worked,
        "memo": own[ValueKind.MEMO].decode() if ValueKind.MEMO in own else None,
        "artefact_sha256": None if artefact is None else artefact.hex(),
    }


def value_line(digest: str, value: PrivateValue) -> dict[str, Any]:
    """Give one line of `values.jsonl`: what opens one commitment."""
    kind = ValueKind(value.kind)
    return {
        "statement": digest,
        "kind": _word(kind.name),
        "salt": value.salt.hex(),
        "bytes": value.value.hex(),
        "value": _told(kind, value.value),
    }


def frame_row(row: CaptureRow, file: str, state: str, header: str, seed: str) -> tuple[str, ...]:
    """Give one line of `frames.csv`."""
    return (
        str(row.number),
        file,
        state,
        str(row.commitment),
        str(row.segment),
        str(row.round),
        rfc3339(row.captured_ms),
        str(row.captured_ms),
        str(row.display),
        str(row.width),
        str(row.height),
        header,
        seed,
    )


def rfc3339(ms: int) -> str:
    """Write an instant as other programs read it."""
    return instant(ms).replace(" ", "T", 1)


def _told(kind: ValueKind, data: bytes) -> Any:
    try:
        match kind:
            case ValueKind.MEMO | ValueKind.ENVIRONMENT:
                return data.decode()
            case ValueKind.ARTEFACT:
                return data.hex()
            case ValueKind.NOTES:
                return [[_word(note.code.name), note.value] for note in parse_notes(data)]
            case ValueKind.ACTIVITY:
                return _activity(ActivityRecord.parse(data))
            case ValueKind.EVIDENCE:
                return item_value(parse_item(data))
    except (MalformedError, UnicodeDecodeError):
        return None


def _activity(record: ActivityRecord) -> dict[str, Any]:
    return {
        "observed_ms": record.observed_ms,
        "input_seconds": record.input_seconds,
        "keys_bucket": record.keys,
        "pointer_bucket": record.pointer,
        "synthetic_tenths": record.synthetic_tenths,
        "changed_percent": record.changed_percent,
        "source": _word(record.source.name),
    }


def _word(name: str) -> str:
    return name.lower().replace("_", "-")
