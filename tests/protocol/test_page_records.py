"""Records of hours and of cases, read by the offline page and by Python: what one refuses, both do.

Each record is changed in one place, mostly to a value beside a bound.
"""

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from support.builders import (
    ENGAGEMENT,
    NOW,
    digest,
    make_act,
    make_disclosure,
    make_due,
    make_filing,
    make_finding,
    make_possession,
    make_request,
    make_segment,
)
from support.offline_page import page_says
from workseal_protocol.cli.page import offline_page
from workseal_protocol.encoding import decode, encode
from workseal_protocol.errors import MalformedError
from workseal_protocol.records import (
    CODES,
    FORMS,
    Act,
    Capture,
    CaseCalendar,
    CasePlace,
    Claim,
    Freeze,
    Held,
    HeldAnswer,
    Holding,
    Record,
    SegmentState,
    SheetAnswer,
    SheetDay,
    Stratum,
    Timesheet,
    TimesheetAnswer,
    read_record,
)
from workseal_protocol.statement import engagement_subject

CALENDAR = CaseCalendar(
    name="DE-BY", zone="Europe/Berlin", weekend=0b1100000, days_off=(20_800, 2_932_896)
)
VALUES: dict[str, Any] = {
    "text": "in few words",
    "cites": (digest(1), digest(2)),
    "level": 4,
    "count": 100_000,
    "begin": NOW,
    "end": NOW + 1,
    "value": bytes(32),
    "round": 7,
    "freeze": Freeze(
        digest("root"),
        (
            Stratum(Holding.KEPT, 20_000, 5),
            Stratum(Holding.KEPT, 20_001, 9),
            Stratum(Holding.WITHDRAWN, 2_932_896, 99_985),
        ),
    ),
    "amount": 5,
    "calendar": CALENDAR,
    "person": digest("person"),
    "why": "the sums do not tell",
    "sealing_key": bytes(1216),
}
CHANGES = 150
PLACE = CasePlace(digest("filing"), digest("statement before"), make_due())
# Beside the bounds of these records, and those themselves.
NUMBERS = (
    0, 1, 2, 3, 4, 5, 7, 8, 11, 12, 24, 32, 33, 96, 98, 99, 100, 112, 127, 128, 500, 959, 960, 961,
    -1, -960, -961, 19_999, 20_000, 20_001, 99_985, 100_000, 100_001, 2_932_896, 2_932_897,
    253_402_300_799_999, 253_402_300_800_000, 2**53 - 1,
)  # fmt: skip
TEXTS = (
    "", "x" * 63, "x" * 64, "x" * 65, "\U0001f600" * 500, "x" * 501, "x" * 4_000, "x" * 4_001,
    "DE", "DE-", "de", "DE-BAYE", "DEX", "DE-B\n", "Europe", "Europe/", "/Berlin", "a/b/c/d/e",
    "a b", f"{'a' * 32}/{'b' * 31}", f"{'a' * 33}", "localtime", "posixrules", "Factory",
    "posix/Europe/Berlin", "right/UTC", "localtime/x", "a/localtime", "posix",
)  # fmt: skip


def acts() -> Iterator[Record]:
    for act in Act:
        form = FORMS[act]
        fields = {name: VALUES[name] for name in form.needs | form.may if name != "code"}
        code = max(CODES[act]) if act in CODES else None
        yield make_act(act=act, **({"text": None, "code": code} | fields))


def records() -> list[Record]:
    common: dict[str, Any] = {"engagement": ENGAGEMENT, "claimed_at": NOW}
    days = (
        SheetDay(20_000, 5, 0, 0, 0),
        SheetDay(20_001, 0, 0, 0, 7),
        SheetDay(20_003, 1, 2, 3, 4),
    )
    sheet = Timesheet(
        **common, first=20_000, last=20_399, head=digest("head"), days=days, billed_ms=9, amount=8,
        replaces=digest("sheet"),
    )  # fmt: skip
    answers = [
        TimesheetAnswer(**common, timesheet=digest("sheet"), answer=answer, text="why, then?")
        for answer in SheetAnswer
    ]
    placed = [make(place=PLACE) for make in (make_request, make_disclosure, make_finding)]
    filing = make_filing(claim=max(Claim), calendar=CALENDAR, segments=(digest(3), digest(4)))
    shown = HeldAnswer(Held.SHOWN, bytes(16), bytes(256), (bytes(32),) * 20)
    held = make_possession(before=digest("before"), answers=(shown, HeldAnswer(Held.LOST)))
    idle = replace(sheet, last=sheet.first, days=())
    asked = [one for one in acts() if getattr(one, "act", None) is Act.ASK]
    return [*[sheet] * 3, idle, *[held] * 3, *answers, *[filing] * 2, *placed, *acts(), *asked * 4]


def changed(value: Any, dice: random.Random) -> Any:
    """Change one place of a decoded value, any one of them, however deep."""
    if dice.random() < 0.2:
        return _other(value, dice)
    return _changed_at(value, dice.choice(list(_places(value))), dice)


def _places(value: Any, above: tuple[int, ...] = ()) -> Iterator[tuple[int, ...]]:
    yield above
    parts: Any = ()
    if isinstance(value, dict):
        parts = value.items()
    elif isinstance(value, list):
        parts = enumerate(value)
    for key, part in parts:
        yield from _places(part, (*above, key))


def _changed_at(value: Any, place: tuple[int, ...], dice: random.Random) -> Any:
    if not place:
        return _other(value, dice)
    copy = value.copy()
    copy[place[0]] = _changed_at(value[place[0]], place[1:], dice)
    return copy


def _other(value: Any, dice: random.Random) -> Any:
    if isinstance(value, dict):
        key = dice.choice(list(value))
        less = {each: part for each, part in value.items() if each != key}
        return dice.choice((less, value | {dice.randrange(30): value[key]}, 7))
    if isinstance(value, list):
        return dice.choice(([], 7, value[:-1], [*value, *value[:1]], value[::-1], value[:1] * 2))
    if isinstance(value, bytes):
        return dice.choice((value[:-1], value + b"x", dice.randbytes(len(value)), "x", b""))
    if isinstance(value, str):
        return dice.choice((*TEXTS, b"x", 7))
    near = (0, value + 1, value - 1, value + 399, value + 400, "x")
    return dice.choice(dice.choice((NUMBERS, near)))


def is_record(kind: str, payload: bytes) -> bool:
    statement = _Unsigned(kind, engagement_subject(ENGAGEMENT), payload)
    try:
        read_record(statement)  # type: ignore[arg-type]
    except MalformedError:
        return False
    return True


class _Unsigned:
    """Hold what reading a record takes of a statement."""

    def __init__(self, kind: Any, subject: str, payload: bytes) -> None:
        self.kind, self.subject, self.payload = kind, subject, payload


def page_reads(file: Path, rows: list[tuple[str, bytes]]) -> list[bool]:
    subject = engagement_subject(ENGAGEMENT)
    asked = [[kind, subject, payload.hex()] for kind, payload in rows]
    found: list[bool] = page_says("page_records.mjs", file, asked)
    return found


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "verify.html"
    path.write_bytes(offline_page())
    return path


def test_reads_every_record_and_refuses_what_python_refuses(file: Path) -> None:
    dice = random.Random(6)
    rows: list[tuple[str, bytes]] = []
    for record in records():
        payload = encode(record.to_value())
        rows.append((record.KIND, payload))
        for _ in range(CHANGES):
            value = changed(decode(payload), dice)
            try:
                rows.append((record.KIND, encode(value)))
            except (ValueError, TypeError, MalformedError):
                continue
    known = [is_record(kind, payload) for kind, payload in rows]
    told = page_reads(file, rows)
    other = [row for row, one, two in zip(rows, known, told, strict=True) if one != two]
    assert [(kind, decode(payload)) for kind, payload in other] == []
    # Both kinds of outcome, of every kind of statement.
    seen = Counter(zip((kind for kind, _ in rows), known, strict=True))
    assert all(seen[kind, True] > 20 and seen[kind, False] > 20 for kind, _ in rows)


def test_a_segment_is_read_at_once_as_by_the_general_reader(file: Path) -> None:
    frames = tuple(digest(f"frame of display {number}") for number in range(8))
    idle: dict[str, Any] = {"capture": Capture.NONE, "frames": ()}
    segments = (
        make_segment(),
        make_segment(frames=frames),
        make_segment(seq=70_000, verifier_value=None, worked=0, **idle),
        make_segment(state=SegmentState.SEALED, activity=None, **idle),
    )
    told = page_says("page_segments.mjs", file, [encode(one.to_value()).hex() for one in segments])
    assert told["different"] == []
    # Each as it is, and most with one bit turned: digests and values may be any.
    assert told["atOnce"] > 1000 * len(segments)
