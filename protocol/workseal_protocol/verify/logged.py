"""Steps 3 and 4: the log and its witnesses vouch for one tree, and everything is in it."""

from workseal_protocol.errors import VerificationError, WorksealError
from workseal_protocol.merkle import leaf_hash, verify_sparse
from workseal_protocol.policy import verify_checkpoint
from workseal_protocol.receipt import cose_receipt_place, verify_cose_receipt
from workseal_protocol.verify.case import Case, named


def check_checkpoint(case: Case) -> str:
    """Check the bundle's checkpoint against the policy."""
    # (3) The log signed the checkpoint, and the quorum of witnesses cosigned it.
    case.checkpoint = verify_checkpoint(case.bundle.contents.checkpoint, case.policy.tlog)
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
            earlier.append(verify_checkpoint(signed, case.policy.tlog))
        except VerificationError as error:
            raise VerificationError(f"the checkpoint of size {size}: {error}") from error
    # (4) One proof leads from all statements, and all earlier roots, to the one root.
    verify_sparse(
        size=latest.size,
        root=latest.root.raw,
        leaves={index: leaf_hash(statement.digest.raw) for _, index, statement, _ in case.items()},
        earlier={one.checkpoint.size: one.checkpoint.root.raw for one in contents.checkpoints},
        hashes=contents.hashes,
    )
    receipts = _check_receipts(case)
    case.earlier = tuple(earlier)
    checkpoints = f"earlier checkpoints: {len(earlier)}"
    return f"{checkpoints}, receipts: {receipts}" if receipts else checkpoints


def _check_receipts(case: Case) -> int:
    # (4) A receipt, where there is one, is the log's and leads from this statement, in this tree.
    if case.checkpoint is None:
        raise VerificationError("no checkpoint gives the log's key")
    contents = case.bundle.contents
    signed = (*contents.checkpoints, contents.checkpoint)
    roots = {one.checkpoint.size: one.checkpoint.root for one in signed}
    count = 0
    for (place, index, statement, _), receipt in zip(case.items(), contents.receipts, strict=False):
        if not receipt:
            continue
        try:
            root = verify_cose_receipt(receipt, entry=statement.digest, key=case.checkpoint.log.key)
            size, claimed = cose_receipt_place(receipt)
            if claimed != index:
                raise VerificationError(f"it is of index {claimed}, the statement is at {index}")
            if roots.get(size, root) != root:
                raise VerificationError(f"it leads to another tree of size {size}")
        except WorksealError as error:
            text = f"the receipt of {named(place, statement)}: {error}"
            raise VerificationError(text) from error
        count += 1
    return count
