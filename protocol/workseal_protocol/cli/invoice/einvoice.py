"""An invoice as the XML of Factur-X, at the level of EN 16931, and that XML inside a PDF.

Rule: figures reach the library as text, exactly as they are shown. Its schematron check is left
out: it asks a server in the network.
"""

import io
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any, Final

from facturx import generate_cii_xml, generate_from_file
from iso4217 import Currency

from workseal_protocol.cli.hours.sheet import Sheet
from workseal_protocol.cli.invoice.colours import with_profile
from workseal_protocol.cli.invoice.details import Party, TaxKind
from workseal_protocol.cli.invoice.figures import Invoice
from workseal_protocol.cli.problem import CommandError
from workseal_protocol.cli.totalslines import limit_line

_LEVEL: Final = "en16931"
# UNTDID 5305 and the VATEX list.
_CATEGORIES: Final = {
    TaxKind.STANDARD: "S",
    TaxKind.ZERO: "Z",
    TaxKind.EXEMPT: "E",
    TaxKind.REVERSE_CHARGE: "AE",
    TaxKind.OUTSIDE: "O",
}
_REASON_CODES: Final = {TaxKind.REVERSE_CHARGE: "VATEX-EU-AE", TaxKind.OUTSIDE: "VATEX-EU-O"}


def as_xml(invoice: Invoice) -> bytes:
    """Write the XML, valid by the standard's schema; the same invoice gives the same bytes."""
    try:
        Currency(invoice.currency)
    except ValueError as error:
        raise CommandError(f"expected a currency of ISO 4217, found {invoice.currency}") from error
    try:
        written: bytes = generate_cii_xml(_fields(invoice), level=_LEVEL, check_schematron=None)
    except Exception as error:  # the library raises no class of its own
        raise CommandError(f"EN 16931 has no place for these details: {error}") from error
    return written


def with_xml(pdf: bytes, xml: bytes, invoice: Invoice) -> bytes:
    """Put the XML into a PDF, as its machine-readable half; nothing touches the disk."""
    file = io.BytesIO(with_profile(pdf))
    title = f"{invoice.name} {invoice.details.number}"
    said = {"author": invoice.details.seller.name, "keywords": "Factur-X", "title": title}
    generate_from_file(
        file, xml, flavor="factur-x", level=_LEVEL, check_xsd=False, lang="en",
        pdf_metadata={**said, "subject": title}, afrelationship="alternative",
    )  # fmt: skip
    return file.getvalue()


def _fields(invoice: Invoice) -> dict[str, Any]:
    """Name every value by its number in EN 16931."""
    details, sheet = invoice.details, invoice.sheet
    net, tax = invoice.decimal(invoice.net_minor), invoice.decimal(invoice.tax_minor)
    total = invoice.decimal(invoice.total_minor)
    fields: dict[str, Any] = {
        "BT-1": details.number,
        "BT-2": details.issued,
        "BT-3": "380" if invoice.corrects is None else "381",  # a commercial invoice, a credit note
        "BT-5": invoice.currency,
        "BT-9": details.due,
        "BT-10": details.reference,
        "BT-20": details.payment,
        "BT-72": _delivered(sheet),
        "BT-73": sheet.first,
        "BT-74": sheet.last,
        "BG-1": [{"BT-22": one} for one in _notes(invoice)],
        "BG-4": _party(details.seller, seller=True),
        "BG-7": _party(details.buyer, seller=False),
        "BG-23": [_tax(invoice, net, tax)],
        "BG-24": [_supporting(invoice)],
        "BG-25": [_line(invoice, net)],
        "BT-106": net,
        "BT-109": net,
        "BT-110": tax,
        "BT-112": total,
        "BT-113": invoice.decimal(invoice.prepaid_minor) if invoice.prepaid_minor else None,
        "BT-115": invoice.decimal(invoice.due_minor),
    }
    if invoice.corrects is not None:
        # The money goes back: no account of the seller's.
        fields["BG-3"] = [{"BT-25": invoice.corrects}]
    elif details.iban:
        fields |= {"BT-81": "30", "BT-84": details.iban}  # a credit transfer
    return {name: value for name, value in fields.items() if value is not None}


def _delivered(sheet: Sheet) -> date:
    """Return the last day on which anything was worked: delivery ended with it."""
    worked = [day.day for day in sheet.days if any(day.worked_ms.values())]
    return worked[-1] if worked else sheet.last


def _notes(invoice: Invoice) -> Iterator[str]:
    yield from invoice.basis
    yield from map(limit_line, invoice.sheet.exceeded)
    if invoice.projects:
        yield "\n".join(invoice.projects)
    yield invoice.own_word
    yield from invoice.sheet.not_proven


def _party(party: Party, *, seller: bool) -> dict[str, Any]:
    scheme, _, electronic = (party.electronic or "").partition(":")
    fields = {
        "name": party.name,
        "addr_l1": party.street,
        "postcode": party.postcode,
        "city": party.city,
        "country_code": party.country,
        "vat_identifier": party.vat_id,
        "tax_identifier": party.tax_number,
        "einvoicing_addr": electronic or None,
        "einvoicing_addr_schemeid": scheme or None,
        # BR-CO-26: whoever has no VAT number is identified by another one.
        "identifiers": {None: party.tax_number} if seller and not party.vat_id else None,
    }
    return {name: value for name, value in fields.items() if value is not None}


def _tax(invoice: Invoice, net: str, tax: str) -> dict[str, Any]:
    said = invoice.details.tax
    fields = {
        "BT-116": net,
        "BT-117": tax,
        "BT-118": _CATEGORIES[said.kind],
        "BT-119": _percent(invoice),
        "BT-120": said.reason,
        "BT-121": _REASON_CODES.get(said.kind, said.code),
    }
    return {name: value for name, value in fields.items() if value is not None}


def _supporting(invoice: Invoice) -> dict[str, Any]:
    fields = {
        "BT-122": str(invoice.sheet.bundle),
        "BT-123": "SHA-256 of the bundle that proves the hours: workseal verify",
        "BT-124": invoice.details.link,
    }
    return {name: value for name, value in fields.items() if value is not None}


def _line(invoice: Invoice, net: str) -> dict[str, Any]:
    quantity, sheet = invoice.quantity, invoice.sheet
    fields = {
        "BT-126": "1",
        "BT-129": plain_decimal(quantity.amount),
        "BT-130": quantity.unit,
        "BT-131": net,
        "BT-134": sheet.first,
        "BT-135": sheet.last,
        "BT-146": invoice.decimal(sheet.terms.rate_minor_per_hour),
        "BT-149": str(quantity.base),
        "BT-151": _CATEGORIES[invoice.details.tax.kind],
        "BT-152": _percent(invoice),
        "BT-153": invoice.line,
    }
    return {name: value for name, value in fields.items() if value is not None}


def _percent(invoice: Invoice) -> str | None:
    said = invoice.details.tax
    return None if said.kind is TaxKind.OUTSIDE else plain_decimal(said.percent)


def plain_decimal(number: Decimal) -> str:
    """Write a decimal without an exponent and without idle zeros."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
