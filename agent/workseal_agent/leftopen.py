"""Whether a recording ended by itself: a session is open, and no process records it.

Rule: it is told from the ledger alone, without a key. A crash, a kill and a battery that ran out
leave the same; what was worked since then is nowhere.
"""

from workseal_agent.language import Phrase, phrase
from workseal_agent.ledger import Engagement, Ledger
from workseal_protocol.cli.text import instant
from workseal_protocol.lottery import round_start
from workseal_protocol.records import Segment, SessionOpen, read_record
from workseal_protocol.statement import Kind, Statement


def left_open_ms(ledger: Ledger, engagement: Engagement) -> int | None:
    """Return up to when an open session is recorded, Unix milliseconds; None where none is open.

    Who asks knows that nothing records now.
    """
    opened = ledger.newest_of_kind(engagement.id, Kind.SESSION_OPEN)
    closed = ledger.newest_of_kind(engagement.id, Kind.SESSION_CLOSE)
    if opened is None or (closed is not None and closed.number > opened.number):
        return None
    segment = ledger.newest_of_kind(engagement.id, Kind.SEGMENT)
    newest = opened if segment is None or segment.number < opened.number else segment
    match read_record(Statement.parse(newest.body)):
        case Segment(end=end):
            return end
        case SessionOpen(first_round=first):
            return round_start(first, engagement.terms.round_ms)
        case _:
            return None


def ended_by_itself(until_ms: int) -> Phrase:
    """Say that a recording ended without a word of its owner's."""
    return phrase(
        "the recording ended by itself, and nobody stopped it: nothing after {at} is recorded;"
        " `declare` tells what was worked since",
        at=instant(until_ms),
    )
