"""Records that open a case and move it on: dispute.filing and dispute.act.

Rules: every statement of a case but its filing names the case, which is the digest of the filing
statement, and the statement before it. A deadline that a statement opens stands in it, with the
calendar that it was counted by. Texts are read by everyone who has the statement; what others must
not read is a salted digest.
"""

from dataclasses import dataclass
from dataclasses import fields as dataclass_fields
from enum import IntEnum
from typing import ClassVar, Final, Self, cast

from workseal_protocol.digest import Digest
from workseal_protocol.encoding import MAX_INTEGER, Fields, Value
from workseal_protocol.errors import MalformedError
from workseal_protocol.records.acts import CODES, FORMS, Act, Claim
from workseal_protocol.records.bounds import (
    ID_BYTES,
    MAX_ROUND,
    MAX_TIME,
    VALUE_BYTES,
    VERSION,
    check_distinct,
    check_octets,
    check_text,
    check_uint,
    read_version,
)
from workseal_protocol.records.caselinks import CaseCalendar, CasePlace, Due
from workseal_protocol.records.disputes import HPKE_KEY_BYTES
from workseal_protocol.records.freezes import Freeze
from workseal_protocol.statement import Kind

MAX_WORDS: Final = 4_000
MAX_CITES: Final = 64
MAX_LEVEL: Final = 4
MAX_COUNT: Final = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class DisputeFiling:
    """Open a case: which hours, what is claimed, what is at stake.

    `segments` narrows the period to some of its segments. `due` is by when notice is to be given.
    """

    KIND: ClassVar[Kind] = Kind.DISPUTE_FILING

    engagement: bytes
    claimed_at: int
    due: Due
    claim: Claim
    text: str
    begin: int
    end: int
    amount: int
    segments: tuple[Digest, ...] = ()
    calendar: CaseCalendar | None = None

    def __post_init__(self) -> None:
        _check_head(self.engagement, self.claimed_at)
        check_text("text", self.text, maximum=MAX_WORDS)
        _check_period(self.begin, self.end)
        check_uint("amount", self.amount)
        if self.segments:
            check_distinct("segments", self.segments, maximum=MAX_CITES)

    def overlaps(self, other: "DisputeFiling") -> bool:
        """Say whether both are about some of the same hours."""
        return self.begin < other.end and other.begin < self.end

    @classmethod
    def read(cls, value: Value) -> Self:
        """Read what `to_value` writes, or raise `MalformedError`."""
        fields = Fields(value, "dispute.filing")
        read_version(fields)
        try:
            record = cls(
                engagement=fields.octets(2, "engagement", length=ID_BYTES),
                claimed_at=fields.uint(6, "claimed_at"),
                due=Due.read(fields.fields(9, "due")),
                claim=Claim(fields.uint(10, "claim")),
                text=fields.text(11, "text", maximum=MAX_WORDS),
                segments=_read_digests(fields, 13, "segments"),
                begin=fields.uint(16, "begin"),
                end=fields.uint(17, "end"),
                amount=fields.uint(21, "amount"),
                calendar=_read_calendar(fields),
            )
        except ValueError as error:
            raise MalformedError(f"dispute.filing: {error}") from error
        fields.close()
        return record

    def to_value(self) -> dict[int, Value]:
        """Return the payload."""
        value: dict[int, Value] = {
            1: VERSION,
            2: self.engagement,
            6: self.claimed_at,
            9: self.due.to_value(),
            10: self.claim,
            11: self.text,
            16: self.begin,
            17: self.end,
            21: self.amount,
        }
        if self.segments:
            value[13] = [one.raw for one in self.segments]
        if self.calendar is not None:
            value[22] = self.calendar.to_value()
        return value


@dataclass(frozen=True, slots=True, kw_only=True)
class DisputeAct:
    """Move a case on by one act; which fields it has follows from the act."""

    KIND: ClassVar[Kind] = Kind.DISPUTE_ACT

    engagement: bytes
    claimed_at: int
    place: CasePlace
    act: Act
    text: str | None = None
    code: IntEnum | None = None
    cites: tuple[Digest, ...] | None = None
    level: int | None = None
    count: int | None = None
    begin: int | None = None
    end: int | None = None
    value: bytes | None = None
    round: int | None = None
    freeze: Freeze | None = None
    amount: int | None = None
    calendar: CaseCalendar | None = None
    person: Digest | None = None
    why: str | None = None
    sealing_key: bytes | None = None

    def __post_init__(self) -> None:
        _check_head(self.engagement, self.claimed_at)
        _check_form(self)
        _check_fields(self)

    @classmethod
    def read(cls, value: Value) -> Self:
        """Read what `to_value` writes, or raise `MalformedError`."""
        fields = Fields(value, "dispute.act")
        read_version(fields)
        freeze = fields.optional_fields(20, "freeze")
        try:
            act = Act(fields.uint(10, "act"))
            record = cls(
                engagement=fields.octets(2, "engagement", length=ID_BYTES),
                claimed_at=fields.uint(6, "claimed_at"),
                place=CasePlace.take(fields),
                act=act,
                text=fields.optional_text(11, "text", maximum=MAX_WORDS),
                code=_read_code(fields, act),
                cites=_read_digests(fields, 13, "cites") or None,
                level=fields.optional_uint(14, "level"),
                count=fields.optional_uint(15, "count"),
                begin=fields.optional_uint(16, "begin"),
                end=fields.optional_uint(17, "end"),
                value=fields.optional_octets(18, "value", length=VALUE_BYTES),
                round=fields.optional_uint(19, "round"),
                freeze=None if freeze is None else Freeze.read(freeze),
                amount=fields.optional_uint(21, "amount"),
                calendar=_read_calendar(fields),
                person=fields.optional_digest(23, "person"),
                why=fields.optional_text(24, "why", maximum=MAX_WORDS),
                sealing_key=fields.optional_octets(25, "sealing key", length=HPKE_KEY_BYTES),
            )
        except ValueError as error:
            raise MalformedError(f"dispute.act: {error}") from error
        fields.close()
        return record

    def to_value(self) -> dict[int, Value]:
        """Return the payload."""
        written: dict[int, Value | None] = {
            11: self.text,
            12: self.code,
            13: None if self.cites is None else [one.raw for one in self.cites],
            14: self.level,
            15: self.count,
            16: self.begin,
            17: self.end,
            18: self.value,
            19: self.round,
            20: None if self.freeze is None else self.freeze.to_value(),
            21: self.amount,
            22: None if self.calendar is None else self.calendar.to_value(),
            23: None if self.person is None else self.person.raw,
            24: self.why,
            25: self.sealing_key,
        }
        head: dict[int, Value] = {1: VERSION, 2: self.engagement, 6: self.claimed_at}
        body = {key: part for key, part in written.items() if part is not None}
        return head | self.place.to_value() | {10: self.act} | body


_BODY: Final = tuple(
    one.name
    for one in dataclass_fields(DisputeAct)
    if one.name not in {"engagement", "claimed_at", "place", "act"}
)


def _check_form(record: DisputeAct) -> None:
    form = FORMS[record.act]
    found = {name for name in _BODY if getattr(record, name) is not None}
    name = record.act.name.lower()
    if missing := form.needs - found:
        raise ValueError(f"{name}: {min(missing)} is missing")
    if extra := found - form.needs - form.may:
        raise ValueError(f"{name}: it has no {min(extra)}")


def _check_fields(record: DisputeAct) -> None:
    for what, text in (("text", record.text), ("why", record.why)):
        if text is not None:
            check_text(what, text, maximum=MAX_WORDS)
    if record.code is not None and type(record.code) is not CODES[record.act]:
        raise ValueError(f"{record.act.name.lower()}: the code is of another act")
    if record.cites is not None:
        check_distinct("cites", record.cites, maximum=MAX_CITES)
    numbers = (
        ("level", record.level, 1, MAX_LEVEL),
        ("count", record.count, 1, MAX_COUNT),
        ("begin", record.begin, 0, MAX_TIME),
        ("end", record.end, 0, MAX_TIME),
        ("round", record.round, 0, MAX_ROUND),
        ("amount", record.amount, 0, MAX_INTEGER),
    )
    for what, number, minimum, maximum in numbers:
        if number is not None:
            check_uint(what, number, minimum=minimum, maximum=maximum)
    for what, octets, length in (
        ("value", record.value, VALUE_BYTES),
        ("sealing key", record.sealing_key, HPKE_KEY_BYTES),
    ):
        if octets is not None:
            check_octets(what, octets, length)
    if record.begin is not None and record.end is not None:
        _check_period(record.begin, record.end)


def _check_head(engagement: bytes, claimed_at: int) -> None:
    check_octets("engagement", engagement, ID_BYTES)
    check_uint("claimed_at", claimed_at, maximum=MAX_TIME)


def _check_period(begin: int, end: int) -> None:
    check_uint("begin", begin, maximum=MAX_TIME)
    check_uint("end", end, maximum=MAX_TIME)
    if end <= begin:
        raise ValueError("the period ends before it begins")


def _read_code(fields: Fields, act: Act) -> IntEnum | None:
    code = fields.optional_uint(12, "code")
    if code is None:
        return None
    if act not in CODES:
        raise MalformedError(f"dispute.act: {act.name.lower()}: it has no code")
    return CODES[act](code)


def _read_digests(fields: Fields, key: int, name: str) -> tuple[Digest, ...]:
    items = fields.optional_array(key, name, minimum=1, maximum=MAX_CITES) or []
    # Another type or length is refused by `Digest` itself.
    return tuple(Digest(cast("bytes", item)) for item in items)


def _read_calendar(fields: Fields) -> CaseCalendar | None:
    found = fields.optional_fields(22, "calendar")
    return None if found is None else CaseCalendar.read(found)
