"""`workseal declare` and `workseal destroy`: the key of a case, from its first day to its last.

Rules: the key is made when the arbitrator declares, and the declaration names it to everybody; at
the end of retention its file is destroyed before the statement that says so is written, so that the
statement is never untrue. Who lost the seat destroys theirs at once, and the case takes no word
about it. Nothing but a case key is ever destroyed, and only one of the case.
"""

import argparse
import os
import secrets
import stat
import time
from collections.abc import Collection
from pathlib import Path

from workseal_protocol.casefile import Replayed
from workseal_protocol.cli.calendars import CalendarError, holiday_days
from workseal_protocol.cli.cases import replay_files
from workseal_protocol.cli.files import reason_of, require_new, write_new
from workseal_protocol.cli.nextact import place_next
from workseal_protocol.cli.problem import DOES_NOT_HOLD, HOLDS, CommandError
from workseal_protocol.cli.seeds import (
    is_wiped_case_key,
    read_case_key,
    read_signer,
    write_case_key,
)
from workseal_protocol.cli.text import plain
from workseal_protocol.digest import Digest
from workseal_protocol.dispute import Case
from workseal_protocol.keys import Signer
from workseal_protocol.records import Act, CaseCalendar, CasePlace, DisputeAct, read_record
from workseal_protocol.sealing import PRIVATE_BYTES, case_public


def declare(options: argparse.Namespace) -> int:
    """Make the key of a case and sign the declaration that names it."""
    for path in (options.out, options.case_key):
        require_new(path)
    if options.out.absolute() == options.case_key.absolute():
        raise CommandError("the declaration and the case key cannot be one file")
    signer = read_signer(options.key)
    replayed = replay_files(options.terms, options.files).case
    private = secrets.token_bytes(PRIVATE_BYTES)
    record = _act(
        replayed,
        Act.DECLARE,
        text=options.text,
        calendar=_calendar(replayed, options.calendar, options.zone),
        sealing_key=case_public(private),
    )
    statement = place_next(replayed, record, signer)
    # The key first: a declaration whose key was lost would have everything sealed to nobody.
    write_case_key(options.case_key, private)
    write_new(options.out, statement.encode())
    print(f"declaration {statement.digest} in case {replayed.case}")
    print(f"key of the case {key_name(case_public(private))}")
    print(f"keep {plain(str(options.case_key))} secret: it alone opens what is shown in this case")
    return HOLDS


def destroy(options: argparse.Namespace) -> int:
    """Destroy the key of a case, and sign that it is destroyed."""
    require_new(options.out)
    if not options.out.absolute().parent.is_dir():
        # Before the key is gone: what says so must have a place.
        raise CommandError(f"{options.out} cannot be written: there is no such folder")
    signer = read_signer(options.key)
    found = replay_files(options.terms, options.files)
    replayed, own = found.case, _declared(found, signer)
    if own and replayed.parties.persons[signer.public_key.thumbprint] != replayed.arbitrator:
        return _destroy_former(options.case_key, own)
    statement = place_next(replayed, _act(replayed, Act.DESTROY), signer)
    if os.path.lexists(options.case_key):
        require_key_of(replayed, options.case_key)
        wipe(options.case_key)
        print(f"{plain(str(options.case_key))} is destroyed")
    elif not options.gone:
        raise CommandError(
            f"there is no {options.case_key}: say --gone if it is destroyed already", DOES_NOT_HOLD
        )
    write_new(options.out, statement.encode())
    print(f"statement {statement.digest}: what this case had sealed to you is destroyed")
    print("copies are not: remove backups of the key, and every picture that was drawn")
    return HOLDS


def _declared(found: Replayed, signer: Signer) -> frozenset[bytes]:
    """Give the case keys that the signer's person declared, of a seat that they may have lost."""
    persons = found.case.parties.persons
    own = persons.get(signer.public_key.thumbprint)
    records = (
        read_record(one.statement) for one in found.told if persons[one.statement.issuer] == own
    )
    acts = (one for one in records if isinstance(one, DisputeAct))
    return frozenset(one.sealing_key for one in acts if one.sealing_key is not None)


def _destroy_former(path: Path, own: frozenset[bytes]) -> int:
    """Destroy the key of somebody who was replaced or appealed against, at once."""
    if not os.path.lexists(path):
        raise CommandError(f"there is no {path}", DOES_NOT_HOLD)
    _require_key(path, own)
    wipe(path)
    print(f"{plain(str(path))} is destroyed")
    print("you sit in this case no more: it takes no statement of yours, and none is written")
    return HOLDS


def key_name(public: bytes) -> str:
    """Name a case key by the digest of its public half."""
    return str(Digest.of(public))


def _act(replayed: Case, act: Act, **fields: object) -> DisputeAct:
    try:
        return DisputeAct(
            engagement=replayed.filing.engagement,
            claimed_at=time.time_ns() // 1_000_000,
            place=CasePlace(replayed.case, replayed.head),
            act=act,
            **fields,  # type: ignore[arg-type]  # the fields of this act
        )
    except ValueError as error:
        raise CommandError(f"it cannot be signed: {error}") from error


def _calendar(replayed: Case, name: str, zone: str | None) -> CaseCalendar:
    try:
        return holiday_days(name, zone or replayed.terms.zone).announced()
    except CalendarError as error:
        raise CommandError(f"--calendar: {error}") from error


def require_key_of(replayed: Case, path: Path) -> None:
    """Refuse to destroy anything but the key that this case's arbitrator declared."""
    if replayed.sealing_key is None:
        raise CommandError("no key was declared in this case", DOES_NOT_HOLD)
    _require_key(path, {replayed.sealing_key})


def _require_key(path: Path, declared: Collection[bytes]) -> None:
    if not stat.S_ISREG(os.lstat(path).st_mode):
        raise CommandError(f"{path} is no ordinary file: name the key itself")
    if is_wiped_case_key(path):
        # A machine that stopped before the name was gone: nothing is left to compare.
        return
    if case_public(read_case_key(path)) not in declared:
        raise CommandError(f"{path} is not the key that was declared in this case", DOES_NOT_HOLD)


def wipe(path: Path) -> None:
    """Write zeros over a small file, and remove it; both are on disk when this returns."""
    try:
        with path.open("r+b") as file:
            file.write(bytes(os.fstat(file.fileno()).st_size))
            file.flush()
            os.fsync(file.fileno())
        path.unlink()
        folder = os.open(path.absolute().parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        raise CommandError(f"cannot destroy {path}: {reason_of(error)}") from error
