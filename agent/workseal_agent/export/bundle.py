"""Putting a bundle together, and verifying it as its reader will before it is written.

Rule: a bundle that does not hold is never written; the step that fails is told instead.
"""

import base64
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from workseal_agent.connection import VerifierClient
from workseal_agent.disclose import FrameReader, read_disclosure
from workseal_agent.errors import AgentError
from workseal_agent.export.gather import (
    Checkpoints,
    Logged,
    choose_checkpoints,
    logged_statements,
    prove,
)
from workseal_agent.language import phrase
from workseal_agent.ledger import Engagement, Ledger
from workseal_agent.reveals import taken_back_by
from workseal_protocol.bundle import MAX_PIXEL_BYTES, Contents, FrameDisclosure, seal_bundle
from workseal_protocol.commitment import Opening, ValueKind
from workseal_protocol.digest import Digest
from workseal_protocol.errors import WorksealError
from workseal_protocol.keys import PublicKey, Role, Signer
from workseal_protocol.policy import TlogPolicy, TrustPolicy, verify_checkpoint
from workseal_protocol.receipt import cose_receipt_place, verify_cose_receipt
from workseal_protocol.records import Segment, read_record
from workseal_protocol.verify import Report, examine_bundle


class ExportError(AgentError):
    """Say which step the bundle would not pass."""


@dataclass(frozen=True, slots=True)
class Exported:
    """Hold a bundle that holds, and its report."""

    data: bytes
    report: Report
    statements: int
    checkpoints: int
    stamped: bool
    unsent: int
    disclosed: int
    withheld: int


# Called with (done, of how many) while receipts are fetched.
Progress = Callable[[int, int], None]


def export(  # noqa: PLR0913 - sources, choices and the moment
    ledger: Ledger,
    client: VerifierClient,
    engagement: Engagement,
    signer: Signer,
    *,
    now_ms: int,
    openings: Collection[ValueKind] = (),
    reader: FrameReader | None = None,
    receipts: bool = True,
    progress: Progress = lambda _done, _all: None,
) -> Exported:
    """Make a bundle of everything that is logged.

    Of frames that were disclosed to an arbitrator, the tiles stand in it only with a `reader` of
    the vault. Raises `ExportError`, or what the verifier's answers raise.
    """
    logged = logged_statements(ledger, client, engagement)
    checkpoints = choose_checkpoints(ledger, client, engagement, logged, now_ms=now_ms)
    disclosed = _newest_disclosures(ledger, engagement, logged)
    policy = TlogPolicy.parse(engagement.terms.log_policy)
    contents = Contents(
        statements=tuple(statement for _, statement in logged.items),
        indices=tuple(index for index, _ in logged.items),
        hashes=prove(client, logged, checkpoints),
        checkpoint=checkpoints.final,
        checkpoints=checkpoints.earlier,
        policy=policy,
        token=checkpoints.tokens.get(checkpoints.final.checkpoint.size),
        timestamps=_stamps(checkpoints),
        tsa_ca=_pem(engagement.tsa_roots) if checkpoints.tokens else None,
        receipts=_receipts(client, policy, logged, checkpoints, progress) if receipts else (),
        openings=_openings(ledger, logged, openings),
        disclosures=_disclosures(reader, disclosed, logged) if reader is not None else (),
    )
    sealed = seal_bundle(contents, engagement=engagement.id, claimed_at=now_ms, signer=signer)
    data = sealed.encode()
    zone = ZoneInfo(engagement.terms.zone)
    # A bundle without any token is honest about it; a reader may insist on one.
    trust = trust_of(engagement, engagement.tsa_roots if checkpoints.tokens else ())
    report = examine_bundle(data, trust, zone=zone)
    if not report.holds:
        raise ExportError(
            phrase(
                "the bundle would not hold: step {first_problem}",
                first_problem=report.first_problem,
            )
        )
    return Exported(
        data=data,
        report=report,
        statements=len(contents.statements),
        checkpoints=len(contents.checkpoints) + 1,
        stamped=contents.token is not None,
        unsent=ledger.counts(engagement.id).unsent + ledger.counts(engagement.id).parked,
        disclosed=len(contents.disclosures),
        withheld=len(disclosed) - len(contents.disclosures),
    )


def trust_of(engagement: Engagement, tsa_roots: tuple[bytes, ...]) -> TrustPolicy:
    """Take the policy from the signed terms; the reader of a bundle uses one of their own."""
    terms = engagement.terms
    return TrustPolicy(
        tlog=TlogPolicy.parse(terms.log_policy),
        parties={
            Role.CLIENT: (terms.client,),
            Role.FREELANCER: (terms.freelancer,),
            Role.ARBITRATOR: terms.arbitrators,
            Role.OPERATOR: (terms.operator,),
        },
        tsa=tsa_roots,
        independent=frozenset(),
    )


def _stamps(checkpoints: Checkpoints) -> tuple[tuple[int, bytes], ...]:
    sizes = [size for size in checkpoints.sizes if size in checkpoints.tokens]
    return tuple((size, checkpoints.tokens[size]) for size in sizes)


def _receipts(
    client: VerifierClient,
    policy: TlogPolicy,
    logged: Logged,
    checkpoints: Checkpoints,
    progress: Progress,
) -> tuple[bytes, ...]:
    """Fetch a receipt for each statement; one that does not hold is left out."""
    final = verify_checkpoint(checkpoints.final, policy)
    size, root = final.checkpoint.size, final.checkpoint.root
    found = []
    for number, (index, statement) in enumerate(logged.items):
        progress(number, len(logged.items))
        receipt = client.receipt(statement.digest, size) or b""
        good = _holds(receipt, statement.digest, root, final.log.key) and (
            cose_receipt_place(receipt) == (size, index)
        )
        found.append(receipt if good else b"")
    return tuple(found) if any(found) else ()


def _holds(receipt: bytes, entry: Digest, root: Digest, key: PublicKey) -> bool:
    try:
        return verify_cose_receipt(receipt, entry=entry, key=key) == root
    except WorksealError:
        return False


def _openings(ledger: Ledger, logged: Logged, kinds: Collection[ValueKind]) -> tuple[Opening, ...]:
    if not kinds:
        return ()
    return tuple(
        Opening(statement.digest, ValueKind(value.kind), value.salt, value.value)
        for _, statement in logged.items
        for value in ledger.private_values(statement.digest)
        if value.kind in kinds
    )


def _newest_disclosures(
    ledger: Ledger, engagement: Engagement, logged: Logged
) -> Mapping[Digest, Digest]:
    """Return for each frame that a logged statement discloses the newest disclosure of it.

    What was taken back goes to nobody, and an answer before it stands again.
    """
    taken_back = taken_back_by(ledger, engagement.id, logged=False)
    order = {statement.digest: number for number, (_, statement) in enumerate(logged.items)}
    newest: dict[Digest, tuple[int, Digest]] = {}
    for disclosure, statement, frame in ledger.disclosures(engagement.id):
        if statement in order and statement not in taken_back:
            told = (order[statement], disclosure)
            newest[frame] = max(newest.get(frame, told), told)
    return {frame: disclosure for frame, (_, disclosure) in newest.items()}


def _disclosures(
    reader: FrameReader, disclosed: Mapping[Digest, Digest], logged: Logged
) -> tuple[FrameDisclosure, ...]:
    places = _places(logged)
    made = [
        FrameDisclosure(*places[frame], read_disclosure(reader, disclosure))
        for frame, disclosure in disclosed.items()
    ]
    if sum(item.disclosure.pixel_bytes for item in made) > MAX_PIXEL_BYTES:
        raise ExportError(
            phrase("the disclosures show more than {most} bytes of pixels", most=MAX_PIXEL_BYTES)
        )
    return tuple(sorted(made, key=lambda item: (item.number, item.display or 0)))


def _places(logged: Logged) -> Mapping[Digest, tuple[int, int | None]]:
    """Return for each frame its segment's number and, among several, its own."""
    places: dict[Digest, tuple[int, int | None]] = {}
    for number, (_, statement) in enumerate(logged.items):
        record = read_record(statement)
        if isinstance(record, Segment):
            for display, frame in enumerate(record.frames):
                places[frame] = (number, display if len(record.frames) > 1 else None)
    return places


def _pem(roots: Iterable[bytes]) -> bytes | None:
    lines = []
    for root in roots:
        text = base64.b64encode(root).decode()
        lines.append("-----BEGIN CERTIFICATE-----")
        lines.extend(text[at : at + 64] for at in range(0, len(text), 64))
        lines.append("-----END CERTIFICATE-----")
    return "".join(f"{line}\n" for line in lines).encode() or None
