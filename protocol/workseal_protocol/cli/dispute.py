"""`workseal request`: the arbitrator asks for frames, with a reason, a key and a date."""

import argparse
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, date, tzinfo
from functools import partial
from typing import Final

from workseal_protocol.bundle import Bundle
from workseal_protocol.casefile import Speakers
from workseal_protocol.cli.cases import replay_files
from workseal_protocol.cli.files import require_new, write_new
from workseal_protocol.cli.frames import FrameTable, PlacedFrame
from workseal_protocol.cli.inputs import read_bundle, zone_named
from workseal_protocol.cli.nextact import place_next
from workseal_protocol.cli.problem import DOES_NOT_HOLD, HOLDS, CommandError
from workseal_protocol.cli.seeds import read_case_key, read_signer, write_case_key
from workseal_protocol.cli.text import count, plain
from workseal_protocol.cli.workdays import end_of_day, last_day
from workseal_protocol.errors import MalformedError, VerificationError
from workseal_protocol.keys import Role, Signer
from workseal_protocol.merkle import MAX_SIZE
from workseal_protocol.records import (
    Acceptance,
    CasePlace,
    DisputeRequest,
    Record,
    RequestedFrame,
    read_record,
    sign,
)
from workseal_protocol.sealing import PRIVATE_BYTES, case_public
from workseal_protocol.statement import Kind
from workseal_protocol.terms import Terms
from workseal_protocol.timesheets import day_written

DAY_MS: Final = 86_400_000


def request(options: argparse.Namespace) -> int:
    """Sign the request for frames: with a key of its own, or in a case with the case's key."""
    require_new(options.out)
    if options.case is None:
        require_new(options.case_key)
    if options.out.absolute() == options.case_key.absolute():
        raise CommandError("the request and the case key cannot be one file")
    signer = read_signer(options.key)
    bundle = read_bundle(options.bundle)
    records = _records(bundle)
    acceptance = _acceptance(records)
    if options.case is None:
        _require_arbitrator(acceptance.terms, bundle, signer)
    table = FrameTable(zip(bundle.contents.statements, records, strict=True))
    frames = table.named(options.frame)
    now = time.time_ns() // 1_000_000
    asked = partial(_asked, acceptance, frames, options.reason, now)
    if options.case is not None:
        return _ask_in_case(options, asked, signer)
    day, zone = _last_day(options.answer_by, acceptance.terms, now)
    private = secrets.token_bytes(PRIVATE_BYTES)
    statement = sign(asked(case_public(private), end_of_day(day, zone)), signer)
    # The key first: a request whose key was lost would ask for what nobody can open.
    write_case_key(options.case_key, private)
    write_new(options.out, statement.encode())
    print(f"request {statement.digest} for {count(len(frames), 'frame')}, answer until {day}")
    print(f"keep {plain(str(options.case_key))} secret: it alone opens the answer")
    return HOLDS


def _require_arbitrator(terms: Terms, bundle: Bundle, signer: Signer) -> None:
    """Refuse whoever is no arbitrator of the terms by now; in a case, the case itself does."""
    rotations = [one for one in bundle.contents.statements if one.kind is Kind.KEY_ROTATE]
    try:
        history = Speakers.of_files(terms, rotations).history
    except VerificationError as error:
        raise CommandError(
            f"the keys of this bundle do not hold: {error}", DOES_NOT_HOLD
        ) from error
    if Role.ARBITRATOR not in history.roles_of(signer.public_key.thumbprint, MAX_SIZE):
        raise CommandError("the terms of this bundle do not name this key as an arbitrator")


def _ask_in_case(
    options: argparse.Namespace, asked: Callable[[bytes, int], DisputeRequest], signer: Signer
) -> int:
    """Sign the next statement of a case; its deadline is the case's, and so is its key."""
    if options.answer_by is not None:
        raise CommandError("in a case the answer is due by the case's own deadline: no --answer-by")
    replayed = replay_files(options.bundle, options.case).case
    public = case_public(read_case_key(options.case_key))
    if public != replayed.sealing_key:
        message = f"{options.case_key} is not the key that was declared in this case"
        raise CommandError(message, DOES_NOT_HOLD)
    # Replaced by the deadline as soon as that is counted.
    record = asked(public, time.time_ns() // 1_000_000 + DAY_MS)
    record = replace(record, place=CasePlace(replayed.case, replayed.head))
    statement = place_next(replayed, record, signer)
    write_new(options.out, statement.encode())
    frames = count(len(record.frames), "frame")
    print(f"request {statement.digest} for {frames}, in case {replayed.case}")
    return HOLDS


def _asked(
    acceptance: Acceptance,
    frames: Sequence[PlacedFrame],
    reason: str,
    now: int,
    public: bytes,
    answer_by: int,
) -> DisputeRequest:
    try:
        return DisputeRequest(
            engagement=acceptance.engagement,
            claimed_at=now,
            frames=tuple(RequestedFrame(one.segment, one.commitment) for one in frames),
            reason=reason,
            sealing_key=public,
            answer_by=answer_by,
        )
    except ValueError as error:
        raise CommandError(f"the request cannot be made: {error}") from error


def _records(bundle: Bundle) -> tuple[Record, ...]:
    try:
        return tuple(read_record(statement) for statement in bundle.contents.statements)
    except MalformedError as error:
        raise CommandError(f"a statement of the bundle is malformed: {error}") from error


def _acceptance(records: tuple[Record, ...]) -> Acceptance:
    found = [record for record in records if isinstance(record, Acceptance)]
    if len(found) != 1:
        raise CommandError(f"expected one acceptance in the bundle, found {len(found)}")
    return found[0]


def _last_day(given: str | None, terms: Terms, now: int) -> tuple[date, tzinfo]:
    zone = zone_named(terms.zone) or UTC
    least = last_day(now, terms.answer_days, zone)
    if given is None:
        print(
            f"answer: {count(terms.answer_days, 'working day')} of the terms, Monday to Friday;"
            " public holidays are not known here, --answer-by allows for them"
        )
        return least, zone
    try:
        day = day_written(given)
    except ValueError as error:
        raise CommandError(
            f"--answer-by: a day is written 2026-11-23, found {given[:40]}"
        ) from error
    if day < least:
        raise CommandError(f"the terms give the freelancer until {least} at least")
    if day.year == date.max.year:
        raise CommandError(f"--answer-by lies too far ahead: {given[:40]}")
    return day, zone
