"""Four forgeries by a freelancer who has the real signing key, and tries.

Each takes the true bundle, changes one thing as cleverly as the key allows (statements and the
manifest are signed anew), and is then given to the client's own `workseal verify`.
"""

import json
import urllib.error
import urllib.request
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from workseal_agent.config import load_settings
from workseal_agent.connection import VerifierClient
from workseal_agent.keystore import Keystore
from workseal_protocol.bundle import Bundle, Contents, seal_bundle
from workseal_protocol.disclosure import Disclosure
from workseal_protocol.errors import WorksealError
from workseal_protocol.keys import Signer
from workseal_protocol.lottery import ChainSide, build_chain, chain_head
from workseal_protocol.merkle import leaf_hash, sparse_nodes, sparse_ranges
from workseal_protocol.records import (
    CHAINED,
    Capture,
    ChainedRecord,
    DisputeDisclosure,
    DisputeFinding,
    Offer,
    Outcome,
    Segment,
    SessionOpen,
    read_record,
    sign,
)
from workseal_protocol.statement import Kind, Statement
from workseal_protocol.terms import Terms

HOUR_MS = 3_600_000
_REFUSED = "urn:workseal:problem:refused"


@dataclass(frozen=True, slots=True)
class Forgery:
    """Hold the changed bundle, and what else was tried with it."""

    bundle: bytes
    facts: dict[str, str] = field(default_factory=dict)


Tampering = Callable[[Contents, Signer, str], tuple[Contents, dict[str, str]]]


def tampered(
    tampering: Tampering, bundle: bytes, agent_home: Path, passphrase: str, url: str
) -> Forgery:
    """Apply one tampering to a bundle and sign the result's manifest with the real key."""
    true = Bundle.parse(bundle)
    settings = load_settings(agent_home)
    signer = Keystore.load(settings.keys_file).unlock_signer(passphrase)
    contents, facts = tampering(true.contents, signer, url)
    manifest = true.manifest_record()
    forged = seal_bundle(
        contents, engagement=manifest.engagement, claimed_at=manifest.claimed_at, signer=signer
    )
    return Forgery(forged.encode(), facts)


def altered_pixel(contents: Contents, signer: Signer, url: str) -> tuple[Contents, dict[str, str]]:
    """Change one pixel of a disclosed frame; offer it to the verifier too, newly signed."""
    first, *others = contents.disclosures
    true = first.disclosure
    pixels = bytearray(true.pixels)
    pixels[len(pixels) // 2] ^= 0x40
    deflated = zlib.compress(bytes(pixels))
    changed = Disclosure(true.header, true.shown, true.seeds, true.hashes, deflated)
    found = _disclose(contents, true, changed, signer, url)
    forged = replace(contents, disclosures=(replace(first, disclosure=changed), *others))
    return forged, {"problem": found}


def _disclose(
    contents: Contents, true: Disclosure, changed: Disclosure, signer: Signer, url: str
) -> str:
    """Sign that the changed tiles are what is disclosed, and return what the verifier finds."""
    record = next(
        record
        for record in map(read_record, contents.statements)
        if isinstance(record, DisputeDisclosure)
        and any(one.disclosure == true.digest for one in record.frames)
    )
    frames = tuple(
        replace(one, disclosure=changed.digest) if one.disclosure == true.digest else one
        for one in record.frames
    )
    known = {item.disclosure.digest: item.disclosure for item in contents.disclosures}
    known[changed.digest] = changed
    client = VerifierClient(url)
    try:
        told, _ = client.disclose(
            sign(replace(record, frames=frames), signer).encode(),
            [known[one.disclosure].encode() for one in frames],
        )
    finally:
        client.close()
    finding = read_record(Statement.parse(told))
    if not isinstance(finding, DisputeFinding):
        raise WorksealError("the verifier found nothing")
    found = next(one for one in finding.findings if one.disclosure == changed.digest)
    if found.outcome is Outcome.HOLDS:
        raise WorksealError("the verifier took an altered pixel")
    return "newly signed, the tiles are still not those of the frame: its logged finding is FAILS"


def altered_minute(contents: Contents, signer: Signer, url: str) -> tuple[Contents, dict[str, str]]:
    """Claim more worked time in one segment, and sign it again."""
    del url
    place, segment = _segments(contents)[len(_segments(contents)) // 2]
    longer = min(segment.worked + 60, segment.end - segment.begin)
    if longer == segment.worked:
        longer -= 60
    return _with_statement(contents, place, sign(replace(segment, worked=longer), signer)), {}


def dropped_segment(
    contents: Contents, signer: Signer, url: str
) -> tuple[Contents, dict[str, str]]:
    """Leave one segment out, and mend the log proof so that it still fits."""
    del signer, url
    place, _ = _segments(contents)[1]
    left = [number for number in range(len(contents.statements)) if number != place]
    indices = tuple(contents.indices[number] for number in left)
    size = contents.checkpoint.checkpoint.size
    nodes = sparse_nodes(
        size=size,
        root=contents.checkpoint.checkpoint.root.raw,
        leaves={
            index: leaf_hash(statement.digest.raw)
            for index, statement in zip(contents.indices, contents.statements, strict=True)
        },
        earlier={s.checkpoint.size: s.checkpoint.root.raw for s in contents.checkpoints},
        hashes=contents.hashes,
    )
    hashes = tuple(nodes[span] for span in sparse_ranges(size, indices, contents.sizes))
    receipts = tuple(contents.receipts[number] for number in left) if contents.receipts else ()
    disclosures = tuple(
        replace(item, number=item.number - (item.number > place)) for item in contents.disclosures
    )
    return replace(
        contents,
        statements=tuple(contents.statements[number] for number in left),
        indices=indices,
        hashes=hashes,
        receipts=receipts,
        disclosures=disclosures,
    ), {}


def back_dated(contents: Contents, signer: Signer, url: str) -> tuple[Contents, dict[str, str]]:
    """Sign a segment today that says it was two hours ago, and offer it to the verifier too."""
    place, segment = _segments(contents)[-1]
    round_ms = _terms(contents).round_ms
    rounds = 2 * HOUR_MS // round_ms
    earlier = replace(
        segment,
        round=segment.round - rounds,
        begin=segment.begin - rounds * round_ms,
        end=segment.end - rounds * round_ms,
    )
    problem = _submit(_as_new_session(contents, earlier, signer), url)
    return _with_statement(contents, place, sign(earlier, signer)), {"problem": problem}


def _as_new_session(contents: Contents, segment: Segment, signer: Signer) -> tuple[Statement, ...]:
    """Chain a session onto the true last statement that claims to have begun two hours ago."""
    chained = [(s, read_record(s)) for s in contents.statements if s.kind in CHAINED]
    records = [(s, r) for s, r in chained if isinstance(r, ChainedRecord)]
    last, record = records[-1]
    opening = next(r for _, r in records if isinstance(r, SessionOpen))
    seq, anchor = record.seq + 1, record.anchor
    session = bytes(16)
    values = build_chain(ChainSide.AGENT, bytes(32), 1)
    opened = sign(
        replace(
            opening,
            seq=seq,
            prev=last.digest,
            session=session,
            anchor=anchor,
            head=chain_head(ChainSide.AGENT, values[0]),
            first_round=segment.round,
            rounds=1,
        ),
        signer,
    )
    worked = replace(
        segment,
        seq=seq + 1,
        prev=opened.digest,
        session=session,
        anchor=anchor,
        agent_value=values[0],
        capture=Capture.NONE,
        frames=(),
    )
    return opened, sign(worked, signer)


TAMPERINGS: tuple[Tampering, ...] = (altered_pixel, altered_minute, dropped_segment, back_dated)


def _segments(contents: Contents) -> list[tuple[int, Segment]]:
    found = []
    for place, statement in enumerate(contents.statements):
        if statement.kind is Kind.SEGMENT:
            record = read_record(statement)
            if isinstance(record, Segment):
                found.append((place, record))
    return found


def _with_statement(contents: Contents, place: int, statement: Statement) -> Contents:
    statements = list(contents.statements)
    statements[place] = statement
    return replace(contents, statements=tuple(statements))


def _terms(contents: Contents) -> Terms:
    for statement in contents.statements:
        if statement.kind is Kind.OFFER:
            record = read_record(statement)
            if isinstance(record, Offer):
                return record.terms
    raise WorksealError("the bundle has no offer")


def _submit(statements: tuple[Statement, ...], url: str) -> str:
    """Offer statements to the verifier and return the reason for which it refuses them."""
    request = urllib.request.Request(
        f"{url}/v1/statements",
        data=b"".join(statement.encode() for statement in statements),
        headers={"Content-Type": "application/cbor-seq"},
    )
    try:
        with urllib.request.urlopen(request, timeout=10):
            raise WorksealError("the verifier took a back-dated segment")
    except urllib.error.HTTPError as error:
        problem = json.loads(error.read())
        told = f"{problem['status']} {problem['title']}: {problem['detail']}"
        # A server that stumbles has refused nothing.
        if problem["type"] != _REFUSED:
            raise WorksealError(f"the verifier did not judge the segment: {told}") from error
        return told
