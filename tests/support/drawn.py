"""Engagements drawn by dice, and ways to spoil their bundles: what two verifiers are compared on.

Everything follows from a number. A drawn story keeps the rules unless it is told with a twist; a
spoiled bundle is any bytes at all, mostly with every checksum and signature made anew, so that what
was changed is what a verifier meets.
"""

import base64
import dataclasses
import random
import re
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, time, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from support.acting import ScriptedAgent
from support.scripted import Story, finish
from support.simulator import DAY_MS, People, Simulator
from workseal_protocol.bundle import Bundle, read_archive, write_archive
from workseal_protocol.cose import sig_structure
from workseal_protocol.digest import Digest
from workseal_protocol.errors import VerificationError
from workseal_protocol.keys import SeedSigner
from workseal_protocol.policy import TrustPolicy
from workseal_protocol.records import (
    BundleManifest,
    DeclarationForm,
    ManifestEntry,
    Record,
    SegmentState,
    SheetAnswer,
    Timesheet,
    TimesheetAnswer,
    encode_item,
    sign,
)
from workseal_protocol.records.evidence import FileDigest, GitCommit, Label, Text
from workseal_protocol.statement import Kind, Statement, sign_statement
from workseal_protocol.terms import Granularity, Level, RoundingMode, WorkClass

# Clocks change in all of them but the last: also at midnight, by half an hour, and on a Friday.
ZONES = (
    "Europe/Berlin", "America/New_York", "America/Sao_Paulo", "Australia/Lord_Howe", "Africa/Cairo",
    "America/Havana", "Asia/Beirut", "Pacific/Apia", "America/St_Johns", "Asia/Tehran", "UTC",
)  # fmt: skip
# A day around which each one's clocks change; for UTC, any.
_CHANGES = dict(
    zip(
        ZONES,
        ("2026-03-29", "2026-11-01", "2018-11-04", "2026-04-05", "2026-04-24", "2026-03-08",
         "2026-03-29", "2011-12-30", "2008-11-02", "2021-03-22", "2026-06-15"),
        strict=True,
    )
)  # fmt: skip
HOUR_MS = 3_600_000
# Days on which clocks change somewhere in that list, and others.
DAYS = (
    "2026-03-29", "2026-10-25", "2026-03-08", "2026-11-01", "2018-11-04", "2019-02-16",
    "2026-04-04", "2026-10-03", "2026-04-23", "2026-10-29", "2011-12-29", "2008-11-01",
    "2021-03-21", "2026-06-15", "2026-12-31",
)  # fmt: skip
Twist = Callable[[Record, SeedSigner], tuple[Record, SeedSigner]]


def drawn_story(number: int, *, twisted: bool = False) -> Story:
    """Tell the engagement of a number; `twisted` lets one record be false."""
    dice = random.Random(number)
    twist = _one_twist(dice) if twisted else None
    round_ms = dice.choice((7_001, 10_000, 30_000, 60_000))
    start = _instant(dice.choice(DAYS)) + dice.randrange(-6, 30) * HOUR_MS + dice.randrange(HOUR_MS)
    verifier = Simulator(
        dice.randbytes(8),
        now=start - dice.choice((HOUR_MS, 3 * DAY_MS)),
        round_ms=round_ms,
        witnesses=dice.choice((0, 1, 1, 2, 3)),
        careless=twisted,
    )
    verifier.publish_rules(Digest.of(b"page") if number % 2 else None)
    verifier.start_beacon(start // round_ms - 5, 80 * HOUR_MS // round_ms)
    verifier.others(dice.randrange(6))
    agent = ScriptedAgent(verifier, terms=_terms(verifier, dice, round_ms), twist=twist)
    verifier.now = max(start, verifier.now + 1)
    _work(verifier, agent, dice, random.Random(f"sheets of {number}"))
    disclosures: tuple[Any, ...] = ()
    if agent.frames and dice.random() < 0.6:
        tiles = tuple(sorted(dice.sample(range(agent.frames[0].tree.header.grid.count), 1)))
        request = agent.request(agent.frames[:1])
        verifier.now += dice.randrange(HOUR_MS)
        disclosures = agent.answer(request, agent.frames[:1], tiles)
    verifier.now += dice.randrange(60_000)
    verifier.others(dice.randrange(3))
    contents, tsa = finish(verifier, agent, disclosures)
    # Of every other one all that is private, so that activity and labels are told.
    openings = (*contents.openings, *(agent.openings if number % 2 else ()))
    opened = {(one.statement, one.kind): one for one in openings}
    contents = dataclasses.replace(contents, openings=tuple(opened.values()))
    if start < _instant("2020-01-01"):  # the authority's certificate begins then
        contents = dataclasses.replace(contents, token=None, timestamps=(), tsa_ca=None)
        return _Unstamped(verifier, agent, contents, tsa)
    return Story(verifier, agent, contents, tsa)


def summed_up(number: int, count: int) -> Story:
    """Tell an engagement with many timesheets and answers, most of them changed in one field."""
    dice = random.Random(f"summed up {number}")

    def twist(record: Record, signer: SeedSigner) -> tuple[Record, SeedSigner]:
        if not isinstance(record, Timesheet | TimesheetAnswer) or dice.random() < 0.3:
            return record, signer
        for _ in range(8):
            with suppress(ValueError, TypeError, AttributeError):
                changed = _changed(record, dice)
                changed.to_value()
                # Another engagement fails at step 6, before there is anything to sum up.
                if getattr(changed, "engagement", None) == record.engagement:
                    return changed, signer
        return record, signer

    start = _instant(dice.choice(DAYS[:2])) + dice.randrange(DAY_MS)
    verifier = Simulator(dice.randbytes(8), now=start - HOUR_MS, round_ms=30_000)
    verifier.publish_rules()
    verifier.start_beacon(start // 30_000 - 5, 80 * HOUR_MS // 30_000)
    agent = ScriptedAgent(verifier, terms=_terms(verifier, dice, 30_000), twist=twist)
    verifier.now = start
    _work(verifier, agent, dice, dice)
    agent.online = True
    for _ in range(count):
        _sum_up(verifier, agent, dice)
    return Story(verifier, agent, *finish(verifier, agent, ()))


def month(zone: str) -> Story:
    """Tell a month around the change of a zone's clocks: nights, pauses, withdrawals."""
    dice = random.Random(zone)
    round_ms = 300_000
    start = _instant(_CHANGES[zone]) - 15 * DAY_MS
    verifier = Simulator(zone.encode(), now=start - 2 * DAY_MS, round_ms=round_ms)
    verifier.publish_rules()
    verifier.start_beacon((start - DAY_MS) // round_ms, 35 * DAY_MS // round_ms)
    terms = verifier.terms(zone=zone, capture_rate=6_000, rounding_ms=900_000)
    agent = ScriptedAgent(verifier, terms=terms)
    for day in range(31):
        # Each night's work goes over midnight, however the zone tells it.
        midnight = _midnight(zone, start + day * DAY_MS)
        for after in (-dice.randrange(1_800_000, HOUR_MS), 9 * HOUR_MS + dice.randrange(HOUR_MS)):
            verifier.now = midnight + after
            if after < 0 and 14 <= day <= 16:
                # One span that a midnight cuts: a segment ends with its round.
                begin = verifier.now
                verifier.now += 2 * HOUR_MS
                agent.declare(DeclarationForm.LATE, begin, verifier.now, 2 * HOUR_MS - 7)
                continue
            agent.open_session(rounds=80)
            for _ in range(3):
                agent.work(dice.randrange(1_500_000, HOUR_MS))
                agent.pause(dice.randrange(4_000, 900_000))
            agent.send()
            agent.close_session()
        if agent.frames and day % 4 == 0:
            agent.withdraw(agent.frames[-1])
        if day % 6 == 0:
            begin = verifier.now
            verifier.now += 2 * HOUR_MS
            worked = dice.randrange(2 * HOUR_MS)
            agent.declare(DeclarationForm.LATE, begin, verifier.now, worked)
        if day % 3 == 1:
            # Labels end somewhere in a segment, and overlap with the ones before.
            since = verifier.now - 50 * HOUR_MS
            label = Label(f"project {day % 2}", ("a", f"b{day % 4}"), since, verifier.now - HOUR_MS)
            agent.prove(encode_item(label))
        if day in (9, 20, 29):
            last = datetime.fromtimestamp(verifier.now / 1000, tz=ZoneInfo(zone)).date()
            agent.sum_up(last - timedelta(days=8), last)
    contents, tsa = finish(verifier, agent, ())
    contents = dataclasses.replace(
        contents, openings=tuple(agent.openings), token=None, timestamps=(), tsa_ca=None
    )
    return _Unstamped(verifier, agent, contents, tsa)


class _Unstamped(Story):
    """Hold a story of years for which there is no time-stamp authority."""

    @property
    def policy(self) -> TrustPolicy:
        return self.verifier.trust()


def _midnight(zone: str, instant: int) -> int:
    name = ZoneInfo(zone)
    day = datetime.fromtimestamp(instant / 1000, tz=name).date()
    return int(datetime.combine(day, time(), tzinfo=name).timestamp()) * 1000


def _instant(day: str) -> int:
    return int(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp()) * 1000


def _terms(verifier: Simulator, dice: random.Random, round_ms: int) -> Any:
    level = dice.choice((*Level, Level.FRAMES))
    return verifier.terms(
        round_ms=round_ms,
        level=level,
        capture_rate=dice.choice((0, 9_000, 30_000, 65_536)) if level is Level.FRAMES else 0,
        tile=dice.choice((16, 32)),
        zone=dice.choice(ZONES),
        currency=dice.choice(("EUR", "JPY", "KWD", "CLF")),
        rounding_ms=dice.choice((0, 60_000, 900_000, 1_234)),
        rounding_mode=dice.choice(tuple(RoundingMode)),
        rate_minor_per_hour=dice.choice((0, 6_500, 999_999_937)),
        weekly_cap_ms=dice.choice((0, 60_000, 36_000_000)),
        max_offline_ms_per_week=dice.choice((0, 36_000_000)),
        max_withdrawn_percent=dice.choice((0, 10, 100)),
        granularity=dice.choice(tuple(Granularity)),
        worth_percent={each: dice.randrange(101) for each in WorkClass},
    )


def _work(
    verifier: Simulator, agent: ScriptedAgent, dice: random.Random, sheets: random.Random
) -> None:
    for _ in range(dice.randrange(1, 4)):
        agent.open_session(rounds=2 * HOUR_MS // verifier.round_ms + 2)
        for _ in range(dice.randrange(1, 7)):
            _stretch(verifier, agent, dice)
            # Offline, a timesheet is logged before the statement that it counts up to.
            if sheets.random() < 0.2:
                _sum_up(verifier, agent, sheets)
        agent.online = True
        agent.send()
        _sum_up(verifier, agent, sheets)
        if dice.random() < 0.9:
            agent.close_session()
        else:
            return
        _between(verifier, agent, dice)


def _stretch(verifier: Simulator, agent: ScriptedAgent, dice: random.Random) -> None:
    state = dice.choice(
        (SegmentState.WORKING,) * 4 + (SegmentState.OFF_SCREEN, SegmentState.SEALED)
    )
    agent.online = dice.random() < 0.85
    agent.miss_next = dice.random() < 0.1
    begin = verifier.now
    agent.work(dice.randrange(1, 4 * verifier.round_ms), state)
    if dice.random() < 0.6:
        agent.send()
    if state is SegmentState.OFF_SCREEN and dice.random() < 0.7:
        worked = dice.randrange(verifier.now - begin + 1)
        agent.declare(DeclarationForm.LIVE, begin, verifier.now, worked)
    agent.pause(dice.choice((0, 1, 900, 4_999, 30_000, 600_000)))


def _between(verifier: Simulator, agent: ScriptedAgent, dice: random.Random) -> None:
    if agent.frames and dice.random() < 0.4:
        agent.withdraw(dice.choice(agent.frames))
    if dice.random() < 0.3:
        agent.prove(encode_item(_item(verifier, dice)))
    if dice.random() < 0.4:
        end = verifier.now + dice.randrange(1_000, 8 * HOUR_MS)
        begin = dice.randrange(verifier.now, end)
        verifier.now = end + dice.randrange(HOUR_MS)
        agent.declare(DeclarationForm.LATE, begin, end, dice.randrange(end - begin + 1))
    verifier.now += dice.randrange(9 * HOUR_MS)


def _sum_up(verifier: Simulator, agent: ScriptedAgent, dice: random.Random) -> None:
    """Sum up some days, truly or not, and let the client answer any of the timesheets so far."""
    told = [statement for statement, _ in agent.made]
    zone = ZoneInfo(agent.terms.zone)
    today = datetime.fromtimestamp(verifier.now / 1000, tz=zone).date()
    first = today - timedelta(days=dice.randrange(3))
    last = first + timedelta(days=dice.choice((0, 1, 2, 2, 399)))
    changes: dict[str, Any] = dice.choice(
        (
            {}, {}, {}, {}, {"amount": dice.randrange(9)}, {"billed_ms": dice.randrange(9)},
            {"days": ()}, {"head": dice.choice(told).digest}, {"head": Digest(dice.randbytes(32))},
        )
    )  # fmt: skip
    sheets = [statement for statement, record in agent.made if isinstance(record, Timesheet)]
    replaces = dice.choice(dice.choice((sheets or told, told))).digest
    agent.sum_up(first, last, replaces=dice.choice((None, replaces)), **changes)
    for _ in range(dice.randrange(3)):
        sheets = [statement for statement, record in agent.made if isinstance(record, Timesheet)]
        about = dice.choice((*sheets, dice.choice(told)))
        agent.reply(
            about, dice.choice(tuple(SheetAnswer)), dice.choice(("why?", "na\u00efve \u202e"))
        )


def _item(verifier: Simulator, dice: random.Random) -> Any:
    name = dice.choice(("entwurf.pdf", "naïve \u202e name", "x" * 200))
    return dice.choice(
        (
            GitCommit(name, dice.randbytes(20), verifier.now),
            FileDigest(name, Digest(dice.randbytes(32)), dice.randrange(10**9)),
            Text(name + "\n" + name),
            Label(name, ("a", "b"), verifier.now - 5, verifier.now),
            Label(name, ("b", name), verifier.now - dice.randrange(1, 5 * HOUR_MS), verifier.now),
            Label("z", (), verifier.now - HOUR_MS, verifier.now + dice.randrange(9 * HOUR_MS)),
        )
    )


def _one_twist(dice: random.Random) -> Twist:
    at = dice.randrange(1, 40)
    count = 0

    def twist(record: Record, signer: SeedSigner) -> tuple[Record, SeedSigner]:
        nonlocal count
        count += 1
        if count < at or getattr(record, "terms", None) is not None:
            return record, signer
        for _ in range(8):
            try:
                changed = _changed(record, dice)
            except (ValueError, TypeError):
                continue
            count = -(10**9)
            return changed, signer
        return record, signer

    return twist


def _changed(record: Record, dice: random.Random) -> Record:
    """Change one field of a record, or raise because no record can be like that."""
    field = dice.choice(dataclasses.fields(record)).name
    return dataclasses.replace(record, **{field: _other(getattr(record, field), dice)})


def _other(value: Any, dice: random.Random) -> Any:
    if isinstance(value, Digest):
        return Digest(dice.randbytes(32))
    if isinstance(value, bytes):
        return dice.randbytes(len(value))
    if isinstance(value, int):
        step = dice.choice((1, -1, 5_001, -5_001, 60_001, 10_000, -10_000, 2**40, DAY_MS))
        return type(value)(value + step)
    if value is None:
        return dice.choice((dice.randbytes(32), Digest(dice.randbytes(32))))
    if dataclasses.is_dataclass(value):
        return _changed(value, dice)  # type: ignore[arg-type]
    if isinstance(value, tuple) and value:
        return _other_tuple(value, dice)
    raise TypeError("no other value of this kind")


def _other_tuple(value: tuple[Any, ...], dice: random.Random) -> tuple[Any, ...]:
    if dataclasses.is_dataclass(value[0]) and dice.random() < 0.5:
        return (_changed(value[0], dice), *value[1:])  # type: ignore[arg-type]
    return value[:-1]


# --- spoiling a bundle ---


@lru_cache(maxsize=2)
def _parsed(data: bytes) -> Bundle:
    """Read a bundle once that is spoiled in many ways."""
    return Bundle.parse(data)


def spoiled(data: bytes, people: People, dice: random.Random) -> bytes:
    """Change something about a bundle."""
    way = dice.choice((_cut, _flipped, _entry, _entry, _resealed, _resealed, _resealed, _payload))
    return way(data, people, dice)


def spoiled_policy(text: str, dice: random.Random) -> bytes:
    """Change something about a policy file."""
    lines = text.splitlines(keepends=True)
    way = dice.randrange(4)
    at = dice.randrange(len(lines))
    if way == 0:
        del lines[at]
    elif way == 1:
        lines.insert(at, dice.choice(lines))
    elif way == 2:
        lines[at] = lines[at].replace(" ", dice.choice(("  ", "\t", " # ")), 1)
    else:
        raw = bytearray("".join(lines).encode())
        raw[dice.randrange(len(raw))] ^= 1 << dice.randrange(8)
        return bytes(raw)
    return "".join(lines).encode()


def spoiled_stamps(
    data: bytes, text: str, people: People, dice: random.Random
) -> tuple[bytes, bytes]:
    """Change a token, a certificate beside it, or the policy's root: DER, at any place of it."""
    entries = dict(read_archive(data))
    way = dice.randrange(4)
    if way == 0:
        entries["checkpoint.tsr"] = _bytes_changed(entries["checkpoint.tsr"], dice)
    elif way == 1:
        *_, body, _ = re.split(rb"-----[A-Z ]+-----\n", entries["tsa-ca.pem"])
        changed = base64.b64encode(_bytes_changed(base64.b64decode(body), dice))
        lines = (changed[at : at + 64] + b"\n" for at in range(0, len(changed), 64))
        entries["tsa-ca.pem"] = entries["tsa-ca.pem"].replace(body, b"".join(lines))
    else:
        root = re.findall(r"tsa (\S+)", text)[0]
        changed = base64.b64encode(_bytes_changed(base64.b64decode(root), dice))
        text = text.replace(root, changed.decode())
        if way == 2:
            del entries["tsa-ca.pem"]
    return _sealed(data, entries, people), text.encode()


def _bytes_changed(data: bytes, dice: random.Random) -> bytes:
    changed = bytearray(data)
    if not changed:
        return dice.randbytes(1)
    at = dice.randrange(len(changed))
    way = dice.randrange(6)
    if way == 0:
        del changed[at]
    elif way == 1:
        changed.insert(at, dice.randrange(256))
    elif way == 2:
        del changed[at:]
    else:
        changed[at] ^= dice.randrange(1, 256)
    return bytes(changed)


def _cut(data: bytes, _: People, dice: random.Random) -> bytes:
    return data[: dice.randrange(len(data))]


def _flipped(data: bytes, _: People, dice: random.Random) -> bytes:
    return _bytes_changed(data, dice)


def _entry(data: bytes, _: People, dice: random.Random) -> bytes:
    entries = list(read_archive(data))
    at = dice.randrange(len(entries))
    entries[at] = (entries[at][0], _bytes_changed(entries[at][1], dice))
    return write_archive(entries)


def _resealed(data: bytes, people: People, dice: random.Random) -> bytes:
    """Change entries and sign their list anew."""
    entries = dict(read_archive(data))
    names = [name for name in entries if name != "manifest.cose"]
    name = dice.choice(names)
    if dice.random() < 0.12 and name not in ("README.txt", "statements.cbor"):
        del entries[name]
    else:
        entries[name] = _bytes_changed(entries[name], dice)
    return _sealed(data, entries, people)


def _payload(data: bytes, people: People, dice: random.Random) -> bytes:
    """Change the payload of a statement, and sign statement and list anew."""
    statements = list(_parsed(data).contents.statements)
    return _payload_at(data, statements, dice.randrange(len(statements)), people, dice)


def spoiled_sheet(data: bytes, people: People, dice: random.Random) -> bytes:
    """Change the payload of a timesheet or an answer, and sign it and the list anew."""
    statements = list(_parsed(data).contents.statements)
    kinds = (Kind.TIMESHEET, Kind.TIMESHEET_ANSWER)
    places = [place for place, one in enumerate(statements) if one.kind in kinds]
    return _payload_at(data, statements, dice.choice(places), people, dice)


def _payload_at(
    data: bytes, statements: list[Statement], at: int, people: People, dice: random.Random
) -> bytes:
    signers = {one.public_key.thumbprint: one for keys in people.keys().values() for one in keys}
    old = statements[at]
    payload = _bytes_changed(old.payload, dice)
    signer = signers[old.issuer]
    made = sign_statement(old.kind, old.subject, {}, signer)
    fresh = dataclasses.replace(made, payload=payload)
    signature = signer.sign(_signed_bytes(fresh))
    parts = [one.encode() for one in statements]
    parts[at] = dataclasses.replace(fresh, signature=signature).encode()
    entries = dict(read_archive(data))
    entries["statements.cbor"] = b"".join(parts)
    return _sealed(data, entries, people)


def _signed_bytes(statement: Statement) -> bytes:
    return sig_structure(statement._protected, statement.payload)


def _sealed(data: bytes, entries: dict[str, bytes], people: People) -> bytes:
    engagement = _parsed(data).manifest_record().engagement
    listed = tuple(
        ManifestEntry(name, Digest.of(content), len(content))
        for name, content in entries.items()
        if name != "manifest.cose"
    )
    record = BundleManifest(engagement=engagement, claimed_at=1, entries=listed)
    entries["manifest.cose"] = sign(record, people.freelancer).encode()
    return write_archive(entries.items())


def drawn(number: int, *, twisted: bool = False) -> tuple[Story, bytes]:
    """Tell a story and seal it; a twist that the teller trips over is drawn again."""
    for attempt in range(20):
        try:
            story = drawn_story(number + attempt * 1_000_003, twisted=twisted)
            return story, story.bundle().encode()
        except (
            ValueError,
            VerificationError,
            KeyError,
            IndexError,
            OverflowError,
            TypeError,
            AttributeError,
        ):
            if not twisted:
                raise
    raise ValueError("every attempt was tripped over")
