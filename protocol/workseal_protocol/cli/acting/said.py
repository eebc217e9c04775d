"""What a person says on the command line when they file or act: words, not yet a statement.

Rule: every act takes the details of its row and no other. The rows follow from the table of
docs/spec/acts.md; what is added to it is how a person gives what nobody types (a digest, a key).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta, tzinfo
from enum import IntEnum
from typing import Final, TypeVar

from workseal_protocol.cli.problem import CommandError
from workseal_protocol.digest import Digest
from workseal_protocol.records import Act, Claim
from workseal_protocol.records.acts import CODES, FORMS, Form
from workseal_protocol.terms import minor_digits

REQUEST: Final = "request"
# What the operator says, in its own program.
_OPERATORS: Final = frozenset({Act.NOTICE, Act.LAPSE, Act.OUTAGE})

_CODE_OPTION: Final[Mapping[str, str]] = {
    "Ground": "ground", "Refusal": "ground", "Pause": "ground", "Ruling": "ruling",
    "Verdict": "verdict",
}  # fmt: skip
# How a person gives a field; what is not here (round, person, due) follows from the case.
_OPTIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "text": ("text",), "why": ("why",), "amount": ("amount",), "cites": ("cite",),
    "level": ("level",), "count": ("count",), "begin": ("begin",), "end": ("end",),
    "calendar": ("calendar", "zone", "day_off"), "sealing_key": ("case_key",),
    "freeze": ("bundle",),
}  # fmt: skip
_AMOUNT = re.compile(r"([0-9]{1,15})(?:\.([0-9]{1,4}))?")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MINUTE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

Code = TypeVar("Code", bound=IntEnum)


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """Hold the details of one act as they were typed; None or empty for what was not."""

    text: str | None = None
    why: str | None = None
    amount: str | None = None
    ground: str | None = None
    ruling: str | None = None
    verdict: str | None = None
    cite: tuple[str, ...] = ()
    level: int | None = None
    count: int | None = None
    begin: str | None = None
    end: str | None = None
    calendar: str | None = None
    zone: str | None = None
    day_off: tuple[str, ...] = ()
    file: str | None = None
    salted: str | None = None
    frame: tuple[str, ...] = ()
    bundle: str | None = None
    case_key: str | None = None
    gone: bool = False

    def given(self) -> frozenset[str]:
        """Name the details that were given; zero and an empty text are given as well."""
        given = ((one.name, getattr(self, one.name)) for one in fields(self))
        return frozenset(
            name
            for name, value in given
            if value is not None and value is not False and value != ()
        )


@dataclass(frozen=True, slots=True)
class Details:
    """Name the details that an act needs, and those that it may have."""

    needs: frozenset[str]
    may: frozenset[str]


def _name(member: IntEnum) -> str:
    return member.name.lower().replace("_", "-")


def _options(act: Act, names: frozenset[str]) -> frozenset[str]:
    found: set[str] = set()
    for name in names:
        if name == "code":
            found.add(_CODE_OPTION[CODES[act].__name__])
        found.update(_OPTIONS.get(name, ()))
    return frozenset(found)


def _details(act: Act, form: Form) -> Details:
    needs, may = _options(act, form.needs), _options(act, form.may)
    match act:
        case Act.DECLARE:
            # Whether a deadline opens by it depends on the others: days are named in any case.
            return Details(needs | {"calendar"}, may - {"calendar"})
        case Act.SHOW:
            return Details(frozenset({"file", "salted"}), frozenset({"bundle"}))
        case Act.EXHIBIT:
            return Details(needs, frozenset({"file", "salted"}))
        case Act.DESTROY:
            return Details(needs, frozenset({"case_key", "gone"}))
        case _:
            return Details(needs, may)


ACTS: Final[Mapping[str, Act]] = {_name(act): act for act in Act if act not in _OPERATORS}
DETAILS: Final[Mapping[str, Details]] = {
    **{name: _details(act, FORMS[act]) for name, act in ACTS.items()},
    REQUEST: Details(frozenset({"text"}), frozenset({"frame", "case_key", "bundle"})),
}
# The words that --ground takes, by act.
GROUNDS: Final[Mapping[str, tuple[str, ...]]] = {
    name: tuple(_name(one) for one in CODES[act])
    for name, act in ACTS.items()
    if act in CODES and _CODE_OPTION[CODES[act].__name__] == "ground"
}
ABOUT: Final[Mapping[str, Claim]] = {_name(claim): claim for claim in Claim}


def require_fits(name: str, said: Said) -> None:
    """Check that an act of this name exists and has these details, or raise `CommandError`."""
    details = DETAILS.get(name)
    if details is None:
        raise CommandError(f"expected an act of {', '.join(DETAILS)}, found {name[:40]}")
    given = said.given()
    if missing := details.needs - given:
        raise CommandError(f"{name}: expected {spelled(min(missing))}, found none")
    if extra := given - details.needs - details.may:
        raise CommandError(f"{name}: it has no {spelled(min(extra))}")


def spelled(detail: str) -> str:
    """Write a detail as its option is typed."""
    return f"--{detail.replace('_', '-')}"


def code_of(kind: type[Code], word: str) -> Code:
    """Read one of the words of a code."""
    known = {_name(one): one for one in kind}
    if word not in known:
        raise CommandError(f"expected one of {', '.join(known)}, found {word[:40]}")
    return known[word]


def amount_of(text: str, currency: str) -> int:
    """Read an amount such as 480 or 480.50 in minor units of a currency."""
    digits = minor_digits(currency)
    found = _AMOUNT.fullmatch(text)
    if found is None or len(found[2] or "") > digits or (found[2] and len(found[2]) != digits):
        form = f"480.{'0' * digits}" if digits else "480"
        raise CommandError(f"--amount: expected {currency} as in {form}, found {text[:40]}")
    return int(found[1] + (found[2] or "0" * digits))


def instant_of(option: str, text: str, zone: tzinfo, *, end: bool = False) -> int:
    """Read a day, or a minute as in 2026-11-02T09:30, in a zone; the `end` of a day is its last.

    A period ends where the next one may begin.
    """
    wrong = CommandError(
        f"{option}: expected a day or a minute, as in 2026-11-02 or 2026-11-02T09:30,"
        f" found {text[:40]}"
    )
    if not _MINUTE.fullmatch(text) and not _DAY.fullmatch(text):
        raise wrong
    try:
        moment = datetime.fromisoformat(text).replace(tzinfo=None)
        if end and _DAY.fullmatch(text):
            moment += timedelta(days=1)
        found = (moment.replace(tzinfo=zone) - _EPOCH) // timedelta(milliseconds=1)
        there = (_EPOCH + timedelta(milliseconds=found)).astimezone(zone).replace(tzinfo=None)
    except (ValueError, OverflowError) as error:
        raise wrong from error
    if found < 0:
        raise wrong
    if _MINUTE.fullmatch(text) and there != moment:
        raise CommandError(f"{option}: there is no {text} in this zone: clocks go forward then")
    return found


def day_of(text: str) -> int:
    """Read a day as the number of days since 1970."""
    wrong = CommandError(f"--day-off: expected a day as in 2026-12-28, found {text[:40]}")
    if not _DAY.fullmatch(text):
        raise wrong
    try:
        return (datetime.fromisoformat(text).date() - _EPOCH.date()).days
    except ValueError as error:
        raise wrong from error


def digest_of(option: str, text: str) -> Digest:
    """Read a digest of 64 hex digits."""
    if not _DIGEST.fullmatch(text):
        raise CommandError(f"{option}: expected 64 hex digits, found {text[:80]}")
    return Digest(bytes.fromhex(text))
