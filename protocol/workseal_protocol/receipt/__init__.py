"""Receipts: that a statement is in the log (c2sp.org/tlog-proof, RFC 9942, and our batch answer).

Rules: size and root come only from a checkpoint that a policy accepts, never from a proof. What is
unauthenticated (`extra` of a tlog-proof, the unprotected header of a COSE receipt) decides nothing.
"""

from workseal_protocol.receipt.answer import (
    MAX_ANSWER_BYTES,
    MAX_BATCH,
    SubmissionAnswer,
    verify_answer,
)
from workseal_protocol.receipt.inclusion import (
    PATH_MARK,
    ReadReceipt,
    SeenReceipts,
    cose_receipt,
    cose_receipt_place,
    read_cose_receipt,
    verify_cose_receipt,
)
from workseal_protocol.receipt.proof import MAX_EXTRA_BYTES, Receipt, verify_receipt

__all__ = [
    "MAX_ANSWER_BYTES",
    "MAX_BATCH",
    "MAX_EXTRA_BYTES",
    "PATH_MARK",
    "ReadReceipt",
    "Receipt",
    "SeenReceipts",
    "SubmissionAnswer",
    "cose_receipt",
    "cose_receipt_place",
    "read_cose_receipt",
    "verify_answer",
    "verify_cose_receipt",
    "verify_receipt",
]
