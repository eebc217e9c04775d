"""What the freelancer opened, as lines for a person and as a value for a program.

Rules: nothing is shown before step 12 held; each value stands with the instant by which it existed
at the latest. Texts are the freelancer's: they are printed harmless, and vouched for by nobody.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import tzinfo
from typing import Any, Final

from workseal_protocol.cli.text import count, instant, instant_in, plain
from workseal_protocol.commitment import Opening, ValueKind
from workseal_protocol.records import (
    EvidenceItem,
    FileDigest,
    GitCommit,
    Label,
    Text,
    parse_item,
)
from workseal_protocol.verify import Outcome, Report

MAX_OPENED: Final = 40  # on a screen; `--json` has every one

# The others are many small records; a program reads them from the extracted bundle.
_SHOWN: Final = (ValueKind.ENVIRONMENT, ValueKind.MEMO, ValueKind.ARTEFACT, ValueKind.EVIDENCE)


def openings_lines(report: Report, zone: tzinfo) -> Iterator[str]:
    """Write what was opened for a person; nothing if nothing was."""
    openings = _openings(report)
    if not openings:
        return
    counts = Counter(opening.kind for opening in openings)
    yield "Opened by the freelancer, whose words these are: " + ", ".join(
        count(number, kind.name.lower(), f"{kind.name.lower()} values")
        for kind, number in sorted(counts.items())
    )
    shown = [opening for opening in openings if opening.kind in _SHOWN]
    bounds = _existed_by(report)
    for opening in shown[:MAX_OPENED]:
        upper = bounds.get(opening.statement)
        by = "nothing says since when" if upper is None else f"by {instant(upper)}"
        yield f"  {by}  {opening.kind.name.lower()}: {plain(_told(opening, zone))}"
    if len(shown) > MAX_OPENED:
        yield f"  and {count(len(shown) - MAX_OPENED, 'more value')}; --json has every one"


def openings_value(report: Report) -> list[dict[str, Any]]:
    """Write what was opened for a program; times are Unix milliseconds."""
    bounds = _existed_by(report)
    return [
        {
            "statement": str(opening.statement),
            "kind": opening.kind.name.lower(),
            "existed_by_ms": bounds.get(opening.statement),
            **_value(opening),
        }
        for opening in _openings(report)
        if opening.kind in _SHOWN
    ]


def _openings(report: Report) -> tuple[Opening, ...]:
    step = report.by_number().get(12)
    if report.bundle is None or step is None or step.outcome is not Outcome.HOLDS:
        return ()
    return report.bundle.contents.openings


def _existed_by(report: Report) -> dict[Any, int | None]:
    return {entry.digest: entry.window.upper for entry in report.entries}


def _told(opening: Opening, zone: tzinfo) -> str:
    match opening.kind:
        case ValueKind.ARTEFACT:
            return f"a file with the digest {opening.value.hex()}"
        case ValueKind.EVIDENCE:
            return item_text(parse_item(opening.value), zone)
        case _:
            return opening.value.decode()


def item_text(item: EvidenceItem, zone: tzinfo) -> str:
    """Write an item of evidence for a person; names in it are as its owner typed them.

    Hours stand in the time of `zone`, what git says in UTC.
    """
    match item:
        case GitCommit():
            made = instant(item.committed_ms)
            return f"commit {item.commit.hex()} of {item.name}, dated {made} by itself"
        case FileDigest():
            return f"file {item.name}, {count(item.size, 'byte')}, SHA-256 {item.digest}"
        case Text():
            return item.text
        case Label():
            tags = "".join(f" #{tag}" for tag in item.tags)
            begin, end = instant_in(item.begin, zone), instant_in(item.end, zone)
            return f"{begin} to {end} was for {item.project}{tags}"


def _value(opening: Opening) -> dict[str, Any]:
    match opening.kind:
        case ValueKind.ARTEFACT:
            return {"digest": opening.value.hex()}
        case ValueKind.EVIDENCE:
            return item_value(parse_item(opening.value))
        case _:
            return {"text": opening.value.decode()}


def item_value(item: EvidenceItem) -> dict[str, Any]:
    """Write an item of evidence for a program."""
    match item:
        case GitCommit():
            return {
                "form": "git-commit",
                "name": item.name,
                "commit": item.commit.hex(),
                "committed_ms": item.committed_ms,
            }
        case FileDigest():
            return {
                "form": "file",
                "name": item.name,
                "digest": str(item.digest),
                "bytes": item.size,
            }
        case Text():
            return {"form": "text", "text": item.text}
        case Label():
            return {
                "form": "label",
                "project": item.project,
                "tags": list(item.tags),
                "begin_ms": item.begin,
                "end_ms": item.end,
            }
