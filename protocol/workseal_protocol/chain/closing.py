"""Step 13, in the chain: a closing statement repeats the sums of its session."""

from typing import TYPE_CHECKING

from workseal_protocol.chain.rules import ChainError, Rule
from workseal_protocol.records import ChainedRecord, SessionClose

if TYPE_CHECKING:
    from workseal_protocol.chain.state import ChainState


def check_closing(state: "ChainState", record: ChainedRecord) -> None:
    """Check the sums of a closing statement, or raise `ChainError`."""
    if not isinstance(record, SessionClose):
        return
    session = state.session
    if session is None:
        raise ChainError(Rule.CLOSING, "no session is open")
    # (13) What the agent says it counted is what its segments say.
    told = (record.segments, record.worked, record.captured, record.missed)
    counted = (session.segments, session.worked, session.captured, session.missed)
    names = ("segments", "worked", "captured", "missed")
    for name, said, found in zip(names, told, counted, strict=True):
        if said != found:
            raise ChainError(Rule.CLOSING, f"{name}: the closing says {said}, segments {found}")
