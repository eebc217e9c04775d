"""Hours as a PDF: one table of days, the sums, how to check them, and what is not proven."""

import io
from collections.abc import Iterator
from typing import Any
from xml.sax.saxutils import escape

from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import getSampleStyleSheet
from reportlab.lib.units import mm
from reportlab.platypus import Paragraph, SimpleDocTemplate, Spacer

from workseal_protocol.cli import activitylines, labellines
from workseal_protocol.cli.hours.rows import Rows
from workseal_protocol.cli.hours.sheet import CLASSES, Sheet, recorded_of
from workseal_protocol.cli.text import exact, instant, plain
from workseal_protocol.cli.totalslines import limit_line
from workseal_protocol.terms import amount_text

_STYLES = getSampleStyleSheet()


def as_pdf(sheet: Sheet, *, spans: bool) -> bytes:
    """Write A4 pages; `spans` adds a table of intervals. The same hours give the same bytes."""
    file = io.BytesIO()
    title = f"Hours, {sheet.first} to {sheet.last}"
    document = SimpleDocTemplate(
        file, pagesize=A4, title=title, author="Workseal", invariant=1,
        leftMargin=18 * mm, rightMargin=18 * mm, topMargin=18 * mm, bottomMargin=18 * mm,
    )  # fmt: skip
    story: list[Any] = [_words(title, "Title"), *_sums(sheet), _day_table(sheet)]
    if spans:
        story += [_words("Intervals", "Heading2"), _span_table(sheet)]
    story += [*_labels(sheet), *_activity(sheet)]
    story += [Spacer(0, 4 * mm), *_proof(sheet), *_unproven(sheet)]
    document.build(story, onFirstPage=_number, onLaterPages=_number)
    return file.getvalue()


def _sums(sheet: Sheet) -> Iterator[Paragraph]:
    billed = sheet.billed
    yield _words(f"Engagement {sheet.engagement.hex()}")
    yield _words(f"Recorded: {exact(sheet.recorded_ms)}")
    if sheet.late_ms:
        yield _words(f"Declared late, beside it: {exact(sheet.late_ms)}")
    known = ", ".join(f"{grade} {exact(ms)}" for grade, ms in sheet.by_grade.items() if ms)
    if known:
        yield _words(f"How it is known: {known}")
    rate = amount_text(sheet.terms.rate_minor_per_hour, billed.currency)
    yield _words(
        f"Billed by the terms: {exact(billed.ms)} at {rate} an hour, "
        f"{amount_text(billed.amount, billed.currency)} (a view; the recorded time is the record)"
    )
    yield from (_words(limit_line(one)) for one in sheet.exceeded)
    if sheet.said is not None:
        yield _words(sheet.said)


def _day_table(sheet: Sheet) -> Rows:
    head = [f"Day ({sheet.zone})", *CLASSES.values(), "recorded", "offline", "billed"]
    rows = []
    for day in sheet.days:
        cells = [*(day.worked_ms[kind] for kind in CLASSES), recorded_of(day), day.offline_ms]
        rows.append([str(day.day), *map(_clock, [*cells, sheet.billed_day(day)])])
    return Rows(head, rows, 4 * mm)


def _span_table(sheet: Sheet) -> Rows:
    rows = [
        [
            sheet.local(span.begin).strftime("%Y-%m-%d %H:%M:%S %z"),
            sheet.local(span.end).strftime("%Y-%m-%d %H:%M:%S %z"),
            str(span.state),
            str(span.grade),
            _clock(span.worked_ms),
        ]
        for span in sheet.spans
    ]
    return Rows(["Begin", "End", "State", "Grade", "Worked"], rows, 2 * mm)


def _labels(sheet: Sheet) -> Iterator[Paragraph]:
    if sheet.labelled.projects:
        yield _words(labellines.ABOUT, "Heading2")
        yield from map(_words, labellines.name_lines(sheet.labelled.projects))
    if sheet.labelled.tags:
        yield _words(labellines.ABOUT_TAGS, "Heading2")
        yield from (_words(f"#{line}") for line in labellines.name_lines(sheet.labelled.tags))


def _activity(sheet: Sheet) -> Iterator[Paragraph]:
    if sheet.activity:
        yield _words("Activity", "Heading2")
        yield _words(activitylines.ABOUT)
        yield from (_words(activitylines.row_text(row, sheet.zone)) for row in sheet.activity)


def _clock(ms: int) -> str:
    """Write a duration as narrow as a cell, with all its digits."""
    seconds, rest = divmod(ms, 1000)
    return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}.{rest:03}"


def _proof(sheet: Sheet) -> Iterator[Paragraph]:
    yield _words("How to check this", "Heading2")
    yield _words(f"The bundle with SHA-256 {sheet.bundle}, under your own policy:")
    yield _words("workseal verify BUNDLE --policy POLICY", "Code")
    yield _words(f"Log {sheet.origin}, {sheet.tree_size} entries.")
    if sheet.known_by_ms is not None:
        yield _words(f"All of it existed by {instant(sheet.known_by_ms)}.")


def _unproven(sheet: Sheet) -> Iterator[Paragraph]:
    yield _words("Not proven, whatever the steps say", "Heading2")
    yield from (_words(f"- {sentence}") for sentence in sheet.not_proven)


def _words(text: str, style: str = "BodyText") -> Paragraph:
    # What the font has no letter for is spelled out, not left out.
    known = plain(text).encode("cp1252", "backslashreplace").decode("cp1252")
    return Paragraph(escape(known), _STYLES[style])


def _number(canvas: Any, _document: Any) -> None:
    canvas.setFont("Helvetica", 8)
    canvas.drawRightString(A4[0] - 18 * mm, 10 * mm, f"Page {canvas.getPageNumber()}")
