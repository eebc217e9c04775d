"""Records of agreement on hours: what a freelancer sums up, and what the client says to it.

Rules: a timesheet says which days, up to which statement of the chain, and the figures that its
maker folded from there; whoever has the statements folds them again. An answer changes no figure.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import ClassVar, Final, Self

from workseal_protocol.digest import Digest
from workseal_protocol.encoding import Fields, Value
from workseal_protocol.errors import MalformedError
from workseal_protocol.records.bounds import (
    ID_BYTES,
    MAX_TIME,
    VERSION,
    check_octets,
    check_text,
    check_uint,
    read_version,
)
from workseal_protocol.records.rows import row, uint_at
from workseal_protocol.statement import Kind

# Days since 1970-01-01; the last is in the year 9999.
MAX_DAY: Final = 2_932_896
MAX_SHEET_DAYS: Final = 400
MAX_SHEET_TEXT: Final = 500


class SheetAnswer(IntEnum):
    """Say what a client answers."""

    ACCEPTED = 1
    QUESTION = 2
    OBJECTION = 3


@dataclass(frozen=True, slots=True)
class SheetDay:
    """Hold the worked milliseconds of one day, by class; the day counts from 1970-01-01."""

    day: int
    working: int
    off_screen: int
    sealed: int
    late_declared: int

    def __post_init__(self) -> None:
        check_uint("day", self.day, maximum=MAX_DAY)
        for name, ms in (
            ("working", self.working),
            ("off-screen", self.off_screen),
            ("sealed", self.sealed),
            ("late-declared", self.late_declared),
        ):
            check_uint(name, ms)
        if not (self.working or self.off_screen or self.sealed or self.late_declared):
            raise ValueError("a day without hours has no row")


@dataclass(frozen=True, slots=True, kw_only=True)
class Timesheet:
    """Sum up the days [first, last] as the chain up to `head` gives them, and what they cost.

    `replaces` names an earlier timesheet that this one stands for.
    """

    KIND: ClassVar[Kind] = Kind.TIMESHEET

    engagement: bytes
    claimed_at: int
    first: int
    last: int
    head: Digest
    days: tuple[SheetDay, ...]
    billed_ms: int
    amount: int
    replaces: Digest | None = None

    def __post_init__(self) -> None:
        check_octets("engagement", self.engagement, ID_BYTES)
        check_uint("claimed_at", self.claimed_at, maximum=MAX_TIME)
        check_uint("last", self.last, maximum=MAX_DAY)
        check_uint("first", self.first, maximum=self.last)
        if self.last - self.first >= MAX_SHEET_DAYS:
            raise ValueError(f"a timesheet has at most {MAX_SHEET_DAYS} days")
        days = [one.day for one in self.days]
        if days != sorted(set(days)) or any(not self.first <= day <= self.last for day in days):
            raise ValueError("the rows are not days of the timesheet, each once and in order")
        check_uint("billed", self.billed_ms)
        check_uint("amount", self.amount)

    @classmethod
    def read(cls, value: Value) -> Self:
        """Read what `to_value` writes, or raise `MalformedError`."""
        fields = Fields(value, "timesheet")
        read_version(fields)
        rows = fields.array(13, "days", minimum=0, maximum=MAX_SHEET_DAYS)
        try:
            record = cls(
                engagement=fields.octets(2, "engagement", length=ID_BYTES),
                claimed_at=fields.uint(6, "claimed_at"),
                first=fields.uint(10, "first"),
                last=fields.uint(11, "last"),
                head=fields.digest(12, "head"),
                days=tuple(_read_day(item) for item in rows),
                billed_ms=fields.uint(14, "billed"),
                amount=fields.uint(15, "amount"),
                replaces=fields.optional_digest(16, "replaces"),
            )
        except ValueError as error:
            raise MalformedError(f"timesheet: {error}") from error
        fields.close()
        return record

    def to_value(self) -> dict[int, Value]:
        """Return the payload."""
        value: dict[int, Value] = {
            1: VERSION,
            2: self.engagement,
            6: self.claimed_at,
            10: self.first,
            11: self.last,
            12: self.head.raw,
            13: [
                [one.day, one.working, one.off_screen, one.sealed, one.late_declared]
                for one in self.days
            ],
            14: self.billed_ms,
            15: self.amount,
        }
        return value if self.replaces is None else value | {16: self.replaces.raw}


@dataclass(frozen=True, slots=True, kw_only=True)
class TimesheetAnswer:
    """Accept a timesheet, ask about it, or object to it; a question and an objection have words."""

    KIND: ClassVar[Kind] = Kind.TIMESHEET_ANSWER

    engagement: bytes
    claimed_at: int
    timesheet: Digest
    answer: SheetAnswer
    text: str | None = None

    def __post_init__(self) -> None:
        check_octets("engagement", self.engagement, ID_BYTES)
        check_uint("claimed_at", self.claimed_at, maximum=MAX_TIME)
        if self.text is not None:
            check_text("text", self.text, maximum=MAX_SHEET_TEXT)
        elif self.answer is not SheetAnswer.ACCEPTED:
            raise ValueError("a question or an objection has words")

    @classmethod
    def read(cls, value: Value) -> Self:
        """Read what `to_value` writes, or raise `MalformedError`."""
        fields = Fields(value, "timesheet.answer")
        read_version(fields)
        try:
            record = cls(
                engagement=fields.octets(2, "engagement", length=ID_BYTES),
                claimed_at=fields.uint(6, "claimed_at"),
                timesheet=fields.digest(10, "timesheet"),
                answer=SheetAnswer(fields.uint(11, "answer")),
                text=fields.optional_text(12, "text", maximum=MAX_SHEET_TEXT),
            )
        except ValueError as error:
            raise MalformedError(f"timesheet.answer: {error}") from error
        fields.close()
        return record

    def to_value(self) -> dict[int, Value]:
        """Return the payload."""
        value: dict[int, Value] = {
            1: VERSION,
            2: self.engagement,
            6: self.claimed_at,
            10: self.timesheet.raw,
            11: self.answer,
        }
        return value if self.text is None else value | {12: self.text}


def _read_day(item: Value) -> SheetDay:
    parts = row(item, 5)
    return SheetDay(*(uint_at(parts, place) for place in range(5)))
