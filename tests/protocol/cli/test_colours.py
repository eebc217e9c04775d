"""An invoice's PDF by the clauses of PDF/A-3: it meets them, and each is broken once."""

import io
import shutil
import subprocess
import tomllib
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pypdf import PdfReader, PdfWriter
from pypdf.generic import (
    ArrayObject,
    DecodedStreamObject,
    DictionaryObject,
    NameObject,
    NumberObject,
)

from support.archival import faults_of
from support.scripted import Story
from workseal_protocol.cli.hours.sheet import sheet_of
from workseal_protocol.cli.invoice.colours import with_profile
from workseal_protocol.cli.invoice.details import read_details
from workseal_protocol.cli.invoice.einvoice import as_xml, with_xml
from workseal_protocol.cli.invoice.figures import Invoice
from workseal_protocol.cli.invoice.paper import as_pdf
from workseal_protocol.verify import examine_bundle

from .test_invoice import DETAILS, STANDARD

ZONE = ZoneInfo("Europe/Berlin")


@pytest.fixture(scope="module")
def invoice(bundle_bytes: bytes, story: Story) -> Invoice:
    report = examine_bundle(bundle_bytes, story.policy, zone=ZONE)
    details = read_details(tomllib.loads(DETAILS + STANDARD, parse_float=Decimal))
    return Invoice(details, sheet_of(bundle_bytes, report, ZONE, None, None))


@pytest.fixture(scope="module")
def pdf(invoice: Invoice) -> bytes:
    return with_xml(as_pdf(invoice), as_xml(invoice), invoice)


def test_an_invoice_meets_the_clauses(pdf: bytes) -> None:
    assert faults_of(pdf) == []


def test_a_credit_note_in_many_letters_meets_them(invoice: Invoice) -> None:
    note = Invoice(invoice.details, invoice.sheet, "“£ é ů ł”", "2026-016")
    assert faults_of(with_xml(as_pdf(note), as_xml(note), note)) == []


def test_qpdf_finds_no_fault_in_its_syntax(pdf: bytes, tmp_path: Path) -> None:
    program = shutil.which("qpdf")
    if program is None:
        pytest.skip("needs qpdf")
    file = tmp_path / "invoice.pdf"
    file.write_bytes(pdf)
    done = subprocess.run([program, "--check", file], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_profile_is_the_same_every_time(invoice: Invoice) -> None:
    plain = as_pdf(invoice)
    assert with_profile(plain) == with_profile(plain)


def font_of(root: Any) -> Any:
    fonts = root["/Pages"]["/Kids"][0].get_object()["/Resources"]["/Font"]
    return next(iter(fonts.values())).get_object()


def embedded_of(root: Any) -> Any:
    return root["/AF"][0].get_object()


def redrawn(root: Any, change: Callable[[bytes], bytes]) -> None:
    page = root["/Pages"]["/Kids"][0].get_object()
    stream = DecodedStreamObject()
    stream.set_data(change(page["/Contents"].get_object().get_data()))
    page[NameObject("/Contents")] = stream


def recoloured(root: Any) -> None:
    redrawn(root, lambda drawn: drawn + b"\n0 0 0 1 k")


def unlettered(root: Any) -> None:
    redrawn(root, lambda drawn: drawn.replace(b"(Net)", rb"(N\001t)", 1))


def restyled(root: Any) -> None:
    stream = root["/Metadata"].get_object()
    stream.set_data(stream.get_data().replace(b"part>3<", b"part>2<"))


def described_nowhere(root: Any) -> None:
    stream = root["/Metadata"].get_object()
    stream.set_data(stream.get_data().replace(b"name>Version<", b"name>Versions<"))


def profile_of_another(root: Any) -> None:
    stream = root["/OutputIntents"][0]["/DestOutputProfile"]
    stream.set_data(stream.get_data()[:-1])


BREAKS: dict[str, tuple[Callable[[Any], object], str]] = {
    "no profile": (lambda root: root.pop("/OutputIntents"), "6.2.3: no output intent"),
    "a cut profile": (profile_of_another, "6.2.3: the profile is none"),
    "a script": (
        lambda root: root.__setitem__(
            NameObject("/OpenAction"), DictionaryObject({NameObject("/S"): NameObject("/URI")})
        ),
        "/OpenAction",
    ),
    "a colour of print": (recoloured, "operator k"),
    "a letter that the font has not": (unlettered, "6.2.11.8"),
    "a font outside": (
        lambda root: font_of(root)["/FontDescriptor"].pop("/FontFile2"),
        "6.2.11.4",
    ),
    "another table of letters": (
        lambda root: font_of(root).__setitem__(
            NameObject("/Encoding"), NameObject("/WinAnsiEncoding")
        ),
        "6.2.11.6",
    ),
    "other widths": (
        lambda root: font_of(root).__setitem__(
            NameObject("/Widths"), ArrayObject([NumberObject(1)] * 256)
        ),
        "6.2.11.5",
    ),
    "another name of itself": (restyled, "6.6.4"),
    "a property that is described nowhere": (described_nowhere, "6.6.2.3"),
    "nothing that the file belongs to": (lambda root: root.pop("/AF"), "6.8: an embedded file"),
    "no relation": (lambda root: embedded_of(root).pop("/AFRelationship"), "/AFRelationship"),
    "no kind": (
        lambda root: embedded_of(root)["/EF"]["/F"].get_object().pop("/Subtype"),
        "6.8: an embedded file without its kind",
    ),
}


@pytest.mark.parametrize(("change", "clause"), BREAKS.values(), ids=BREAKS)
def test_what_breaks_a_clause_is_named(
    pdf: bytes, change: Callable[[Any], object], clause: str
) -> None:
    writer = PdfWriter(clone_from=io.BytesIO(pdf))
    change(writer.root_object)
    file = io.BytesIO()
    writer.write(file)
    assert any(clause in one for one in faults_of(file.getvalue())), faults_of(file.getvalue())


def test_an_encrypted_one_and_one_without_a_name_are_named(pdf: bytes) -> None:
    writer = PdfWriter(clone_from=io.BytesIO(pdf))
    writer.encrypt("", algorithm="RC4-128")
    file = io.BytesIO()
    writer.write(file)
    assert "/Encrypt" in PdfReader(io.BytesIO(file.getvalue())).trailer
    found = faults_of(file.getvalue())
    assert any("encrypted" in one for one in found)
    nameless = pdf.replace(b"/ID [", b"/IE [")
    assert nameless != pdf
    assert "6.1.3: the trailer has no ID" in faults_of(nameless)
