"""What no bundle knows and an invoice needs: number, dates, names, tax; a TOML file of the issuer.

Rules: a name that is not known is refused, and so is what EN 16931 would refuse. Numbers are
decimals: a percentage never passes through a binary fraction.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final, TypeVar
from unicodedata import normalize
from urllib.parse import urlsplit

MAX_PREPAID: Final = 10**15  # more than any invoice has; a decimal may be of any size
MAX_WORDS: Final = 200  # characters; what fits on a line or two of paper

_COUNTRY = re.compile(r"[A-Z]{2}")
_VAT_ID = re.compile(r"[A-Z]{2}[A-Za-z0-9+*]{2,13}")
_IBAN = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}")
_ELECTRONIC = re.compile(r"[0-9A-Z]{2,4}:[!-~]+")
_REASON_CODE = re.compile(r"VATEX-[A-Z]{2}-[A-Z0-9-]+")
_PARTY: Final = (
    "name", "street", "postcode", "city", "country", "vat_id", "tax_number", "electronic",
)  # fmt: skip
_TOP: Final = (
    "number", "date", "due", "reference", "description", "payment", "iban", "link", "prepaid",
    "seller", "buyer", "tax",
)  # fmt: skip

_Found = TypeVar("_Found")


class TaxKind(StrEnum):
    """Name how value added tax applies."""

    STANDARD = "standard"
    ZERO = "zero"
    EXEMPT = "exempt"
    REVERSE_CHARGE = "reverse_charge"
    OUTSIDE = "outside"


_REASONS: Final = {
    TaxKind.REVERSE_CHARGE: "Reverse charge: the buyer owes the tax",
    TaxKind.OUTSIDE: "Not subject to value added tax",
}


@dataclass(frozen=True, slots=True)
class Party:
    """Hold who sells or buys, as they stand on the invoice; `electronic` is `SCHEME:ADDRESS`."""

    name: str
    city: str
    country: str
    street: str | None = None
    postcode: str | None = None
    vat_id: str | None = None
    tax_number: str | None = None
    electronic: str | None = None

    def __post_init__(self) -> None:
        if _COUNTRY.fullmatch(self.country) is None:
            raise ValueError("country: expected two letters, as in DE")
        if self.vat_id is not None and _VAT_ID.fullmatch(self.vat_id) is None:
            raise ValueError("vat_id: expected a country's two letters and its number, no spaces")
        if self.electronic is not None and _ELECTRONIC.fullmatch(self.electronic) is None:
            raise ValueError(
                "electronic: expected a scheme and an address, as in EM:me@example.org"
            )


@dataclass(frozen=True, slots=True)
class Tax:
    """Hold the tax on the whole net amount; only the standard kind has a percentage."""

    kind: TaxKind
    percent: Decimal = Decimal(0)
    reason: str | None = None
    code: str | None = None

    def __post_init__(self) -> None:
        standard = self.kind is TaxKind.STANDARD
        if self.percent == 0:
            # A zero of TOML may have a sign, or an exponent.
            object.__setattr__(self, "percent", Decimal(0))
        if not self.percent.is_finite() or self.percent != round(self.percent, 2):
            raise ValueError("percent: expected at most two digits after the point")
        if standard != (self.percent != 0) or not 0 <= self.percent <= 100:
            raise ValueError("percent: expected above 0 and up to 100 for standard tax alone")
        if self.kind is TaxKind.EXEMPT and self.reason is None:
            raise ValueError("reason: an exempt invoice says by which rule it is")
        if self.reason is not None and self.kind in {TaxKind.STANDARD, TaxKind.ZERO}:
            raise ValueError("reason: only an invoice without tax gives one")
        if self.code is not None and self.kind is not TaxKind.EXEMPT:
            raise ValueError("code: only what is exempt has one to choose")
        if self.code is not None and _REASON_CODE.fullmatch(self.code) is None:
            raise ValueError("code: expected one of the VATEX list, as in VATEX-EU-132")
        if self.reason is None and self.kind in _REASONS:
            object.__setattr__(self, "reason", _REASONS[self.kind])


@dataclass(frozen=True, slots=True)
class Details:
    """Hold what the issuer says; raises `ValueError` where EN 16931 would refuse it."""

    number: str
    issued: date
    due: date
    seller: Party
    buyer: Party
    tax: Tax
    description: str | None = None
    payment: str | None = None
    iban: str | None = None
    link: str | None = None
    reference: str | None = None
    prepaid: Decimal = Decimal(0)

    def __post_init__(self) -> None:
        if self.due < self.issued:
            raise ValueError("due: it lies before the date of the invoice")
        if self.iban is not None and not _is_iban(self.iban):
            raise ValueError("iban: its check digits do not fit")
        if self.link is not None and not _is_link(self.link):
            raise ValueError("link: expected an https address without a password or a #")
        if not self.prepaid.is_finite() or not 0 <= self.prepaid < MAX_PREPAID:
            raise ValueError(f"prepaid: expected an amount from 0 to below {MAX_PREPAID}")
        _check_numbers(self.tax.kind, self.seller, self.buyer)


def read_details(table: Mapping[str, Any]) -> Details:
    """Read the parsed TOML file, or raise `ValueError`."""
    _require_known(table, _TOP, "the details")
    return Details(
        number=_need(_words(table, "number"), "number"),
        issued=_need(_day(table, "date"), "date"),
        due=_need(_day(table, "due"), "due"),
        seller=_party(table, "seller"),
        buyer=_party(table, "buyer"),
        tax=_tax(_table(table, "tax")),
        description=_words(table, "description"),
        payment=_words(table, "payment"),
        iban=_iban(table),
        link=_words(table, "link"),
        reference=_words(table, "reference"),
        prepaid=_number(table, "prepaid"),
    )


def words_of(found: object, name: str) -> str:
    """Return a line of words without the spaces around it, or raise `ValueError`."""
    if not isinstance(found, str) or not 0 < len(found.strip()) <= len(found) <= MAX_WORDS:
        raise ValueError(f"{name}: expected 1 to {MAX_WORDS} characters in quotes")
    if not found.isprintable():
        raise ValueError(f"{name}: expected one line of characters that can be seen")
    # One letter for a letter with its accent, as fonts have it: some machines write two.
    return normalize("NFC", found.strip())


def _check_numbers(kind: TaxKind, seller: Party, buyer: Party) -> None:
    if seller.vat_id is None and seller.tax_number is None:
        raise ValueError("seller: expected a vat_id or a tax_number")
    if buyer.tax_number is not None:
        raise ValueError("buyer: expected no tax_number: the standard has no place for it")
    if kind is TaxKind.REVERSE_CHARGE and buyer.vat_id is None:
        raise ValueError("buyer: reverse charge needs their vat_id")
    if kind is TaxKind.OUTSIDE and (seller.vat_id is not None or buyer.vat_id is not None):
        raise ValueError("what is outside the tax has no vat_id: name a tax_number instead")


def _party(table: Mapping[str, Any], name: str) -> Party:
    found = _table(table, name)
    _require_known(found, _PARTY, name)
    try:
        return Party(
            name=_need(_words(found, "name"), "name"),
            city=_need(_words(found, "city"), "city"),
            country=_need(_words(found, "country"), "country"),
            street=_words(found, "street"),
            postcode=_words(found, "postcode"),
            vat_id=_words(found, "vat_id"),
            tax_number=_words(found, "tax_number"),
            electronic=_words(found, "electronic"),
        )
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from error


def _tax(found: Mapping[str, Any]) -> Tax:
    _require_known(found, ("kind", "percent", "reason", "code"), "tax")
    kind = _need(_words(found, "kind"), "tax.kind")
    if kind not in tuple(TaxKind):
        raise ValueError(f"tax.kind: expected one of {', '.join(TaxKind)}")
    percent = _number(found, "percent")
    return Tax(TaxKind(kind), percent, _words(found, "reason"), _words(found, "code"))


def _table(table: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = table.get(name)
    if not isinstance(found, dict):
        raise ValueError(f"expected a table [{name}]")  # noqa: TRY004 - one kind of refusal
    return found


def _words(table: Mapping[str, Any], name: str) -> str | None:
    return words_of(table[name], name) if name in table else None


def _number(table: Mapping[str, Any], name: str) -> Decimal:
    found = table.get(name, 0)
    # TOML's true is Python's True, which is an int.
    if type(found) not in {int, Decimal}:
        raise ValueError(f"{name}: expected a number, as in 19")
    return Decimal(found)


def _iban(table: Mapping[str, Any]) -> str | None:
    """Read an account as people write it: in groups of four, in letters of either size."""
    found = table.get("iban")
    if isinstance(found, str):
        found = "".join(found.split()).upper()
    return None if found is None else words_of(found, "iban")


def _day(table: Mapping[str, Any], name: str) -> date | None:
    found = table.get(name)
    if found is None or (isinstance(found, date) and not isinstance(found, datetime)):
        return found
    raise ValueError(f"{name}: expected a day without quotes, as in 2026-12-01")


def _need(found: _Found | None, name: str) -> _Found:
    if found is None:
        raise ValueError(f"{name} is missing")
    return found


def _require_known(table: Mapping[str, Any], names: tuple[str, ...], what: str) -> None:
    unknown = sorted(set(table) - set(names))
    if unknown:
        raise ValueError(f"{what}: an unknown name: {unknown[0][:40]}")


def _is_iban(text: str) -> bool:
    if _IBAN.fullmatch(text) is None:
        return False
    # ISO 7064: letters count from 10, and the whole leaves 1 when divided by 97.
    return int("".join(str(int(one, 36)) for one in text[4:] + text[:4])) % 97 == 1


def _is_link(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    plain = text.isascii() and " " not in text and "#" not in text
    return plain and parts.scheme == "https" and bool(parts.hostname) and "@" not in parts.netloc
