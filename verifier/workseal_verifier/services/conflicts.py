"""Evidence that a chain or a case forked: both bodies that one signer signed for one number.

The first one is in the log. The second is kept beside it, for the engagement's parties; what there
is no room for is refused in the same words.
"""

import logging
from collections.abc import Iterator, Sequence
from typing import Final

from workseal_protocol.digest import Digest
from workseal_protocol.records import read_record
from workseal_protocol.statement import Kind, Statement
from workseal_verifier.errors import ForkError, StoreError
from workseal_verifier.services.casefold import filing_of
from workseal_verifier.store.conflicts import Conflict, ConflictStore

_logger = logging.getLogger(__name__)

CHAINED: Final = tuple(
    kind.value
    for kind in (
        Kind.SESSION_OPEN,
        Kind.SEGMENT,
        Kind.SESSION_CLOSE,
        Kind.TOMBSTONE,
        Kind.DECLARATION,
    )
)


def logged_beside(store: ConflictStore, one: Conflict) -> bytes | None:
    """Return the body that the log holds under the number of a second one."""
    statement = Statement.parse(one.body)
    filing = filing_of(statement, read_record(statement))
    if filing is None:
        return store.logged(one.engagement, CHAINED, one.seq)
    return store.logged_in_case(one.engagement, filing, one.seq)


class ConflictBook:
    """Keep and list second bodies."""

    def __init__(self, store: ConflictStore) -> None:
        self._store = store

    def keep(self, forks: Sequence[ForkError]) -> None:
        """Keep these bodies, durably; a failure is logged and costs the evidence alone."""
        if not forks:
            return
        found = [
            Conflict(fork.engagement, fork.seq, Digest.of(fork.body), fork.body) for fork in forks
        ]
        try:
            left_out = self._store.keep(found)
        except StoreError as error:
            _logger.error("evidence of a fork could not be kept: %s", error)  # noqa: TRY400
            return
        if left_out:
            _logger.warning("evidence of forks beyond what is kept: %s bodies", left_out)

    def listing(self, engagement: bytes) -> Iterator[tuple[int, bytes, bytes]]:
        """List (number, body in the log, other body) of an engagement."""
        for one in self._store.of_engagement(engagement):
            logged = logged_beside(self._store, one)
            if logged is not None:
                yield one.seq, logged, one.body

    def count(self) -> int:
        """Count the bodies that are kept."""
        return self._store.count()
