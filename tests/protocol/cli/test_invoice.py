import io
import json
import re
import stat
import subprocess
import sys
import tomllib
from dataclasses import replace
from datetime import UTC, date, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any
from unicodedata import normalize
from zoneinfo import ZoneInfo

import cv2
import facturx
import numpy as np
import pytest
from facturx.parse_xml import parse_ubl_cii_xml
from pypdf import PdfReader
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from saxonche import PySaxonProcessor

from support.scripted import Story
from vectors.scenarios.accepted import (
    valid_accepted_again,
    valid_accepted_twice,
    valid_left_behind,
)
from vectors.scenarios.holds import valid_labels, valid_timesheets
from workseal_protocol.accepted import Acceptance, AcceptedDays
from workseal_protocol.billing import Billed
from workseal_protocol.cli.hours.sheet import Sheet, sheet_of
from workseal_protocol.cli.hours.timesheet import require_standing, said_of, said_of_days
from workseal_protocol.cli.invoice.details import Details, read_details
from workseal_protocol.cli.invoice.einvoice import as_xml, with_xml
from workseal_protocol.cli.invoice.figures import MAX_PROJECTS, Invoice
from workseal_protocol.cli.invoice.paper import _font, _line, as_pdf
from workseal_protocol.cli.problem import CommandError
from workseal_protocol.cli.sheetlines import answer_text
from workseal_protocol.cli.text import exact
from workseal_protocol.days import DayTotal
from workseal_protocol.digest import Digest
from workseal_protocol.labels import sums_of_names
from workseal_protocol.records import SheetAnswer
from workseal_protocol.terms import RoundingMode, WorkClass
from workseal_protocol.timesheets import SheetFinding, date_of
from workseal_protocol.totals import LimitExceeded
from workseal_protocol.verify import Report, examine_bundle

from .conftest import Outcome, Run

ZONE = ZoneInfo("Europe/Berlin")
NOTHING = Acceptance((), (), (), ())
OWN_WORD = (
    "Nobody signed this invoice. Number, dates, names, addresses, account and tax are the issuer's"
    " own word; hours, rate and net amount are checked with the bundle alone."
)
DETAILS = """\
number = "2026-017"
date = 2026-12-01
due = 2026-12-15
description = "Software by the hour"
payment = "Within 14 days"
iban = "DE89370400440532013000"

[seller]
name = "Łucja Müller"
street = "Hauptstraße 1"
postcode = "10115"
city = "Berlin"
country = "DE"
vat_id = "DE123456789"

[buyer]
name = "Kunde & Söhne <GmbH>"
postcode = "1010"
city = "Wien"
country = "AT"
vat_id = "ATU12345678"

[tax]
"""
STANDARD = 'kind = "standard"\npercent = 19\n'
# Each kind of tax: its table, whether the parties have VAT numbers, its code, its share.
KINDS = {
    "standard": (STANDARD, True, "S", "0.19"),
    "odd": ('kind = "standard"\npercent = 8.1\n', True, "S", "0.081"),
    "zero": ('kind = "zero"\n', True, "Z", "0"),
    "exempt": ('kind = "exempt"\nreason = "Small business, § 19 UStG"\n', True, "E", "0"),
    "reverse": ('kind = "reverse_charge"\n', True, "AE", "0"),
    "outside": ('kind = "outside"\n', False, "O", "0"),
}


@pytest.fixture(scope="module")
def report(bundle_bytes: bytes, story: Story) -> Report:
    return examine_bundle(bundle_bytes, story.policy, zone=ZONE)


@pytest.fixture(scope="module")
def sheet(bundle_bytes: bytes, report: Report) -> Sheet:
    return sheet_of(bundle_bytes, report, ZONE, None, None)


@pytest.fixture
def write(folder: Path, run: Run) -> Run:
    (folder / "details").write_text(DETAILS + STANDARD)

    def call(name: str, *words: object) -> Outcome:
        return run(
            "invoice", folder / "bundle", "--policy", folder / "policy",
            "--details", folder / "details", "--out", folder / name, *words,
        )  # fmt: skip

    return call


def details_of(text: str) -> Details:
    return read_details(tomllib.loads(text, parse_float=Decimal))


def details_for(kind: str) -> Details:
    tax, numbered, *_ = KINDS[kind]
    text = DETAILS + tax
    if not numbered:
        text = text.replace('vat_id = "DE123456789"', 'tax_number = "12/345/67890"')
        text = text.replace('vat_id = "ATU12345678"\n', "")
    return details_of(text)


def billing(sheet: Sheet, ms: int, rate: int, currency: str) -> Sheet:
    """Give a sheet that bills another time at another rate, its amount counted independently."""
    amount = int(Fraction(ms * rate, 3_600_000) + Fraction(1, 2))
    terms = replace(sheet.terms, rate_minor_per_hour=rate, currency=currency)
    return replace(sheet, terms=terms, billed=Billed(ms, amount, currency))


def read_back(xml: bytes) -> dict[str, Any]:
    assert facturx.xml_check_xsd(xml, flavor="factur-x", level="en16931")
    found: dict[str, Any] = parse_ubl_cii_xml(xml)
    return found


def schematron_faults(xml: bytes) -> list[str]:
    """Run the schematron that the library brings, with a processor of XSLT 2."""
    folder = Path(facturx.__file__).parent / "xsd_and_schematron" / "facturx-en16931"
    with PySaxonProcessor(license=False) as saxon:
        sheet = saxon.new_xslt30_processor().compile_stylesheet(
            stylesheet_file=str(folder / "FACTUR-X_EN16931.xslt")
        )
        told = sheet.transform_to_string(xdm_node=saxon.parse_xml(xml_text=xml.decode()))
    assert "fired-rule" in told
    return re.findall(r"<svrl:failed-assert.*?</svrl:failed-assert>", told, re.DOTALL)


def text_of(pdf: bytes) -> str:
    pages = PdfReader(io.BytesIO(pdf)).pages
    return " ".join(" ".join(page.extract_text() for page in pages).split())


def drawn_squares(pdf: bytes) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """Paint the filled squares of the page that has the code, as a camera would see them."""
    for page in PdfReader(io.BytesIO(pdf)).pages:
        content = page.get_contents()
        assert content is not None
        found = re.findall(rb"([\d.]+) ([\d.]+) ([\d.]+) \3 re f\*?\b", content.get_data())
        if found:
            size = float(found[0][2])
            picture = np.full((800, 800), 255, dtype=np.uint8)
            for x, y, _ in found:
                left, low = round(float(x) / size) * 8, 792 - round(float(y) / size) * 8
                picture[low : low + 8, left : left + 8] = 0
            return picture
    raise AssertionError("no page has a code")


def test_the_net_amount_is_that_of_hours(folder: Path, write: Run, run: Run) -> None:
    assert write("invoice.xml").code == 0
    hours = folder / "hours.json"
    assert run("hours", folder / "bundle", "--policy", folder / "policy", "--out", hours).code == 0
    value = json.loads(hours.read_bytes())
    found = read_back((folder / "invoice.xml").read_bytes())
    assert Decimal(found["BT-109"]) * 100 == value["billed"]["amount_minor"]
    [line] = found["BG-25"]
    unit = {"HUR": 3_600_000, "MIN": 60_000, "SEC": 1_000, "C26": 1}[line["BT-130"]]
    assert Decimal(line["BT-129"]) * unit == value["billed"]["ms"]
    assert Decimal(line["BT-146"]) * 100 == value["rate_minor_per_hour"]
    assert Decimal(line["BT-149"]) * unit == 3_600_000
    assert (str(found["BT-73"]), str(found["BT-74"])) == (value["first"], value["last"])


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_tax_passes_schema_and_schematron(sheet: Sheet, kind: str) -> None:
    _, _, code, share = KINDS[kind]
    xml = as_xml(Invoice(details_for(kind), billing(sheet, 112_500_000, 6_501, "EUR")))
    found = read_back(xml)
    assert schematron_faults(xml) == []
    net = Fraction(31_25 * 6_501, 100 * 100).limit_denominator(10**6)
    assert Decimal(found["BT-109"]) == Decimal("2031.56")
    assert abs(net - Fraction(found["BT-109"])) <= Fraction(1, 200)
    [tax] = found["BG-23"]
    assert tax["BT-118"] == code
    owed = Fraction(found["BT-109"]) * Fraction(share)
    assert abs(owed - Fraction(tax["BT-117"])) <= Fraction(1, 200)
    assert Decimal(found["BT-115"]) == Decimal(found["BT-109"]) + Decimal(tax["BT-117"])
    assert bool(tax.get("BT-120")) == (code in {"E", "AE", "O"})


OFFICIAL = """\
reference = "04011000-1234512345-06"
prepaid = 500.5
"""


def official() -> Details:
    text = OFFICIAL + DETAILS + KINDS["exempt"][0] + 'code = "VATEX-EU-132-1I"\n'
    for country, scheme in (("DE", "EM:lucja@example.org"), ("AT", "9915:b:1")):
        text = text.replace(
            f'country = "{country}"', f'country = "{country}"\nelectronic = "{scheme}"'
        )
    return details_of(text)


def test_what_networks_and_authorities_ask_for_has_its_place(sheet: Sheet) -> None:
    made = Invoice(official(), billing(sheet, 112_500_000, 6_501, "EUR"))
    xml = as_xml(made)
    assert schematron_faults(xml) == []
    found = read_back(xml)
    assert found["BT-10"] == "04011000-1234512345-06"
    assert [tax["BT-121"] for tax in found["BG-23"]] == ["VATEX-EU-132-1I"]
    assert b'<ram:URIID schemeID="EM">lucja@example.org</ram:URIID>' in xml
    # An address may have a colon of its own.
    assert b'<ram:URIID schemeID="9915">b:1</ram:URIID>' in xml
    figures = [Decimal(found[name]) for name in ("BT-112", "BT-113", "BT-115")]
    assert figures == [Decimal("2031.56"), Decimal("500.50"), Decimal("1531.06")]
    text = text_of(as_pdf(made))
    assert "Your reference: 04011000-1234512345-06" in text
    assert "Net and VAT 2031.56 EUR Paid before -500.50 EUR To pay 1531.06 EUR" in text


def test_the_command_says_what_was_paid_before(folder: Path, write: Run) -> None:
    (folder / "details").write_text("prepaid = 1.5\n" + DETAILS + STANDARD)
    done = write("invoice.xml")
    assert done.code == 0
    assert "; paid before 1.50 EUR; to pay " in done.out


def test_a_credit_note_takes_back_what_was_paid_before_as_well(sheet: Sheet) -> None:
    billed = billing(sheet, 112_500_000, 6_501, "EUR")
    note = Invoice(replace(official(), number="2"), billed, corrects="1")
    found = read_back(as_xml(note))
    assert (found["BT-115"], "BT-113" in found) == (found["BT-112"], False)
    assert "Paid before" not in text_of(as_pdf(note))


@pytest.mark.parametrize(
    ("prepaid", "sentence"), [("2031.57", "more than the whole"), ("0.001", "2 digits after")]
)
def test_refuses_what_cannot_have_been_paid_before(
    sheet: Sheet, prepaid: str, sentence: str
) -> None:
    details = replace(official(), prepaid=Decimal("2031.56"))
    billed = billing(sheet, 112_500_000, 6_501, "EUR")
    assert Invoice(details, billed).due_minor == 0
    assert schematron_faults(as_xml(Invoice(details, billed))) == []
    with pytest.raises(CommandError, match=sentence):
        Invoice(replace(details, prepaid=Decimal(prepaid)), billed)


@pytest.mark.parametrize("kind", KINDS)
def test_a_credit_note_takes_back_all_of_one_invoice(sheet: Sheet, kind: str) -> None:
    billed = billing(sheet, 112_500_000, 6_501, "EUR")
    details = details_for(kind)
    invoice = read_back(as_xml(Invoice(details, billed)))
    note = Invoice(replace(details, number="2026-018"), billed, corrects="2026-017")
    xml = as_xml(note)
    assert schematron_faults(xml) == []
    found = read_back(xml)
    assert (invoice["BT-3"], found["BT-3"]) == ("380", "381")
    assert found["BG-3"] == [{"BT-25": "2026-017"}]
    assert "BG-3" not in invoice
    for figure in ("BT-106", "BT-109", "BT-110", "BT-112", "BT-115", "BG-23", "BG-25"):
        assert found[figure] == invoice[figure]
    # Where the money goes back to, the seller's account does not say.
    assert b"DE89370400440532013000" not in xml
    text = text_of(as_pdf(note))
    assert "Credit note 2026-018" in text
    assert "For invoice 2026-017, all of it." in text
    assert f"To credit {found['BT-112']} EUR" in text
    assert "DE89370400440532013000" not in text
    assert "Nobody signed this credit note." in text
    for word in ("To pay", "this invoice"):
        assert word not in text


def test_the_command_writes_a_credit_note_over_the_same_days(folder: Path, write: Run) -> None:
    paid = write("a.xml")
    (folder / "details").write_text((DETAILS + STANDARD).replace("2026-017", "2026-018"))
    back = write("b.pdf", "--corrects", "2026-017")
    assert (back.code, back.err) == (0, "")
    assert paid.out.splitlines()[0].replace("to pay", "to credit") == back.out.splitlines()[0]
    _, xml = facturx.get_facturx_xml_from_pdf((folder / "b.pdf").read_bytes())
    one, other = read_back((folder / "a.xml").read_bytes()), read_back(xml)
    assert (one["BT-112"], one["BT-73"]) == (other["BT-112"], other["BT-73"])
    info = PdfReader(folder / "b.pdf").metadata
    assert info is not None
    assert info.title == "Credit note 2026-018"


@pytest.mark.parametrize(
    ("number", "sentence"),
    [("2026-017", "a number of its own"), ("", "--corrects"), ("2\u202e1", "can be seen")],
)
def test_refuses_a_credit_note_over_no_other_number(
    folder: Path, write: Run, number: str, sentence: str
) -> None:
    done = write("a.xml", "--corrects", number)
    assert (done.code, done.out) == (2, "")
    assert sentence in done.err
    assert not (folder / "a.xml").exists()


def test_what_is_outside_the_tax_has_no_rate(sheet: Sheet) -> None:
    made = Invoice(details_for("outside"), billing(sheet, 3_600_000, 6_500, "EUR"))
    assert b"RateApplicablePercent" not in as_xml(made)
    text = text_of(as_pdf(made))
    assert "VAT (outside its scope) 0.00 EUR" in text
    assert "%" not in text.partition("How the net amount")[0]


@pytest.mark.parametrize("zero", ["-0.0", "0e9", "0.000"])
def test_a_zero_has_one_form(sheet: Sheet, zero: str) -> None:
    details = details_of(DETAILS + f'kind = "zero"\npercent = {zero}\n')
    made = Invoice(details, sheet)
    assert read_back(as_xml(made))["BG-23"][0]["BT-119"] == "0"
    assert "VAT 0 %" in text_of(as_pdf(made))


def test_no_words_of_the_client_keep_an_invoice_from_being_made(story: Story) -> None:
    found, same = summed_up(story)
    [said, *_] = found.answers
    hostile = replace(said.record, answer=SheetAnswer.OBJECTION, text="why\n\ufffe \u202e中文 <b>")
    found = replace(found, answers=(replace(said, record=hostile),))
    made = Invoice(details_for("standard"), same, said_of(found, NOTHING, same))
    xml = as_xml(made)
    notes = [one["BT-22"] for one in read_back(xml)["BG-1"]]
    assert any("why\\n\\ufffe \\u202e中文 <b>" in one for one in notes)
    # On paper the font lacks the last two: they are spelled out, not drawn as empty boxes.
    assert "why\\n\\ufffe \\u202e\\u4e2d\\u6587 <b>" in text_of(as_pdf(made))


def test_refuses_to_bill_days_of_another_zone_than_the_terms(sheet: Sheet) -> None:
    with pytest.raises(CommandError, match="does not know the zone Europe/Berlin"):
        Invoice(details_for("standard"), replace(sheet, zone=UTC))


def test_the_schematron_sees_a_wrong_sum(sheet: Sheet) -> None:
    xml = as_xml(Invoice(details_for("standard"), billing(sheet, 3_600_000, 6_500, "EUR")))
    assert schematron_faults(xml.replace(b"77.35", b"77.36")) != []


@pytest.mark.parametrize(
    ("ms", "unit", "amount"),
    [
        (112_500_000, "HUR", "31.25"),
        (360, "HUR", "0.0001"),
        (5 * 60_000, "MIN", "5"),
        (7_000, "SEC", "7"),
        (7_001, "C26", "7001"),
    ],
)
def test_billed_time_is_written_without_loss(sheet: Sheet, ms: int, unit: str, amount: str) -> None:
    made = Invoice(details_for("standard"), billing(sheet, ms, 900_000_000, "EUR"))
    [line] = read_back(as_xml(made))["BG-25"]
    assert (line["BT-130"], Decimal(line["BT-129"])) == (unit, Decimal(amount))
    price = Fraction(line["BT-129"]) * Fraction(line["BT-146"]) / Fraction(line["BT-149"])
    assert abs(price - Fraction(line["BT-131"])) <= Fraction(1, 200)


@pytest.mark.parametrize(
    ("currency", "net", "tax", "total"),
    [("EUR", "10000.01", "1900.00", "11900.01"), ("JPY", "1000001", "190000", "1190001")],
)
def test_a_currency_has_its_own_digits(
    sheet: Sheet, currency: str, net: str, tax: str, total: str
) -> None:
    made = Invoice(details_for("standard"), billing(sheet, 3_600_000, 1_000_001, currency))
    xml = as_xml(made)
    assert schematron_faults(xml) == []
    found = read_back(xml)
    assert (found["BT-109"], found["BT-110"], found["BT-112"]) == (net, tax, total)
    assert f"{total} {currency}" in text_of(as_pdf(made))


@pytest.mark.parametrize(("net", "tax"), [(1, 1), (3, 2), (5, 3)])
def test_half_a_cent_of_tax_is_rounded_up(sheet: Sheet, net: int, tax: int) -> None:
    details = details_of(DETAILS + 'kind = "standard"\npercent = 50\n')
    made = Invoice(details, billing(sheet, 3_600_000, net, "EUR"))
    assert (made.net_minor, made.tax_minor) == (net, tax)


@pytest.mark.parametrize(("currency", "sentence"), [("KWD", "two digits"), ("ABC", "ISO 4217")])
def test_refuses_a_currency_that_the_standard_cannot_write(
    sheet: Sheet, currency: str, sentence: str
) -> None:
    with pytest.raises(CommandError, match=sentence):
        as_xml(Invoice(details_for("standard"), billing(sheet, 3_600_000, 65_000, currency)))


def test_refuses_an_invoice_over_nothing(sheet: Sheet) -> None:
    with pytest.raises(CommandError, match="nothing is billed"):
        Invoice(details_for("standard"), billing(sheet, 0, 6_500, "EUR"))


def test_paper_says_the_same_and_what_is_not_proven(
    folder: Path, write: Run, report: Report, sheet: Sheet
) -> None:
    done = write("invoice.pdf")
    assert (done.code, done.err) == (0, "")
    assert OWN_WORD in done.out
    data = (folder / "invoice.pdf").read_bytes()
    name, xml = facturx.get_facturx_xml_from_pdf(data)
    assert name == "factur-x.xml"
    found = read_back(xml)
    text = text_of(data)
    for figure in ("BT-109", "BT-110", "BT-112"):
        assert f"{found[figure]} EUR" in text
    for day in sheet.days:
        assert str(day.day) in text
    for sentence in (*report.not_proven, OWN_WORD):
        assert " ".join(sentence.split()) in text
        assert sentence in [note["BT-22"] for note in found["BG-1"]]
    for said in ("Łucja Müller", "Kunde & Söhne <GmbH>", str(sheet.bundle)):
        assert said in text
    fonts = [
        font.get_object()["/FontDescriptor"]
        for page in PdfReader(io.BytesIO(data)).pages
        for font in page["/Resources"]["/Font"].values()  # type: ignore[index]
    ]
    assert fonts
    assert all("/FontFile2" in one for one in fonts)


def test_paper_and_xml_say_how_the_amount_comes_about(sheet: Sheet) -> None:
    terms = replace(sheet.terms, rounding_ms=900_000, rounding_mode=RoundingMode.UP)
    day = sheet.days[0]
    late = replace(day, worked_ms={**day.worked_ms, WorkClass.LATE_DECLARED: 61_000})
    passed = LimitExceeded("offline ms per week", 0, 60_000, day.day)
    made = Invoice(
        details_for("standard"), replace(sheet, terms=terms, days=(late,), exceeded=(passed,))
    )
    text = text_of(as_pdf(made))
    notes = [one["BT-22"] for one in read_back(as_xml(made))["BG-1"]]
    for said in (
        "Declared late, beside it: 0 h 01 min 01.000 s.",
        "late-declared 50 %",
        "Each day is rounded up, in steps of 15 min.",
    ):
        assert said in text
        assert any(said in one for one in notes)
    limit = "offline time per week: 0 h 01 min 00.000 s, agreed 0 h 00 min 00.000 s in the week of"
    assert f"LIMIT PASSED {limit} {day.day}" in text
    assert any(one.startswith("LIMIT PASSED") and f"{limit} {day.day}" in one for one in notes)
    whole = replace(terms, worth_percent=dict.fromkeys(WorkClass, 100), rounding_ms=0)
    none = replace(day, worked_ms={**day.worked_ms, WorkClass.LATE_DECLARED: 0})
    plain = Invoice(details_for("standard"), replace(sheet, terms=whole, days=(none,))).basis
    assert [one.partition(" ")[0] for one in plain] == ["Recorded", "Billed:"]


@pytest.mark.parametrize("ms", [3_600_000, 8_784 * 3_600_000, 8_784 * 3_600_000 - 1])
def test_the_largest_figures_have_room_of_their_own(sheet: Sheet, ms: int) -> None:
    invoice = Invoice(details_for("standard"), billing(sheet, ms, 1_000_000_000, "EUR"))
    _font()
    table: Any = _line(invoice)
    for column, width in zip(zip(*table._cellvalues, strict=True), table._argW, strict=True):
        for font, cell in zip(("VeraBd", "Vera"), column, strict=True):
            if isinstance(cell, str):
                # With the 6 points on each side that the cell keeps free.
                assert pdfmetrics.stringWidth(cell, font, 8) + 12 <= width
    assert table._argW[0] > 100
    assert sum(table._argW) == pytest.approx(A4[0] - 36 * mm - 12)
    assert "10000000.00 EUR" in text_of(as_pdf(invoice))


def test_it_was_delivered_on_the_last_day_with_hours(
    folder: Path, write: Run, sheet: Sheet
) -> None:
    assert write("a.xml", "--to", "2026-12-31").code == 0
    found = read_back((folder / "a.xml").read_bytes())
    assert str(found["BT-74"]) == "2026-12-31"
    assert found["BT-72"] == sheet.days[-1].day
    # A declaration of no time is no work of its day.
    later = sheet.days[-1].day + timedelta(days=1)
    nothing = DayTotal(later, dict.fromkeys(WorkClass, 0), 0)
    made = Invoice(details_for("standard"), replace(sheet, days=(*sheet.days, nothing)))
    assert read_back(as_xml(made))["BT-72"] == sheet.days[-1].day


@pytest.mark.parametrize("link", [None, "https://work.example/b/7f3a"])
def test_the_code_names_the_bundle_alone(sheet: Sheet, link: str | None) -> None:
    made = Invoice(replace(details_for("standard"), link=link), sheet)
    read, *_ = cv2.QRCodeDetector().detectAndDecode(drawn_squares(as_pdf(made)))
    assert read == made.proof
    assert read.startswith(f"{link}#ni:///" if link else "ni:///sha-256;")
    for guessable in (sheet.engagement.hex(), str(sheet.first), "2026-017", "Kunde"):
        assert guessable not in read


def test_who_reads_the_paper_on_a_screen_reads_where_the_bundle_is(sheet: Sheet) -> None:
    link = "https://work.example/b/7f3a?one=2&two"
    details = replace(details_for("standard"), link=link)
    pages = PdfReader(io.BytesIO(as_pdf(Invoice(details, sheet)))).pages
    assert f"Where the issuer keeps it: {link}" in " ".join(one.extract_text() for one in pages)


def test_a_timesheet_is_billed_as_it_was_answered(folder: Path, write: Run, story: Story) -> None:
    data = valid_timesheets().data
    (folder / "bundle").write_bytes(data)
    _, good, *_ = examine_bundle(data, story.policy, zone=ZONE).timesheets
    done = write("invoice.xml", "--timesheet", str(good.digest)[:12])
    assert (done.code, done.err) == (0, "")
    found = read_back((folder / "invoice.xml").read_bytes())
    assert Decimal(found["BT-109"]) * 100 == good.record.amount
    assert any("the client accepts" in note["BT-22"] for note in found["BG-1"])


@pytest.mark.parametrize(
    ("place", "sentence"), [(0, "replaced by"), (2, "differs from the record")]
)
def test_refuses_a_timesheet_that_does_not_count(
    folder: Path, write: Run, story: Story, place: int, sentence: str
) -> None:
    data = valid_timesheets().data
    (folder / "bundle").write_bytes(data)
    one = examine_bundle(data, story.policy, zone=ZONE).timesheets[place]
    done = write("invoice.xml", "--timesheet", str(one.digest)[:12])
    assert done.code == 1
    assert sentence in done.err
    assert not (folder / "invoice.xml").exists()


def test_the_same_invoice_gives_the_same_xml_to_its_owner_alone(folder: Path, write: Run) -> None:
    assert (write("a.xml").code, write("b.xml").code) == (0, 0)
    assert (folder / "a.xml").read_bytes() == (folder / "b.xml").read_bytes()
    assert stat.S_IMODE((folder / "a.xml").stat().st_mode) == 0o600


def test_nothing_is_left_in_a_temporary_file(sheet: Sheet, monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(*_: object, **__: object) -> None:
        pytest.fail("a temporary file was made")

    made = Invoice(details_for("standard"), sheet)
    pdf = as_pdf(made)
    monkeypatch.setattr("tempfile._mkstemp_inner", forbidden)
    assert with_xml(pdf, as_xml(made), made).startswith(b"%PDF")


def test_nothing_is_written_of_a_bundle_that_does_not_hold(folder: Path, write: Run) -> None:
    data = bytearray((folder / "bundle").read_bytes())
    data[len(data) // 2] ^= 1
    (folder / "bundle").write_bytes(data)
    done = write("invoice.pdf")
    assert done.code in {1, 2}
    assert "HOLD" in done.err or "MALFORMED" in done.err
    assert not (folder / "invoice.pdf").exists()


@pytest.mark.parametrize(
    ("name", "words", "sentence"),
    [
        ("invoice.doc", (), "must end in .pdf or .xml"),
        ("policy", (), "exists already"),
        ("a.pdf", ("--from", "yesterday"), "found yesterday"),
        ("a.pdf", ("--from", "2026-03-03", "--to", "2026-03-02"), "--to lies before --from"),
        ("a.pdf", ("--timesheet", "0" * 12, "--to", "2026-03-02"), "leave out --from and --to"),
        ("a.pdf", ("--timesheet", "0" * 12), "found 0"),
        ("a.pdf", ("--from", "2031-01-01"), "no hours on these days"),
        ("a.xml", ("--from", "0999-12-31"), "four digits"),
    ],
)
def test_wrong_use_gets_a_sentence_and_writes_nothing(
    folder: Path, write: Run, name: str, words: tuple[str, ...], sentence: str
) -> None:
    before = sorted(folder.iterdir())
    done = write(name, *words)
    assert done.code == 2
    assert sentence in done.err
    assert done.err.count("\n") == 1
    assert sorted(folder.iterdir()) == before


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ('number = "2026-017"\n', "", "number is missing"),
        ('number = "2026-017"', "number = 17", "characters in quotes"),
        ('"2026-017"', '"2026\\u202e017"', "can be seen"),
        ("due = 2026-12-15", "due = 2026-11-30", "before the date"),
        ("due = 2026-12-15", 'due = "soon"', "without quotes"),
        ("due = 2026-12-15", "due = 2026-12-15T00:00:00", "without quotes"),
        ("DE8937", "DE8973", "check digits"),
        ("DE89370400440532013000", " ", "1 to 200 characters"),
        ("date = 2026-12-01", "date = 0026-12-01", "four digits"),
        ('country = "AT"', 'country = "Austria"', "two letters"),
        ('vat_id = "DE123456789"', "", "a vat_id or a tax_number"),
        ('vat_id = "ATU12345678"', 'tax_number = "1"', "no tax_number"),
        ("[tax]", "[colour]\n[tax]", "unknown name: colour"),
        ("[seller]", "[vendor]", "unknown name: vendor"),
        ("percent = 19", "percent = 19.125", "two digits"),
        ("percent = 19", "percent = nan", "percent"),
        ("percent = 19", "percent = inf", "two digits"),
        ("percent = 19", "percent = 1e999999999", "do not fit"),
        ("percent = 19", "percent = true", "expected a number"),
        ("percent = 19", "percent = -1", "above 0"),
        ("percent = 19", "", "above 0"),
        ('kind = "standard"', 'kind = "exempt"', "for standard tax alone"),
        ('kind = "standard"\npercent = 19', 'kind = "exempt"', "by which rule"),
        ('kind = "standard"\npercent = 19', 'kind = "outside"', "no vat_id"),
        ('kind = "standard"', 'kind = "some"', "one of standard"),
        ("[tax]", "[tax", "not TOML"),
        ("[seller]", "prepaid = -1\n[seller]", "an amount from 0"),
        ("[seller]", "prepaid = inf\n[seller]", "an amount from 0"),
        ("[seller]", "prepaid = 1e999999\n[seller]", "an amount from 0"),
        ("[seller]", 'prepaid = "5"\n[seller]', "expected a number"),
        ('country = "AT"', 'country = "AT"\nelectronic = "me@example.org"', "a scheme and an"),
        ("percent = 19", 'percent = 19\ncode = "VATEX-EU-AE"', "only what is exempt"),
        (
            'kind = "standard"\npercent = 19',
            'kind = "exempt"\nreason = "a"\ncode = "b"',
            "VATEX list",
        ),
        ("Łucja", "Λουκία", "write a .xml file instead"),
    ],
)
def test_refuses_details_with_one_sentence(
    folder: Path, write: Run, old: str, new: str, sentence: str
) -> None:
    text = DETAILS + STANDARD
    assert old in text
    (folder / "details").write_text(text.replace(old, new))
    done = write("invoice.pdf")
    assert (done.code, done.out) == (2, "")
    assert sentence in done.err
    assert done.err.count("\n") == 1
    assert not (folder / "invoice.pdf").exists()


@pytest.mark.parametrize(
    "iban", ["DE89 3704 0044 0532 0130 00", "de89\u00a03704 0044 0532 0130 00 "]
)
def test_an_account_is_taken_as_banks_print_it(iban: str) -> None:
    text = DETAILS.replace("DE89370400440532013000", iban) + STANDARD
    assert details_of(text).iban == "DE89370400440532013000"


def test_a_name_is_written_with_the_letters_that_fonts_have(folder: Path, write: Run) -> None:
    apart = normalize("NFD", DETAILS + STANDARD)
    assert apart != DETAILS + STANDARD
    (folder / "details").write_text(apart)
    assert details_of(apart) == details_of(DETAILS + STANDARD)
    assert write("invoice.pdf").code == 0


def test_reverse_charge_needs_the_buyers_number() -> None:
    text = (DETAILS + KINDS["reverse"][0]).replace('vat_id = "ATU12345678"', "")
    with pytest.raises(ValueError, match="reverse charge needs their vat_id"):
        details_of(text)


@pytest.mark.parametrize(
    "link", ["http://work.example/b", "https://me:secret@work.example", "https://w.example/#a"]
)
def test_refuses_a_link_that_tells_or_hides(link: str) -> None:
    with pytest.raises(ValueError, match="https address"):
        details_of(f'link = "{link}"\n{DETAILS}{STANDARD}')


@pytest.mark.parametrize("library", ["facturx", "reportlab", "segno"])
def test_a_missing_extra_gets_one_kind_sentence(
    write: Run, monkeypatch: pytest.MonkeyPatch, library: str
) -> None:
    monkeypatch.setattr(
        "workseal_protocol.cli.invoice.command.find_spec",
        lambda wanted: None if wanted == library else object(),
    )
    done = write("a.pdf")
    assert (done.code, done.out) == (2, "")
    assert "pip install 'workseal[invoice]'" in done.err


def test_days_can_be_chosen(folder: Path, write: Run, report: Report) -> None:
    assert report.totals is not None
    first = report.totals.days[0].day
    assert write("a.xml", "--from", first, "--to", first).code == 0
    assert read_back((folder / "a.xml").read_bytes())["BT-74"] == first


def test_a_rate_that_changes_between_two_days_makes_two_invoices(
    folder: Path, write: Run, report: Report
) -> None:
    assert report.totals is not None
    days = [day.day for day in report.totals.days]
    nets = []
    for number, percent, words in (("1", "19", ("--to", days[0])), ("2", "7", ("--from", days[1]))):
        text = DETAILS.replace("2026-017", number) + STANDARD.replace("19", percent)
        (folder / "details").write_text(text)
        assert write(f"{number}.xml", *words).code == 0
        xml = (folder / f"{number}.xml").read_bytes()
        assert schematron_faults(xml) == []
        told = re.findall(rb"<ram:RateApplicablePercent>([0-9.]+)<", xml)
        assert {Decimal(one.decode()) for one in told} == {Decimal(percent)}
        (net,) = re.findall(rb"<ram:TaxBasisTotalAmount>([0-9.]+)<", xml)
        nets.append(int(Decimal(net.decode()) * 100))
    # Each is rounded by itself.
    assert abs(sum(nets) - report.totals.billed.amount) <= 1


def summed_up(story: Story) -> tuple[SheetFinding, Sheet]:
    """Give a timesheet, and the hours of its days."""
    data = valid_timesheets().data
    report = examine_bundle(data, story.policy, zone=ZONE)
    found = report.timesheets[1]
    days = date_of(found.record.first), date_of(found.record.last)
    return found, sheet_of(data, report, ZONE, *days)


def test_a_timesheet_of_days_that_grew_since_is_refused(story: Story) -> None:
    found, same = summed_up(story)
    assert str(found.digest) in said_of(found, NOTHING, same)
    billed, day = same.billed, same.days[-1]
    grown = [
        replace(same, billed=replace(billed, ms=billed.ms + 1)),
        replace(same, billed=replace(billed, amount=billed.amount + 1)),
        # Of what costs nothing, by rounding or by its worth, the sums stay what they were.
        *(
            replace(
                same,
                days=(*same.days[:-1], replace(day, worked_ms={**day.worked_ms, kind: 999_999})),
            )
            for kind in WorkClass
        ),
    ]
    for one in grown:
        with pytest.raises(CommandError, match="grew after the timesheet"):
            said_of(found, NOTHING, one)


def test_days_that_count_in_another_timesheet_are_not_billed_again(
    folder: Path, write: Run, story: Story
) -> None:
    data = valid_accepted_again().data
    (folder / "bundle").write_bytes(data)
    first, _, third, _ = examine_bundle(data, story.policy, zone=ZONE).timesheets
    name = str(first.digest)[:12]
    assert write("invoice.xml", "--timesheet", str(third.digest)[:12]).code == 0
    notes = [one["BT-22"] for one in read_back((folder / "invoice.xml").read_bytes())["BG-1"]]
    before = f"Accepted before in timesheet {name}, and maybe billed by it: 2026-03-02, 2026-03-03."
    assert any("the client accepts" in one and before in one for one in notes)
    for bundle, place, sentence in (
        (valid_left_behind(), 2, f"were accepted in {name} and count there: 2026-03-02"),
        (valid_accepted_twice(), 0, "and count there: 2026-03-02"),
    ):
        (folder / "bundle").write_bytes(bundle.data)
        one = examine_bundle(bundle.data, story.policy, zone=ZONE).timesheets[place]
        done = write("again.xml", "--timesheet", str(one.digest)[:12])
        assert (done.code, done.out) == (1, "")
        assert sentence in done.err
        assert not (folder / "again.xml").exists()
    # Nor where what was accepted later is being replaced itself, and counts nowhere.
    found, _ = summed_up(story)
    with pytest.raises(CommandError, match="accepted again later in another timesheet"):
        require_standing(found, replace(NOTHING, accepted_again=(20_514,)))


def test_days_that_somebody_picks_say_what_the_client_answered_to_them(
    folder: Path, write: Run, story: Story
) -> None:
    """Two flags instead of a timesheet must not make an answer disappear from the paper."""
    days = ("--from", "2026-03-02", "--to", "2026-03-02")
    bundle = valid_left_behind().data
    (folder / "bundle").write_bytes(bundle)
    sheets = examine_bundle(bundle, story.policy, zone=ZONE).timesheets
    done = write("picked.xml", *days)
    assert done.code == 0, done.err
    notes = " ".join(
        one["BT-22"] for one in read_back((folder / "picked.xml").read_bytes())["BG-1"]
    )
    picked = date(2026, 3, 2)
    standing = [
        one
        for one in sheets
        if one.replaced_by is None
        and date_of(one.record.first) <= picked <= date_of(one.record.last)
    ]
    assert standing
    for one in standing[:3]:
        answer = "not answered" if one.answer is None else answer_text(one.answer)
        assert f"Timesheet {str(one.digest)[:12]} has days of these: {answer}." in notes
    report = examine_bundle(bundle, story.policy, zone=ZONE)
    none = said_of_days(report, date(2026, 4, 1), date(2026, 4, 2))
    assert none == "The record has no timesheet of these days."
    many = replace(report, timesheets=report.timesheets * 4)
    told = said_of_days(many, date(2026, 3, 2), date(2026, 3, 3))
    assert told.count("has days of these") == 3
    assert re.search(r"So have [0-9]+ more timesheets?\.$", told)


def test_an_invoice_from_before_the_work_is_remarked(folder: Path, write: Run) -> None:
    told = "its date lies before its last day of work: is the year right?"
    assert told not in write("later.xml").out
    early = re.sub(r"(?m)^date = .*$", "date = 2025-11-15", DETAILS + STANDARD)
    (folder / "details").write_text(re.sub(r"(?m)^due = .*$", "due = 2025-12-01", early))
    done = write("early.xml")
    assert (done.code, told in done.out) == (0, True), done.err


def test_of_many_timesheets_with_the_same_days_an_invoice_names_three(story: Story) -> None:
    found, same = summed_up(story)
    others = tuple(AcceptedDays(Digest.of(bytes([n])), (20_514,), ()) for n in range(5))
    told = said_of(found, replace(NOTHING, elsewhere=others), same)
    assert told.count("Accepted before in timesheet") == 3
    assert told.endswith("Others of its days in 2 more timesheets.")


def test_other_commands_load_no_library_of_invoices() -> None:
    code = (
        "import sys, workseal_protocol.cli.program.billing as billing; billing.invoice.loaded();"
        "print(*sys.modules)"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert "workseal_protocol.cli.invoice.command" in told.stdout.split()
    assert not {"facturx", "iso4217", "lxml", "reportlab", "segno"} & set(told.stdout.split())


# --- projects ---


@pytest.fixture(scope="module")
def labelled(story: Story) -> Sheet:
    data = valid_labels().data
    report = examine_bundle(data, story.policy, zone=ZONE)
    assert report.holds, report.first_problem
    return sheet_of(data, report, ZONE, None, None)


def test_projects_of_an_invoice_add_up_to_its_sheet(labelled: Sheet) -> None:
    made = Invoice(details_for("standard"), labelled)
    about, *lines = made.projects
    assert "each day is rounded, and the amount once" in about
    told = sums_of_names(labelled.labelled.projects)
    assert None in told
    assert len(lines) == len(told) > 2
    whole = sum(sum(worked.values()) for worked in told.values())
    assert whole == labelled.recorded_ms + labelled.late_ms
    for line, worked in zip(lines, told.values(), strict=True):
        assert exact(sum(worked.values())) in line
    (note,) = [one["BT-22"] for one in read_back(as_xml(made))["BG-1"] if about in one["BT-22"]]
    assert all(line in note for line in lines)
    text = words_on(as_pdf(made))
    assert all(" ".join(line.split()) in text for line in made.projects)


def test_a_project_in_other_letters_keeps_no_invoice_from_being_made(labelled: Sheet) -> None:
    one, *others = labelled.labelled.projects
    rows = (replace(one, name="\u4e2d\u6587 \u202eX"), *others)
    sheet = replace(labelled, labelled=replace(labelled.labelled, projects=rows))
    made = Invoice(details_for("standard"), sheet)
    assert "\\u4e2d\\u6587" in words_on(as_pdf(made))
    xml = as_xml(made).decode()
    assert "\u4e2d\u6587" in xml
    assert "\u202e" not in xml


def test_of_very_many_projects_the_first_are_named(labelled: Sheet) -> None:
    one = labelled.labelled.projects[0]
    rows = tuple(replace(one, name=f"project {number}") for number in range(MAX_PROJECTS + 3))
    sheet = replace(labelled, labelled=replace(labelled.labelled, projects=rows))
    lines = Invoice(details_for("standard"), sheet).projects
    assert len(lines) == MAX_PROJECTS + 2
    assert lines[-1].startswith("and 3 more")


def test_without_labels_an_invoice_says_nothing_of_projects(sheet: Sheet) -> None:
    assert Invoice(details_for("standard"), sheet).projects == ()
    assert "by project" not in words_on(as_pdf(Invoice(details_for("standard"), sheet)))


def words_on(pdf: bytes) -> str:
    pages = PdfReader(io.BytesIO(pdf)).pages
    return " ".join(" ".join(page.extract_text() for page in pages).split())
