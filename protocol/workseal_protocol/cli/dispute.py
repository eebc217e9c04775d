"""`workseal request`: the arbitrator asks for frames, with a reason, a key and a date."""

import argparse
import secrets
import time
from datetime import UTC, date, tzinfo

from workseal_protocol.bundle import Bundle
from workseal_protocol.cli.files import require_new, write_new
from workseal_protocol.cli.frames import FrameTable
from workseal_protocol.cli.inputs import read_bundle, zone_named
from workseal_protocol.cli.problem import HOLDS, CommandError
from workseal_protocol.cli.seeds import read_signer, write_case_key
from workseal_protocol.cli.text import count, plain
from workseal_protocol.cli.workdays import end_of_day, last_day
from workseal_protocol.errors import MalformedError
from workseal_protocol.records import (
    Acceptance,
    DisputeRequest,
    Record,
    RequestedFrame,
    read_record,
    sign,
)
from workseal_protocol.sealing import PRIVATE_BYTES, case_public
from workseal_protocol.terms import Terms


def request(options: argparse.Namespace) -> int:
    """Make the key of this case and sign the request for frames."""
    for path in (options.out, options.case_key):
        require_new(path)
    if options.out.absolute() == options.case_key.absolute():
        raise CommandError("the request and the case key cannot be one file")
    signer = read_signer(options.key)
    bundle = read_bundle(options.bundle)
    records = _records(bundle)
    acceptance = _acceptance(records)
    if signer.public_key not in acceptance.terms.arbitrators:
        raise CommandError("the terms of this bundle do not name this key as an arbitrator")
    table = FrameTable(zip(bundle.contents.statements, records, strict=True))
    frames = table.named(options.frame)
    now = time.time_ns() // 1_000_000
    day, zone = _last_day(options.answer_by, acceptance.terms, now)
    private = secrets.token_bytes(PRIVATE_BYTES)
    try:
        asked = DisputeRequest(
            engagement=acceptance.engagement,
            claimed_at=now,
            frames=tuple(RequestedFrame(one.segment, one.commitment) for one in frames),
            reason=options.reason,
            sealing_key=case_public(private),
            answer_by=end_of_day(day, zone),
        )
    except ValueError as error:
        raise CommandError(f"the request cannot be made: {error}") from error
    statement = sign(asked, signer)
    # The key first: a request whose key was lost would ask for what nobody can open.
    write_case_key(options.case_key, private)
    write_new(options.out, statement.encode())
    print(f"request {statement.digest} for {count(len(frames), 'frame')}, answer until {day}")
    print(f"keep {plain(str(options.case_key))} secret: it alone opens the answer")
    return HOLDS


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
        day = date.fromisoformat(given)
    except ValueError as error:
        raise CommandError(f"--answer-by is not a day: {given[:40]}") from error
    if day < least:
        raise CommandError(f"the terms give the freelancer until {least} at least")
    if day.year == date.max.year:
        raise CommandError(f"--answer-by lies too far ahead: {given[:40]}")
    return day, zone
