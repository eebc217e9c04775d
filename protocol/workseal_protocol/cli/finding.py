"""`workseal open --finding`: what the arbitrator's own check of a package found, signed.

Rules: a finding says of each disclosure that its statement names whether it holds, and how much it
shows; what is no package of that statement gets none. In a case it is the next statement, kept
beside the key before anybody has it, as every act is.
"""

import argparse
import time
from collections.abc import Callable, Sequence

from workseal_protocol.cli.acting.court import folder_of
from workseal_protocol.cli.cases import replay_files
from workseal_protocol.cli.files import require_new, write_new
from workseal_protocol.cli.nextact import place_next
from workseal_protocol.cli.problem import DOES_NOT_HOLD, CommandError
from workseal_protocol.cli.seeds import read_signer
from workseal_protocol.cli.text import count, plain
from workseal_protocol.digest import Digest
from workseal_protocol.disclosure import Disclosure, VerifiedTiles
from workseal_protocol.errors import MalformedError, VerificationError
from workseal_protocol.keys import Role, Signer
from workseal_protocol.merkle import MAX_SIZE
from workseal_protocol.records import DisputeDisclosure, DisputeFinding, Finding, Outcome, sign
from workseal_protocol.statement import Statement
from workseal_protocol.verify import Report

# Checks one disclosure as the opening of one frame.
Check = Callable[[Disclosure, Digest], VerifiedTiles]


def require_finding_options(options: argparse.Namespace) -> None:
    """Refuse a finding that could not be written, before anything is opened."""
    if options.finding is None:
        if options.key is not None:
            raise CommandError("--key goes with --finding")
        return
    if options.key is None:
        raise CommandError("--finding: expected --key with the arbitrator's key, found none")
    require_new(options.finding)


def findings_of(
    items: Sequence[bytes], answer: DisputeDisclosure, check: Check
) -> tuple[Finding, ...]:
    """Say what the check of each named disclosure finds.

    Raises `VerificationError` for a package of other disclosures.
    """
    packed = {Digest.of(item): item for item in items}
    if len(items) != len(packed) or packed.keys() != {one.disclosure for one in answer.frames}:
        raise VerificationError("what came is not what its statement names, so there is no finding")
    return tuple(_found(packed[one.disclosure], one.frame, check) for one in answer.frames)


def sign_finding(
    options: argparse.Namespace,
    report: Report,
    answered: tuple[Statement, DisputeDisclosure],
    findings: tuple[Finding, ...],
) -> None:
    """Sign a finding into a file, to be sent by `workseal case send`."""
    statement, answer = answered
    signer = read_signer(options.key)
    record = DisputeFinding(
        engagement=answer.engagement,
        claimed_at=time.time_ns() // 1_000_000,
        disclosure=statement.digest,
        findings=findings,
    )
    if answer.place is None:
        signed = _sign_beside(options, report, record, signer)
        write_new(options.finding, signed.encode())
    else:
        signed = _sign_in_case(options, record, signer)
    holding = sum(one.outcome is Outcome.HOLDS for one in findings)
    print(f"finding {signed.digest}: {holding} of {count(len(findings), 'disclosure')} hold")
    print(plain(f"'workseal case send {options.finding}' has it logged"))


def _found(item: bytes, frame: Digest, check: Check) -> Finding:
    digest = Digest.of(item)
    try:
        disclosure = Disclosure.parse(item)
    except MalformedError:
        return Finding(digest, Outcome.FAILS, 0, 0)
    shown, tiles = len(disclosure.shown), disclosure.header.grid.count
    try:
        check(disclosure, frame)
    except VerificationError:
        return Finding(digest, Outcome.FAILS, shown, tiles)
    return Finding(digest, Outcome.HOLDS, shown, tiles)


def _sign_beside(
    options: argparse.Namespace, report: Report, record: DisputeFinding, signer: Signer
) -> Statement:
    if options.case is not None:
        raise CommandError("the disclosure is part of no case: no --case")
    own, keys = signer.public_key.thumbprint, report.keys
    if keys is None or Role.ARBITRATOR not in keys.roles_of(own, MAX_SIZE):
        raise CommandError("the terms of this bundle do not name this key as an arbitrator")
    return sign(record, signer)


def _sign_in_case(options: argparse.Namespace, record: DisputeFinding, signer: Signer) -> Statement:
    if options.case is None:
        raise CommandError(
            "the disclosure is part of a case: name its statements, --case FILE"
            " ('workseal case show --save' writes them)"
        )
    case = replay_files(options.bundle, options.case).case
    folder, name = folder_of(options.key), str(case.case)
    before = folder.unanswered(name)
    if before is not None:
        if before.digest not in case.statements:
            raise CommandError(
                f"what you signed before is not in the case: {before.digest}. Any act sends it"
                " again; then fetch the case",
                DOES_NOT_HOLD,
            )
        folder.answered(name)
    statement = place_next(case, record, signer)
    folder.keep_unanswered(name, statement)
    try:
        write_new(options.finding, statement.encode())
    except CommandError:
        # Nobody has it, so nobody waits for what becomes of it.
        folder.answered(name)
        raise
    return statement
