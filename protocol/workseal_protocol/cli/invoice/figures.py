"""The figures of an invoice: hours and net amount of a sheet, the tax on it, and the sum.

Rules: integers of the minor unit and decimals, never binary fractions. The net amount is taken as
it is; only the tax is computed here, rounded once and half up.
"""

import base64
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from workseal_protocol.cli.hours.sheet import Sheet
from workseal_protocol.cli.invoice.details import Details
from workseal_protocol.cli.labellines import name_lines
from workseal_protocol.cli.problem import CommandError
from workseal_protocol.cli.text import exact, plain
from workseal_protocol.days import HOUR_MS
from workseal_protocol.terms import RoundingMode, amount_text, duration_text

_OWN_WORD: Final = (
    "Nobody signed this {}. Number, dates, names, addresses, account and tax are the issuer's"
    " own word; hours, rate and net amount are checked with the bundle alone."
)
_ABOUT_PROJECTS: Final = (
    "Worked time by project, in the freelancer's words. It adds up to what was recorded and"
    " declared late; each day is rounded, and the amount once, for all projects together:"
)
MAX_PROJECTS: Final = 20
_FIRST_YEAR: Final = 1000
_MAX_DIGITS: Final = 2  # after the point, in any amount of EN 16931
# UN/ECE Recommendation 20: the coarsest unit in which the billed time is exact.
_UNITS: Final = (("HUR", HOUR_MS), ("MIN", 60_000), ("SEC", 1_000), ("C26", 1))
_ROUNDING: Final = {
    RoundingMode.DOWN: "down",
    RoundingMode.NEAREST: "to the nearest",
    RoundingMode.UP: "up",
}


@dataclass(frozen=True, slots=True)
class Quantity:
    """Hold billed time in a unit; the price of an hour is that of `base` units."""

    amount: Decimal
    unit: str
    base: int


@dataclass(frozen=True, slots=True)
class Invoice:
    """Hold an invoice; raises `CommandError` when there is none to make.

    `corrects` is the number of an earlier invoice over the same days: then this is a credit note,
    which takes all of it back. Its amounts are the same, and positive.
    """

    details: Details
    sheet: Sheet
    agreed: str | None = None
    corrects: str | None = None

    def __post_init__(self) -> None:
        if self.corrects == self.details.number:
            raise CommandError("a credit note needs a number of its own, beside the invoice's")
        if str(self.sheet.zone) != self.sheet.terms.zone:
            raise CommandError(
                f"this machine does not know the zone {self.sheet.terms.zone}, in whose days the"
                " agreement bills: make the invoice where it is known"
            )
        if min(self.details.issued, self.sheet.first).year < _FIRST_YEAR:
            raise CommandError("EN 16931 writes years with four digits: a day lies before 1000")
        if self.net_minor <= 0:
            raise CommandError("nothing is billed on these days")
        digits = len(self.decimal(0).partition(".")[2])
        if digits > _MAX_DIGITS:
            raise CommandError(
                f"expected a currency with at most two digits after the point, as EN 16931 has,"
                f" found {self.currency} with {digits}"
            )
        if self.due_minor < 0:
            raise CommandError("prepaid: more than the whole invoice was paid before")

    @property
    def name(self) -> str:
        """Say what it is."""
        return "Invoice" if self.corrects is None else "Credit note"

    @property
    def total_name(self) -> str:
        """Say what becomes of the total."""
        return "To pay" if self.corrects is None else "To credit"

    @property
    def own_word(self) -> str:
        """Say what nothing but the issuer's word stands for."""
        return _OWN_WORD.format(self.name.lower())

    @property
    def currency(self) -> str:
        """Give the currency of the terms."""
        return self.sheet.billed.currency

    @property
    def net_minor(self) -> int:
        """Give what `workseal hours` says is billed."""
        return self.sheet.billed.amount

    @property
    def tax_minor(self) -> int:
        """Compute the tax."""
        exactly = self.net_minor * self.details.tax.percent / 100
        return int(exactly.quantize(Decimal(1), ROUND_HALF_UP))

    @property
    def total_minor(self) -> int:
        """Add up what is to be paid."""
        return self.net_minor + self.tax_minor

    @property
    def prepaid_minor(self) -> int:
        """Give what was paid before; a credit note takes back all, whoever paid how much."""
        return 0 if self.corrects is not None else self._minor(self.details.prepaid)

    @property
    def due_minor(self) -> int:
        """Give what is left to be paid, or is to be credited."""
        return self.total_minor - self.prepaid_minor

    @property
    def quantity(self) -> Quantity:
        """Write the billed time without loss: hours where four digits do, else a smaller unit."""
        ms = self.sheet.billed.ms
        hours = Decimal(ms) / HOUR_MS
        if ms * 10_000 % HOUR_MS == 0:
            return Quantity(hours, "HUR", 1)
        unit, size = next(one for one in _UNITS if ms % one[1] == 0)
        return Quantity(Decimal(ms // size), unit, HOUR_MS // size)

    @property
    def line(self) -> str:
        """Say what is sold."""
        return self.details.description or "Work by the hour"

    @property
    def proof(self) -> str:
        """Name the bundle: where it lies, if the issuer says so, and its digest (RFC 6920).

        A bundle has signatures and random salts, so its digest tells nothing that could be guessed.
        A browser keeps what follows # to itself.
        """
        digits = base64.urlsafe_b64encode(self.sheet.bundle.raw).rstrip(b"=").decode()
        name = f"ni:///sha-256;{digits}"
        return f"{self.details.link}#{name}" if self.details.link else name

    @property
    def basis(self) -> tuple[str, ...]:
        """Say how the net amount follows from the record."""
        sheet, terms = self.sheet, self.sheet.terms
        lines = []
        if self.corrects is not None:
            lines.append(
                f"This takes back all of invoice {self.corrects}, over the same days and hours."
            )
        lines.append(f"Recorded from {sheet.first} to {sheet.last}: {exact(sheet.recorded_ms)}.")
        if sheet.late_ms:
            lines.append(f"Declared late, beside it: {exact(sheet.late_ms)}.")
        if any(share != 100 for share in terms.worth_percent.values()):
            shares = (
                f"{kind.name.lower().replace('_', '-')} {share} %"
                for kind, share in terms.worth_percent.items()
            )
            lines.append(f"Worth by the terms: {', '.join(shares)}.")
        if terms.rounding_ms:
            step = duration_text(terms.rounding_ms)
            lines.append(
                f"Each day is rounded {_ROUNDING[terms.rounding_mode]}, in steps of {step}."
            )
        rate = amount_text(terms.rate_minor_per_hour, self.currency)
        lines.append(f"Billed: {exact(sheet.billed.ms)} at {rate} an hour.")
        if self.agreed:
            lines.append(self.agreed)
        return tuple(lines)

    @property
    def projects(self) -> tuple[str, ...]:
        """Say what the worked time was for, as far as labels were opened; the amount is one."""
        lines = list(name_lines(self.sheet.labelled.projects))
        if not lines:
            return ()
        more = len(lines) - MAX_PROJECTS
        if more > 0:
            lines = [*lines[:MAX_PROJECTS], f"and {more} more: `workseal hours --by project`"]
        return (_ABOUT_PROJECTS, *map(plain, lines))

    def _minor(self, amount: Decimal) -> int:
        digits = len(self.decimal(0).partition(".")[2])
        exactly = amount.scaleb(digits)
        if exactly != int(exactly):
            raise CommandError(f"prepaid: {self.currency} has {digits} digits after the point")
        return int(exactly)

    def decimal(self, minor: int) -> str:
        """Write an amount without its currency."""
        return amount_text(minor, self.currency).partition(" ")[0]
