"""Steps 3 and 4: the log and its witnesses vouch for one tree, and everything is in it."""

from collections.abc import Mapping

from workseal_protocol.errors import VerificationError, WorksealError
from workseal_protocol.merkle import leaf_hash, paths_from_nodes, sparse_nodes
from workseal_protocol.policy import verify_checkpoint
from workseal_protocol.receipt import PATH_MARK, SeenReceipts, read_cose_receipt
from workseal_protocol.verify.case import Case, named


def check_checkpoint(case: Case) -> str:
    """Check the bundle's checkpoint against the policy."""
    # (3) The log signed the checkpoint, and the quorum of witnesses cosigned it.
    case.checkpoint = verify_checkpoint(
        case.bundle.contents.checkpoint, case.policy.tlog, case.check
    )
    count = len(case.checkpoint.cosignatures)
    return f"size {case.checkpoint.checkpoint.size}, witnesses: {count}"


def check_log(case: Case) -> str:
    """Check that statements and earlier checkpoints are in the tree."""
    contents = case.bundle.contents
    latest = contents.checkpoint.checkpoint
    # (4) Each earlier checkpoint is one of the same log, with its witnesses.
    earlier = []
    for signed in contents.checkpoints:
        size = signed.checkpoint.size
        if signed.checkpoint.origin != latest.origin:
            raise VerificationError(f"the checkpoint of size {size} is one of another log")
        try:
            earlier.append(verify_checkpoint(signed, case.policy.tlog, case.check))
        except VerificationError as error:
            raise VerificationError(f"the checkpoint of size {size}: {error}") from error
    # (4) One proof leads from all statements, and all earlier roots, to the one root.
    nodes = sparse_nodes(
        size=latest.size,
        root=latest.root.raw,
        leaves={index: leaf_hash(statement.digest.raw) for _, index, statement, _ in case.items()},
        earlier={one.checkpoint.size: one.checkpoint.root.raw for one in contents.checkpoints},
        hashes=contents.hashes,
    )
    receipts = _check_receipts(case, nodes)
    case.earlier = tuple(earlier)
    checkpoints = f"earlier checkpoints: {len(earlier)}"
    return f"{checkpoints}, receipts: {receipts}" if receipts else checkpoints


def _check_receipts(case: Case, nodes: Mapping[tuple[int, int], bytes]) -> int:
    # (4) A receipt, where there is one, is the log's and leads from this statement, in this tree.
    if case.checkpoint is None:
        raise VerificationError("no checkpoint gives the log's key")
    contents = case.bundle.contents
    signed = (*contents.checkpoints, contents.checkpoint)
    roots = {one.checkpoint.size: one.checkpoint.root for one in signed}
    latest, key = case.checkpoint.checkpoint, case.checkpoint.log.key
    seen = SeenReceipts()
    paths = paths_from_nodes(nodes, contents.indices, latest.size, PATH_MARK)
    count = 0
    rows = zip(case.items(), contents.receipts, paths, strict=False)
    for (place, index, statement, _), receipt, path in rows:
        if not receipt:
            continue
        count += 1
        if seen.holds(receipt, index, path):
            continue
        try:
            found = read_cose_receipt(receipt, entry=statement.digest, key=key, check=case.check)
            if found.index != index:
                raise VerificationError(
                    f"it is of index {found.index}, the statement is at {index}"
                )
            if roots.get(found.size, found.root) != found.root:
                raise VerificationError(f"it leads to another tree of size {found.size}")
        except WorksealError as error:
            text = f"the receipt of {named(place, statement)}: {error}"
            raise VerificationError(text) from error
        if found.size == latest.size:
            seen.add(receipt, latest.size)
    return count
