"""An invoice on paper: the figures of its XML, a code that names the proof, what is unproven."""

import io
from collections.abc import Collection, Iterator
from dataclasses import replace
from typing import Any, Final
from xml.sax.saxutils import escape

import reportlab
import segno
from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.platypus import Flowable, Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

from workseal_protocol.cli.hours.sheet import recorded_of
from workseal_protocol.cli.invoice.details import Party, Tax, TaxKind
from workseal_protocol.cli.invoice.einvoice import plain_decimal
from workseal_protocol.cli.invoice.figures import Invoice
from workseal_protocol.cli.problem import CommandError
from workseal_protocol.cli.text import exact, instant, plain
from workseal_protocol.cli.totalslines import limit_line
from workseal_protocol.terms import amount_text

_FONT, _BOLD = "Vera", "VeraBd"
_TEXT: Final = ParagraphStyle("text", fontName=_FONT, fontSize=8.5, leading=11.5)
_HEAD: Final = ParagraphStyle("head", _TEXT, fontName=_BOLD, spaceBefore=8, spaceAfter=3)
_TITLE: Final = ParagraphStyle("title", _TEXT, fontName=_BOLD, fontSize=16, leading=22)
_SIZE: Final = 8
# A cell keeps 6 points free on each side, as the frame of a page does.
_PADDING: Final = 12
_GRID: Final = TableStyle(
    [
        ("FONT", (0, 0), (-1, -1), _FONT, _SIZE),
        ("FONT", (0, 0), (-1, 0), _BOLD, _SIZE),
        ("ALIGN", (1, 0), (-1, -1), "RIGHT"),
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("LINEBELOW", (0, 0), (-1, 0), 0.8, colors.black),
        ("LINEBELOW", (0, 1), (-1, -1), 0.2, colors.lightgrey),
    ]
)
_WIDTH: Final = A4[0] - 36 * mm - _PADDING


def as_pdf(invoice: Invoice) -> bytes:
    """Write A4 pages with their fonts inside."""
    letters = _font()
    file = io.BytesIO()
    document = SimpleDocTemplate(
        file, pagesize=A4, title=f"{invoice.name} {invoice.details.number}", author="Workseal",
        invariant=1, initialFontName=_FONT,
        leftMargin=18 * mm, rightMargin=18 * mm, topMargin=18 * mm, bottomMargin=18 * mm,
    )  # fmt: skip
    _require_letters(invoice, letters)
    if invoice.agreed is not None:
        # The client's words: they stand in no way of the freelancer's invoice.
        invoice = replace(invoice, agreed=_spelt(invoice.agreed, letters))
    story: list[Any] = [
        *_top(invoice), _line(invoice), Spacer(0, 3 * mm), _sums(invoice), *_pay(invoice),
        *_basis(invoice), *_projects(invoice, letters), _days(invoice), *_proof(invoice),
        *_unproven(invoice),
    ]  # fmt: skip
    document.build(story, onFirstPage=_number, onLaterPages=_number)
    return file.getvalue()


def _font() -> set[int]:
    # They come with reportlab and go into the file: readers need no font of their own.
    text, bold = (
        TTFont(name, f"{reportlab.__path__[0]}/fonts/{name}.ttf") for name in (_FONT, _BOLD)
    )
    pdfmetrics.registerFont(text)
    pdfmetrics.registerFont(bold)
    return set(text.face.charToGlyph)


def _require_letters(invoice: Invoice, letters: set[int]) -> None:
    details = invoice.details
    said = [
        details.number,
        details.reference,
        invoice.corrects,
        details.description,
        details.payment,
        details.tax.reason,
    ]
    for party in (details.seller, details.buyer):
        said += [party.name, party.street, party.postcode, party.city, party.tax_number]
    missing = sorted({char for text in said if text for char in text if ord(char) not in letters})
    if missing:
        raise CommandError(
            f"the PDF's font has no letter {missing[0]}: write a .xml file instead, which has all"
        )


def _spelt(text: str, letters: Collection[int]) -> str:
    """Spell out what the font has no letter for, as `plain` does what cannot be seen."""
    return "".join(
        char if ord(char) in letters else char.encode("unicode_escape").decode() for char in text
    )


def _top(invoice: Invoice) -> Iterator[Any]:
    details, sheet = invoice.details, invoice.sheet
    yield _words(f"{invoice.name} {details.number}", _TITLE)
    if invoice.corrects is not None:
        yield _words(f"For invoice {invoice.corrects}, all of it.")
    yield _words(f"Date: {details.issued}. Due: {details.due}.")
    if details.reference is not None:
        yield _words(f"Your reference: {details.reference}")
    yield _words(f"Work of {sheet.first} to {sheet.last}, days of {sheet.zone}.")
    sides = [[_address("From", details.seller), _address("To", details.buyer)]]
    style = TableStyle(
        [
            ("FONT", (0, 0), (-1, -1), _FONT, 8),  # named in the file even where no cell uses it
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ("LEFTPADDING", (0, 0), (0, 0), 0),
        ]
    )
    yield Table(sides, colWidths=[_WIDTH / 2] * 2, style=style, spaceBefore=4 * mm)


def _address(head: str, party: Party) -> list[Paragraph]:
    place = f"{party.postcode or ''} {party.city}, {party.country}".strip()
    numbers = (
        f"VAT number {party.vat_id}" if party.vat_id else None,
        f"Tax number {party.tax_number}" if party.tax_number else None,
    )
    lines = (party.name, party.street, place, *numbers)
    return [_words(head, _HEAD), *(_words(line) for line in lines if line)]


def _line(invoice: Invoice) -> Table:
    sheet = invoice.sheet
    rate = amount_text(sheet.terms.rate_minor_per_hour, invoice.currency)
    time = exact(sheet.billed.ms)
    if invoice.quantity.unit == "HUR":
        time = f"{plain_decimal(invoice.quantity.amount)} h"
    net = amount_text(invoice.net_minor, invoice.currency)
    figures = ("Time", time), ("Per hour", rate), ("Net", net)
    rows: list[list[Any]] = [
        ["What", *(head for head, _ in figures)],
        [_words(invoice.line), *(figure for _, figure in figures)],
    ]
    # No figure is cut or reaches into the next one; the words take what is left.
    widths = [max(28 * mm, _width(head, _BOLD), _width(figure, _FONT)) for head, figure in figures]
    return Table(rows, colWidths=[_WIDTH - sum(widths), *widths], style=_GRID, spaceBefore=4 * mm)


def _width(text: str, font: str) -> float:
    return float(pdfmetrics.stringWidth(text, font, _SIZE)) + _PADDING


def _sums(invoice: Invoice) -> Table:
    rows = [
        ["Net", amount_text(invoice.net_minor, invoice.currency)],
        [_tax_name(invoice.details.tax), amount_text(invoice.tax_minor, invoice.currency)],
    ]
    if invoice.prepaid_minor:
        rows.append(["Net and VAT", amount_text(invoice.total_minor, invoice.currency)])
        rows.append(["Paid before", amount_text(-invoice.prepaid_minor, invoice.currency)])
    rows.append([invoice.total_name, amount_text(invoice.due_minor, invoice.currency)])
    style = TableStyle(
        [
            ("FONT", (0, 0), (-1, -1), _FONT, 9),
            ("FONT", (0, -1), (-1, -1), _BOLD, 9),
            ("ALIGN", (1, 0), (-1, -1), "RIGHT"),
        ]
    )
    return Table(rows, style=style, hAlign="RIGHT")


def _tax_name(tax: Tax) -> str:
    # What is outside the tax has no rate: EN 16931 knows none for it, not even 0.
    if tax.kind is TaxKind.OUTSIDE:
        return "VAT (outside its scope)"
    return f"VAT {plain_decimal(tax.percent)} %"


def _pay(invoice: Invoice) -> Iterator[Paragraph]:
    details = invoice.details
    yield from (_words(text) for text in (details.tax.reason, details.payment) if text)
    if details.iban and invoice.corrects is None:
        yield _words(f"Account (IBAN) {details.iban}")


def _basis(invoice: Invoice) -> Iterator[Paragraph]:
    yield _words("How the net amount comes about", _HEAD)
    yield from (_words(text) for text in invoice.basis)
    yield from (_words(limit_line(one)) for one in invoice.sheet.exceeded)


def _projects(invoice: Invoice, letters: Collection[int]) -> Iterator[Paragraph]:
    # The words of a label were chosen for no font.
    yield from (_words(_spelt(text, letters)) for text in invoice.projects)


def _days(invoice: Invoice) -> Table:
    sheet = invoice.sheet
    rows = [[f"Day ({sheet.zone})", "recorded", "billed"]]
    rows += [
        [str(day.day), exact(recorded_of(day)), exact(sheet.billed_day(day))] for day in sheet.days
    ]
    return Table(rows, style=_GRID, repeatRows=1, spaceBefore=3 * mm, hAlign="LEFT")


def _proof(invoice: Invoice) -> Iterator[Any]:
    sheet = invoice.sheet
    yield _words("How to check it", _HEAD)
    yield _words(f"The bundle with SHA-256 {sheet.bundle}, under your own policy:")
    yield _words("workseal verify BUNDLE --policy POLICY")
    yield _words(f"Log {sheet.origin}, {sheet.tree_size} entries.")
    if sheet.known_by_ms is not None:
        yield _words(f"All of it existed by {instant(sheet.known_by_ms)}.")
    if invoice.details.link is not None:
        yield _words(f"Where the issuer keeps it: {invoice.details.link}")
    yield _words("The code holds the bundle's digest, and its address where the issuer gave one:")
    yield _Code(invoice.proof)


class _Code(Flowable):
    """Draw a QR code as squares: a drawing of reportlab would name a font that is not inside."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self._rows = [bytes(row) for row in segno.make_qr(text, error="m").matrix]
        # Four light modules around it, as the standard asks.
        self._side = 30 * mm / (len(self._rows) + 8)

    def wrap(self, *_room: float) -> tuple[float, float]:
        return 30 * mm, 30 * mm

    def draw(self) -> None:
        side = self._side
        for y, row in enumerate(self._rows):
            for x, dark in enumerate(row):
                if dark:
                    place = ((x + 4) * side, 30 * mm - (y + 5) * side)
                    self.canv.rect(*place, side, side, stroke=0, fill=1)


def _unproven(invoice: Invoice) -> Iterator[Paragraph]:
    yield _words("Not proven", _HEAD)
    yield from (_words(f"- {text}") for text in (invoice.own_word, *invoice.sheet.not_proven))


def _words(text: str, style: ParagraphStyle = _TEXT) -> Paragraph:
    return Paragraph(escape(plain(text)), style)


def _number(canvas: Any, _document: Any) -> None:
    canvas.setFont(_FONT, 8)
    canvas.drawRightString(A4[0] - 18 * mm, 10 * mm, f"Page {canvas.getPageNumber()}")
