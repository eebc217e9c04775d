"""`workseal keygen`, `offer`, `terms`: what client and arbitrator do before any work."""

import argparse
import secrets
import time
from pathlib import Path

from workseal_protocol.bundle import Bundle
from workseal_protocol.cli.files import (
    MAX_BUNDLE_BYTES,
    read_bytes,
    read_typed,
    require_new,
    write_new,
)
from workseal_protocol.cli.folding import print_lines
from workseal_protocol.cli.inputs import read_policy, zone_named
from workseal_protocol.cli.problem import DOES_NOT_HOLD, HOLDS, CommandError
from workseal_protocol.cli.seeds import read_signer, write_seed
from workseal_protocol.cli.termsfile import read_terms
from workseal_protocol.cli.text import plain
from workseal_protocol.errors import MalformedError, VerificationError
from workseal_protocol.keys import SEED_BYTES, PublicKey, SeedSigner
from workseal_protocol.records import Acceptance, Offer, read_record, sign
from workseal_protocol.statement import ENGAGEMENT_BYTES, Kind, Statement
from workseal_protocol.terms import Terms, plain_language

_ZIP_HEAD = b"PK\x03\x04"


def keygen(options: argparse.Namespace) -> int:
    """Make a key, or show an existing one, and print its public half."""
    if options.show:
        return _show(read_signer(options.file).public_key)
    seed = secrets.token_bytes(SEED_BYTES)
    write_seed(options.file, seed)
    return _show(SeedSigner(seed).public_key)


def offer(options: argparse.Namespace) -> int:
    """Sign the client's offer, and say what it offers."""
    require_new(options.out)
    signer = read_signer(options.key)
    policy = read_policy(options.policy) if options.policy else None
    text = read_typed(options.terms, what="terms")
    agreed = read_terms(text, signer.public_key, policy)
    if zone_named(agreed.zone) is None:
        raise CommandError(f"zone: this machine knows no time zone {agreed.zone[:64]}")
    offered = Offer(
        engagement=secrets.token_bytes(ENGAGEMENT_BYTES),
        claimed_at=time.time_ns() // 1_000_000,
        terms=agreed,
    )
    write_new(options.out, sign(offered, signer).encode())
    print(f"engagement {offered.engagement.hex()}")
    _print_terms(offered.terms)
    return HOLDS


def terms(options: argparse.Namespace) -> int:
    """Say in plain words what an offer, an acceptance or a bundle agrees; check who signed it."""
    record = read_agreed(options.file)
    _, who = _signer_of(record)
    print(f"{record.KIND} of engagement {record.engagement.hex()}, signed by the {who} it names")
    _print_terms(record.terms)
    return HOLDS


def read_agreed(path: Path) -> Offer | Acceptance:
    """Read an offer, an acceptance, or a bundle's; whoever it names must have signed it."""
    statement = _agreement_in(path)
    record = _read_agreement(statement)
    key, who = _signer_of(record)
    try:
        statement.verify_signature(key)
    except VerificationError as error:
        message = f"the {statement.kind} is not signed by the {who} that it names: {error}"
        raise CommandError(message, DOES_NOT_HOLD) from error
    return record


def rotations_in(path: Path) -> list[Statement]:
    """Return the rotations of keys that a bundle has; none of another file."""
    data = read_bytes(path, limit=MAX_BUNDLE_BYTES, what="file")
    if not data.startswith(_ZIP_HEAD):
        return []
    statements = Bundle.parse(data).contents.statements
    return [one for one in statements if one.kind is Kind.KEY_ROTATE]


def _signer_of(record: Offer | Acceptance) -> tuple[PublicKey, str]:
    if isinstance(record, Offer):
        return record.terms.client, "client"
    return record.terms.freelancer, "freelancer"


def _show(key: PublicKey) -> int:
    print(f"{key.text()}\nthumbprint {key.thumbprint}")
    return HOLDS


def _print_terms(agreed: Terms) -> None:
    print_lines(f"- {plain(sentence)}" for sentence in plain_language(agreed))


def _agreement_in(path: Path) -> Statement:
    data = read_bytes(path, limit=MAX_BUNDLE_BYTES, what="file")
    try:
        if not data.startswith(_ZIP_HEAD):
            return Statement.parse(data)
        for statement in Bundle.parse(data).contents.statements:
            if statement.kind is Kind.ACCEPTANCE:
                return statement
    except MalformedError as error:
        message = f"{path} is no offer, acceptance or bundle: {error}"
        raise CommandError(message) from error
    raise CommandError(f"the bundle {path} has no acceptance")


def _read_agreement(statement: Statement) -> Offer | Acceptance:
    try:
        record = read_record(statement)
    except MalformedError as error:
        raise CommandError(f"the {statement.kind} is malformed: {error}") from error
    if not isinstance(record, Offer | Acceptance):
        raise CommandError(f"a statement of kind {statement.kind} has no terms")
    return record
