"""The custody table of a case: who did what, with which key, when at the earliest and latest.

Rules: rows follow from the statements and the bundle alone, so whoever has them writes the same
bytes. No text of a party stands here: the words are in the statements.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from workseal_protocol.casefile.exhibits import handed_over
from workseal_protocol.casefile.replay import Told
from workseal_protocol.digest import Digest
from workseal_protocol.records import (
    DisputeAct,
    DisputeDisclosure,
    DisputeFinding,
    DisputeRequest,
    read_record,
)
from workseal_protocol.statement import Statement
from workseal_protocol.window import Entry

COLUMNS = (
    "number", "claimed_at", "not_before", "not_after", "log_index", "role", "key", "move",
    "state_after", "deadline_after", "late", "statement", "statement_before", "about", "contents",
    "exhibit",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Beside:
    """Hold where in the folder something is that was handed over, and its size with its salt."""

    name: str
    size: int


@dataclass(frozen=True, slots=True)
class Custody:
    """Hold one row: what one statement did, and what proves when. Empty where nothing proves it."""

    number: int
    told: Told
    before: Digest | None
    entry: Entry | None
    about: Digest | None
    contents: tuple[Digest, ...]
    beside: Beside | None = None

    @property
    def cells(self) -> tuple[str, ...]:
        """Give the cells of `COLUMNS`."""
        window = None if self.entry is None else self.entry.window
        return (
            str(self.number),
            instant(self.told.at),
            instant(window.lower if window else None),
            instant(window.upper if window else None),
            "" if self.entry is None else str(self.entry.index),
            self.told.who,
            str(self.told.statement.issuer),
            self.told.move,
            self.told.state,
            instant(self.told.until),
            "late" if self.told.late else "",
            str(self.told.statement.digest),
            "" if self.before is None else str(self.before),
            "" if self.about is None else str(self.about),
            " ".join(map(str, self.contents)),
            "" if self.beside is None else self.beside.name,
        )


def instant(ms: int | None) -> str:
    """Write an instant as ISO 8601 with milliseconds; empty for none."""
    if ms is None:
        return ""
    whole = datetime.fromtimestamp(ms // 1000, tz=UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{whole}.{ms % 1000:03d}Z"


def custody_of(
    told: Sequence[Told], entries: Mapping[Digest, Entry], beside: Mapping[Digest, Beside]
) -> tuple[Custody, ...]:
    """Give a row for each statement, in the order of the case; `beside` is what is at hand."""
    rows: list[Custody] = []
    before: Digest | None = None
    for number, one in enumerate(told):
        about, contents = _names(one.statement)
        entry = entries.get(one.statement.digest)
        over = handed_over(read_record(one.statement))
        at_hand = None if over is None else beside.get(over)
        rows.append(Custody(number, one, before, entry, about, contents, at_hand))
        before = one.statement.digest
    return tuple(rows)


def custody_csv(rows: Sequence[Custody]) -> bytes:
    """Write the table as CSV; no cell holds a comma or a quotation mark."""
    return "".join(",".join(cells) + "\n" for cells in _table(rows)).encode()


def _table(rows: Sequence[Custody]) -> Iterator[tuple[str, ...]]:
    yield COLUMNS
    yield from (row.cells for row in rows)


def _names(statement: Statement) -> tuple[Digest | None, tuple[Digest, ...]]:
    """Give what a statement answers, and the digests of what it asks for or hands over."""
    record = read_record(statement)
    match record:
        case DisputeRequest():
            return None, tuple(one.frame for one in record.frames)
        case DisputeDisclosure():
            return record.request, tuple(one.disclosure for one in record.frames)
        case DisputeFinding():
            return record.disclosure, tuple(one.disclosure for one in record.findings)
        case DisputeAct():
            value = () if record.value is None else (Digest(record.value),)
            return None, (*value, *(record.cites or ()))
        case _:
            return None, ()
