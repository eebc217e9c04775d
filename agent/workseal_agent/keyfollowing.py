"""Which keys speak for whom since the terms were signed: what the log lists of keys, followed.

Rules: only a key that the terms name, or one that came from it, leads to another. What has no force
changes nothing, so a listing may hold whatever else it likes.
"""

from contextlib import suppress

from workseal_protocol.errors import MalformedError, VerificationError
from workseal_protocol.keyhistory import KeyHistory
from workseal_protocol.records import KeyRecord, read_record
from workseal_protocol.statement import Statement


def followed(keys: KeyHistory, index: int, statement: Statement) -> KeyHistory:
    """Follow one statement of the log; `keys` unchanged if it is about none, or has no force."""
    with suppress(MalformedError, VerificationError):
        record = read_record(statement)
        if isinstance(record, KeyRecord):
            return keys.advance(index, statement, record)
    return keys
