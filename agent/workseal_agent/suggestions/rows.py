"""From lines that were read to suggestions: lines beside each other are searched as one row.

Rules: a whole line is suggested, not the word in it: the width of a word tells which word it is.
What continues a secret in the next line goes with it. A line with no secret in it is still a
suggestion, of the class "text".
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from workseal_agent.suggestions.finding import Finding
from workseal_agent.suggestions.labels import is_label, is_value
from workseal_agent.suggestions.suggestion import Kind, Suggestion, Sureness, Why
from workseal_protocol.frame import Box

Finder = Callable[[str], Iterable[Finding]]

_BETWEEN: Final = "  "
# In heights of a line: how far apart two lines of one row, and two rows of one block, may be.
_GAP: Final = 4
_LEADING: Final = 1.5
# A form sets its fields further below their labels.
_FORM_LEADING: Final = 3
_LONGEST_BLOCK: Final = 80
_WRAPPED: Final = frozenset({Kind.PRIVATE_KEY, Kind.ACCESS_KEY, Kind.TOKEN})
_RUN: Final = re.compile(r"[A-Za-z0-9+/=_.,-]{6,}")
_MIXED: Final = re.compile(r"[0-9].*[A-Za-z]|[A-Za-z].*[0-9]|[a-z][A-Z]{2}|[A-Z]{2}[a-z]")


@dataclass(frozen=True, slots=True)
class Line:
    """Hold a line of text and where it stands; the text is not shown."""

    text: str = field(repr=False)
    box: Box

    @property
    def middle(self) -> float:
        """Return the height of its middle."""
        return self.box.top + self.box.height / 2

    @property
    def right(self) -> int:
        """Return where it ends."""
        return self.box.left + self.box.width


Row = tuple[Line, ...]


def suggest_in(lines: Sequence[Line], finders: Sequence[Finder]) -> tuple[Suggestion, ...]:
    """Suggest every line once: for the worst that is found in it, else as text."""
    rows = rows_of(lines)
    found: list[Suggestion] = []
    taken: set[Line] = set()
    for number, row in enumerate(rows):
        for suggestion, touched in _in_row(row, finders, rows[number + 1 :]):
            found.append(suggestion)
            taken |= touched
        for label in row:
            values = () if label in taken else tuple(_values_under(label, rows[number + 1 :]))
            if values:
                boxes = tuple(line.box for line in (label, *values))
                found.append(Suggestion(Kind.PASSWORD, Why.LABELLED, Sureness.LIKELY, boxes))
                taken |= {label, *values}
    text = (
        Suggestion(Kind.TEXT, Why.READ, Sureness.SURE, (line.box,))
        for line in lines
        if line not in taken
    )
    return (*found, *text)


def rows_of(lines: Sequence[Line]) -> list[Row]:
    """Group lines that stand beside each other, from the top; each row from left to right."""
    rows: list[list[Line]] = []
    for line in sorted(lines, key=lambda one: (one.middle, one.box.left)):
        home = next((row for row in reversed(rows[-8:]) if _beside(row, line)), None)
        if home is None:
            rows.append([line])
        else:
            home.append(line)
    return [tuple(sorted(row, key=lambda one: one.box.left)) for row in rows]


def _beside(row: Sequence[Line], line: Line) -> bool:
    """Say whether a line stands on a row, near one of its lines; crops may repeat a part of it."""
    return any(
        abs(one.middle - line.middle) < min(one.box.height, line.box.height) / 2
        and max(one.box.left, line.box.left) - min(one.right, line.right)
        < _GAP * max(one.box.height, line.box.height)
        for one in row
    )


def _in_row(
    row: Row, finders: Sequence[Finder], below: Sequence[Row]
) -> Iterator[tuple[Suggestion, set[Line]]]:
    text, starts = "", []
    for line in row:
        starts.append(len(text))
        text += line.text + _BETWEEN
    for finding in _worst(one for finder in finders for one in finder(text)):
        touched = [
            line
            for line, start in zip(row, starts, strict=True)
            if start < finding.end and finding.start < start + len(line.text)
        ]
        # What two crops both saw a part of is one line: where it is cut is nobody's business.
        touched += [one for one in row if one not in touched and _overlaps(one, touched)]
        if not touched:
            continue
        more = list(_continued(finding, touched, text, below))
        boxes = tuple(line.box for line in (*touched, *more))
        yield (
            Suggestion(finding.kind, finding.why, finding.sureness, boxes),
            {*touched, *more},
        )


def _worst(findings: Iterable[Finding]) -> list[Finding]:
    """Leave out what overlaps with something surer, or as sure and worse."""
    order = list(Kind)
    kept: list[Finding] = []
    for one in sorted(findings, key=lambda each: (-each.sureness, order.index(each.kind))):
        if not any(one.start < other.end and other.start < one.end for other in kept):
            kept.append(one)
    return kept


def _overlaps(line: Line, others: Sequence[Line]) -> bool:
    return any(one.box.left < line.right and line.box.left < one.right for one in others)


def _continued(
    finding: Finding, touched: Sequence[Line], text: str, below: Sequence[Row]
) -> Iterator[Line]:
    """Yield the lines below that go on with a key or token that its line's end cuts off."""
    last = max(touched, key=lambda line: line.right)
    if finding.kind not in _WRAPPED or text[finding.end :].strip():
        return
    for row in below[:_LONGEST_BLOCK]:
        following = next((line for line in row if _under(last, line)), None)
        if following is None:
            if any(line.box.top > last.box.top + 3 * last.box.height for line in row):
                return
            continue
        plain = following.text.replace(" ", "")
        ending = "END" in plain and "KEY" in plain
        if not ending and not (_RUN.fullmatch(plain) and _MIXED.search(plain)):
            return
        yield following
        if ending:
            return
        last = following


def _values_under(label: Line, below: Sequence[Row]) -> Iterator[Line]:
    """Yield the lines below a label that may be its values: in a form one, in a table several."""
    if not is_label(label.text):
        return
    last = label
    for row in below[:_LONGEST_BLOCK]:
        if any(line.box.top > last.box.top + (_FORM_LEADING + 1) * last.box.height for line in row):
            return
        near = [line for line in row if _overlaps(line, (label,)) and line.box.top > last.box.top]
        if near:
            value = next((line for line in near if is_value(line.text, label.text)), None)
            if value is None:
                return
            yield value
            last = value


def _under(line: Line, other: Line) -> bool:
    gap = other.box.top - (line.box.top + line.box.height)
    height = max(line.box.height, other.box.height)
    return -height / 2 < gap < _LEADING * height and _overlaps(other, (line,))
