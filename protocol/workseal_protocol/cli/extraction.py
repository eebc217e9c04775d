"""A bundle's parts as files that other people's tools read; README.txt names the tools.

Rules: numbers are those of `statements.cbor`, six digits. Every inclusion path is computed from the
bundle's one proof, which must lead to the checkpoint's root. Nothing here says whom to trust: the
signatures are checked by whoever reads the files.
"""

import base64
import json
from collections.abc import Iterator, Mapping

from workseal_protocol.bundle import README, Bundle, Contents
from workseal_protocol.cli.problem import CommandError
from workseal_protocol.encoding import encode
from workseal_protocol.errors import MalformedError, VerificationError
from workseal_protocol.keys import Algorithm, PublicKey
from workseal_protocol.merkle import leaf_hash, path_from_nodes, sparse_nodes
from workseal_protocol.note import VerifierKey
from workseal_protocol.receipt import Receipt
from workseal_protocol.records import Acceptance, KeyAnnounce, KeyRotate, Offer, read_record

# COSE_Key labels and values: RFC 9053 section 7, RFC 9964 section 2.
_KTY, _ALG, _CRV_OR_PUB, _X = 1, 3, -1, -2
_OKP, _AKP, _ED25519_CURVE = 1, 7, 6
# Each proof repeats the checkpoint with all its lines, 256 KiB at most: a small bundle of somebody
# who means harm would fill a disk. The longest honest ones, with ML-DSA witnesses, stay below.
MAX_PROOF_BYTES = 1 << 30


def extracted_parts(bundle: Bundle) -> dict[str, bytes]:
    """Return every file to write, by its name below the folder.

    Raises `VerificationError` when the bundle's proof does not lead to its checkpoint, and
    `CommandError` when the files would fill a disk.
    """
    contents = bundle.contents
    _require_room(contents)
    parts = {
        "README.txt": README,
        "manifest.cose": bundle.manifest.encode(),
        "policy": contents.policy.encode().encode(),
    }
    parts.update(_checkpoint_parts(contents))
    for number, statement in enumerate(contents.statements):
        parts[f"statements/{number:06d}.cose"] = statement.encode()
    parts.update(_proofs(contents))
    for number, receipt in enumerate(contents.receipts):
        if receipt:
            parts[f"receipts/{number:06d}.receipt"] = receipt
    parts.update(_key_parts(contents))
    for item in contents.disclosures:
        parts[item.name] = item.disclosure.encode()
    if contents.openings:
        parts["openings.json"] = _openings(contents)
        for number, opening in enumerate(contents.openings):
            parts[f"openings/{number:06d}.committed"] = opening.committed
    return parts


def _require_room(contents: Contents) -> None:
    wanted = len(contents.statements) * len(contents.checkpoint.encode())
    if wanted > MAX_PROOF_BYTES:
        raise CommandError(
            f"the proofs of this bundle would take {wanted} bytes, more than {MAX_PROOF_BYTES}"
        )


def _checkpoint_parts(contents: Contents) -> Iterator[tuple[str, bytes]]:
    log = _log_key(contents)
    yield "checkpoint", contents.checkpoint.encode()
    yield "checkpoint.signed", contents.checkpoint.log_signed(log)
    if contents.token is not None:
        yield "checkpoint.tsr", contents.token
    if contents.tsa_ca is not None:
        yield "tsa-ca.pem", contents.tsa_ca
    tokens = dict(contents.timestamps)
    for signed in contents.checkpoints:
        size = signed.checkpoint.size
        yield f"checkpoints/{size}.checkpoint", signed.encode()
        if size in tokens:
            yield f"checkpoints/{size}.signed", signed.log_signed(log)
            yield f"checkpoints/{size}.tsr", tokens[size]


def _log_key(contents: Contents) -> VerifierKey:
    origin = contents.checkpoint.checkpoint.origin
    for log in contents.policy.logs:
        if log.name == origin and contents.checkpoint.line_of(log) is not None:
            return log
    raise VerificationError("the checkpoint has no line of the log that the bundle's policy names")


def _proofs(contents: Contents) -> Iterator[tuple[str, bytes]]:
    checkpoint = contents.checkpoint.checkpoint
    nodes = sparse_nodes(
        size=checkpoint.size,
        root=checkpoint.root.raw,
        leaves={
            index: leaf_hash(statement.digest.raw)
            for index, statement in zip(contents.indices, contents.statements, strict=True)
        },
        earlier={one.checkpoint.size: one.checkpoint.root.raw for one in contents.checkpoints},
        hashes=contents.hashes,
    )
    for number, index in enumerate(contents.indices):
        path = path_from_nodes(nodes, index, checkpoint.size)
        receipt = Receipt(index, path, contents.checkpoint)
        yield f"proofs/{number:06d}.tlog-proof", receipt.encode()


def _key_parts(contents: Contents) -> Iterator[tuple[str, bytes]]:
    yield from _key_files("log", _log_key(contents).key)
    for name, key in _keys_named(contents).items():
        yield from _key_files(name, key)


def _keys_named(contents: Contents) -> Mapping[str, PublicKey]:
    found: list[PublicKey] = []
    for statement in contents.statements:
        try:
            record = read_record(statement)
        except MalformedError:
            continue  # `verify` says so in its first step; the file is written all the same
        match record:
            case Offer() | Acceptance():
                agreed = record.terms
                found += [agreed.client, agreed.freelancer, agreed.operator, *agreed.arbitrators]
            case KeyAnnounce() | KeyRotate():
                found.append(record.public_key)
            case _:
                pass
    return {str(key.thumbprint): key for key in found}


def _key_files(name: str, key: PublicKey) -> Iterator[tuple[str, bytes]]:
    yield f"keys/{name}.pem", key.pem()
    yield f"keys/{name}.raw", key.raw
    yield f"keys/{name}.cose-key", cose_key(key)


def cose_key(key: PublicKey) -> bytes:
    """Write a public key as the deterministic COSE_Key whose SHA-256 is its thumbprint."""
    if key.algorithm is Algorithm.EDDSA:
        return encode({_KTY: _OKP, _CRV_OR_PUB: _ED25519_CURVE, _X: key.raw})
    return encode({_KTY: _AKP, _ALG: int(key.algorithm), _CRV_OR_PUB: key.raw})


def _openings(contents: Contents) -> bytes:
    """Write the opened values, in the order of the files whose SHA-256 is their commitment.

    `number` is that of the statement's own file; nothing is verified here, so there may be none.
    """
    places = {one.digest: f"{number:06d}" for number, one in enumerate(contents.statements)}
    rows = [
        {
            "statement": str(opening.statement),
            "number": places.get(opening.statement),
            "kind": opening.kind.name.lower(),
            "salt": opening.salt.hex(),
            "value": base64.b64encode(opening.value).decode(),
        }
        for opening in contents.openings
    ]
    return (json.dumps(rows, indent=2) + "\n").encode()
