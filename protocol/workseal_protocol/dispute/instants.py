"""How far the instant that a statement of a case claims may lie from the clock of its log.

docs/adr/0057.
"""

from typing import Final

from workseal_protocol.dispute.panel import WAIT_MS
from workseal_protocol.records import DisputeDisclosure, Record

# A sender's clock may be ahead by this much.
AHEAD_MS: Final = 2_000
# A draw is by a round that begins so long after the instant of a statement: who could date it back
# by more would know the value.
BACK_MS: Final = WAIT_MS
# Of a disclosure, whose tiles arrive after it was signed. Nothing is drawn by its instant.
SLOW_BACK_MS: Final = 600_000


def back_ms(record: Record) -> int:
    """Return how much older than the log's clock the instant of a statement may be."""
    return SLOW_BACK_MS if isinstance(record, DisputeDisclosure) else BACK_MS
