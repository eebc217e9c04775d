"""`workseal open`: the arbitrator unseals a disclosure and checks it against the commitments.

Rules: the bundle must hold under the arbitrator's own policy, and request and disclosure must be
signed by the parties that it names. Only tiles that verified are drawn; which ones are hidden
stands in words beside each picture, because a screen can show any picture, our pattern too. What is
drawn is marked for the arbitrator who asked.
"""

import argparse
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from workseal_protocol.cli.files import fill_folder, read_bytes, require_empty_folder
from workseal_protocol.cli.finding import findings_of, require_finding_options, sign_finding
from workseal_protocol.cli.frames import FrameTable, PlacedFrame
from workseal_protocol.cli.inputs import read_bundle_bytes, read_policy, read_statement
from workseal_protocol.cli.openedframe import OpenedFrame, line_alone, parts_of, shown_of
from workseal_protocol.cli.problem import DOES_NOT_HOLD, HOLDS, CommandError
from workseal_protocol.cli.seeds import read_case_key
from workseal_protocol.cli.shownshare import (
    level_asked,
    share_lines,
    statements_at_hand,
)
from workseal_protocol.cli.text import count, plain
from workseal_protocol.cli.verification import examine_for_user
from workseal_protocol.digest import Digest
from workseal_protocol.disclosure import Disclosure, VerifiedTiles, verify_disclosure
from workseal_protocol.errors import MalformedError, VerificationError
from workseal_protocol.merkle import MAX_SIZE
from workseal_protocol.records import (
    Act,
    CasePlace,
    DisputeAct,
    DisputeDisclosure,
    DisputeRequest,
    read_record,
)
from workseal_protocol.sealing import MAX_SEALED_BYTES, case_public
from workseal_protocol.sealing import open_package as unseal
from workseal_protocol.statement import Statement
from workseal_protocol.terms import Terms
from workseal_protocol.verify import Report, check_frame_header
from workseal_protocol.watermark import STRENGTH, mark_for

# A working day has breaks: whoever goes on after one opens the package again.
MOST_MINUTES: Final = 240


def open_package(options: argparse.Namespace) -> int:
    """Unseal a package, check everything in it, and draw what verified."""
    if not 1 <= options.minutes <= MOST_MINUTES:
        raise CommandError(f"expected 1 to {MOST_MINUTES} minutes, found {options.minutes}")
    if options.out:
        require_empty_folder(options.out)
    require_finding_options(options)
    private = read_case_key(options.case_key)
    report = _bundle_that_holds(options)
    asked, by = _read_request(options, report, private)
    request, mark = by.digest, mark_for(by.issuer, by.digest)
    sealed = read_bytes(options.sealed, limit=MAX_SEALED_BYTES, what="sealed package")
    at_hand = tuple(statements_at_hand(asked, report, options.bundle, options.case))
    level = level_asked(by, asked, at_hand)
    try:
        items = _unsealed(private, request, sealed, asked)
        said = [record for _, record in at_hand]
        statement, answer = read_answer(items[0], report, asked, request, said)
        checker = _checker(statement, asked, report)
        if options.finding is not None:
            findings = findings_of(items[1:], answer, checker.check)
            sign_finding(options, report, (statement, answer), findings)
        frames = _open_frames(items[1:], answer, checker)
        draw = parts_of if options.out else shown_of if options.view else line_alone
        opened = tuple(draw(*one, mark) for one in frames)
    except MalformedError as error:
        raise CommandError(f"what was sealed is malformed: {error}") from error
    except VerificationError as error:
        raise CommandError(f"the disclosure does not hold: {error}", DOES_NOT_HOLD) from error
    shares = share_lines(asked, level, (one.share for one in opened))
    lines = [plain(line) for line in _lines(opened, shares, asked, statement, report)]
    for line in lines:
        print(line)
    if options.view:
        _view(opened, lines[len(opened) :], options.minutes)
    if options.out:
        parts = dict(part for one in opened for part in one.parts)
        fill_folder(options.out, parts)
        print(f"{count(len(opened), 'picture')} in {plain(str(options.out))}")
        print(
            f"each is marked for {by.issuer}: {str(mark)[:8]} can be read in it, and a pattern"
            f" moves all pixels by up to {2 * STRENGTH} levels; what verified are those before it"
        )
    return HOLDS


def _unsealed(
    private: bytes, request: Digest, sealed: bytes, asked: DisputeRequest
) -> tuple[bytes, ...]:
    try:
        return unseal(private, request, sealed)
    except (MalformedError, VerificationError) as error:
        if asked.place is None:
            raise
        # There is no finding of it: the case can still know.
        raise type(error)(f"{error}; 'workseal case act unreadable' says so in the case") from error


def _bundle_that_holds(options: argparse.Namespace) -> Report:
    policy = read_policy(options.policy)
    report, _ = examine_for_user(read_bundle_bytes(options.bundle), policy)
    if report.malformed:
        raise CommandError(f"the bundle {options.bundle} is malformed: {report.steps[0].why}")
    problem = report.first_problem
    if problem is not None:
        message = (
            f"the bundle does not hold: step {problem.number} {problem.outcome}: {problem.why}"
        )
        raise CommandError(message, DOES_NOT_HOLD)
    return report


def _read_request(
    options: argparse.Namespace, report: Report, private: bytes
) -> tuple[DisputeRequest, Statement]:
    statement = read_statement(options.request, "request")
    try:
        record = read_record(statement)
    except MalformedError as error:
        raise CommandError(f"the request {options.request} is malformed: {error}") from error
    if not isinstance(record, DisputeRequest):
        raise CommandError(f"{options.request} is a statement of kind {statement.kind}")
    try:
        _check_signed(statement, report)
    except VerificationError as error:
        message = f"the request is not signed by an arbitrator of the terms: {error}"
        raise CommandError(message, DOES_NOT_HOLD) from error
    if record.engagement != report.engagement:
        raise CommandError("the request is about another engagement", DOES_NOT_HOLD)
    if case_public(private) != record.sealing_key:
        raise CommandError(f"the case key {options.case_key} is not the one of this request")
    return record, statement


def read_answer(
    data: bytes,
    report: Report,
    asked: DisputeRequest,
    request: Digest,
    at_hand: Iterable[object] = (),
) -> tuple[Statement, DisputeDisclosure]:
    """Read the statement of a package: who signed it, what it answers, and that it still may be.

    `at_hand` are records of its case that the bundle may not have yet.

    Raises `MalformedError` or `VerificationError`.
    """
    statement = Statement.parse(data)
    record = read_record(statement)
    if not isinstance(record, DisputeDisclosure):
        raise MalformedError(f"expected a dispute.disclosure first, found {statement.kind}")
    if report.engagement != record.engagement:
        raise VerificationError("it is about another engagement")
    _check_signed(statement, report)
    if record.request != request:
        raise VerificationError("it answers another request")
    told = (*(entry.record for entry in report.entries), *at_hand)
    _require_not_ended(statement, (record.place, asked.place), told)
    return statement, record


def _require_not_ended(
    statement: Statement, places: tuple[CasePlace | None, ...], told: Iterable[object]
) -> None:
    """Refuse what its case took back, or what the arbitrator said to have destroyed."""
    cases = {place.case for place in places if place is not None}
    for act in told:
        if not isinstance(act, DisputeAct):
            continue
        if act.act is Act.CLAW_BACK and statement.digest in (act.cites or ()):
            raise VerificationError("it was disclosed by mistake and taken back: nothing is drawn")
        if act.act is Act.DESTROY and act.place.case in cases:
            raise VerificationError("its case is over, and what was sealed in it is destroyed")


def _check_signed(statement: Statement, report: Report) -> None:
    # What is not in the log yet is judged by the keys that are valid at the end of the bundle.
    places = {entry.digest: entry.index for entry in report.entries}
    if report.keys is None:
        raise VerificationError("the bundle tells of no keys")
    report.keys.check_signature(statement, places.get(statement.digest, MAX_SIZE))


@dataclass(frozen=True, slots=True)
class _Checker:
    """Check disclosures of one answer, each against the frame that it is said to open."""

    table: FrameTable
    requested: frozenset[tuple[Digest, Digest]]
    # Without a place in the log, nothing shows that the answer came before a withdrawal.
    place_of_answer: int | None
    terms: Terms

    def check(self, disclosure: Disclosure, commitment: Digest) -> VerifiedTiles:
        """Give the tiles that verified, or raise `VerificationError`."""
        return self.place(disclosure, commitment)[1]

    def place(
        self, disclosure: Disclosure, commitment: Digest
    ) -> tuple[PlacedFrame, VerifiedTiles]:
        """Give the frame with the tiles that verified, or raise `VerificationError`."""
        place = self.table.by_commitment(commitment)
        if place is None:
            raise VerificationError(f"the bundle has no frame {commitment}")
        if (commitment, place.segment) not in self.requested:
            raise VerificationError(f"the frame {place.name} was not asked for")
        if self.table.is_withdrawn(commitment, before=self.place_of_answer):
            raise VerificationError(f"the frame {place.name} was withdrawn")
        tiles = verify_disclosure(disclosure, place.commitment)
        try:
            check_frame_header(tiles.header, place.record, place.display, self.terms)
        except VerificationError as error:
            raise VerificationError(f"frame {place.name}: {error}") from error
        return place, tiles


def _checker(statement: Statement, asked: DisputeRequest, report: Report) -> _Checker:
    if report.bundle is None or report.terms is None:
        raise VerificationError("there is no bundle to compare with")
    records = tuple(entry.record for entry in report.entries)
    numbers = {entry.digest: number for number, entry in enumerate(report.entries)}
    return _Checker(
        FrameTable(zip(report.bundle.contents.statements, records, strict=True)),
        frozenset((one.frame, one.segment) for one in asked.frames),
        numbers.get(statement.digest),
        report.terms,
    )


def _open_frames(
    items: tuple[bytes, ...], answer: DisputeDisclosure, checker: _Checker
) -> Iterator[tuple[PlacedFrame, VerifiedTiles]]:
    named = {one.disclosure: one.frame for one in answer.frames}
    if len(items) != len(answer.frames):
        raise VerificationError(
            f"its statement names {len(answer.frames)} disclosures, {len(items)} came with it"
        )
    for item in items:
        disclosure = Disclosure.parse(item)
        commitment = named.pop(disclosure.digest, None)
        if commitment is None:
            raise VerificationError("a disclosure is not named by its statement, or comes twice")
        yield checker.place(disclosure, commitment)


def _view(opened: tuple[OpenedFrame, ...], lines: list[str], minutes: int) -> None:
    """Show the pictures in a browser until the time is over; nothing of them is written."""
    from workseal_protocol.cli.viewing import Viewing  # noqa: PLC0415 - most need no server

    frames = [one.shown for one in opened if one.shown is not None]
    pattern = "what is hidden is drawn as a checker of magenta and grey; a screen can show one too"
    viewing = Viewing(frames, [*lines, pattern], seconds=minutes * 60)
    print(f"to be seen for {count(minutes, 'minute')} at {viewing.link}", flush=True)
    print(
        "whoever has that link sees them; they are in no file, and marked for you: a screen can"
        " be photographed all the same",
        flush=True,
    )
    with suppress(KeyboardInterrupt):
        viewing.run()
    print("closed")


def _lines(
    opened: tuple[OpenedFrame, ...],
    shares: Iterable[str],
    asked: DisputeRequest,
    statement: Statement,
    report: Report,
) -> Iterator[str]:
    yield from (one.line for one in opened)
    yield from shares
    unanswered = len({one.frame for one in asked.frames}) - len(opened)
    if unanswered:
        yield f"{count(unanswered, 'frame')} asked for, and not disclosed"
    entries = {entry.digest: entry.index for entry in report.entries}
    index = entries.get(statement.digest)
    if index is None:
        yield "the disclosure statement is not in this bundle: a later bundle shows it in the log"
    else:
        yield f"the disclosure statement is in the log, index {index}"
    yield "a picture shows what was on the screen, not whether the screen was staged"
