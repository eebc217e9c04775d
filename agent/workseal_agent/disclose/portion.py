"""How much of each frame may be shown for a request of a case: what the ladder has for its level.

Rules: what earlier answers in the same case showed counts along, whoever sat then, unless it was
taken back; to show it again adds nothing. The level is read from the case as it was last seen here;
without a case there is no ladder.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from workseal_agent.disclose.opened import FrameReader, Opened, shown_before
from workseal_agent.disclose.requests import Request
from workseal_agent.errors import AgentError
from workseal_agent.language import phrase
from workseal_agent.ledger import Ledger
from workseal_protocol.cli.acting import CaseFolder, split_case
from workseal_protocol.digest import Digest
from workseal_protocol.dispute import LADDER, levels_of
from workseal_protocol.records import Act, DisputeAct, DisputeDisclosure, read_record


@dataclass(frozen=True, slots=True)
class Portion:
    """Hold the level at which frames were asked for, and the answers of the case that count."""

    level: int
    answers: frozenset[Digest]

    @classmethod
    def of(cls, folder: CaseFolder, request: Request) -> Self | None:
        """Read it from what was seen of the request's case; None where the request is not in it."""
        place = request.record.place
        seen = b"" if place is None else folder.told(place.case)
        if not seen:
            return None
        told = [(one.digest, read_record(one)) for one in split_case(seen)]
        level = levels_of(told).get(request.statement.digest)
        if level is None:
            return None
        answers = {digest for digest, record in told if isinstance(record, DisputeDisclosure)}
        for _, record in told:
            if isinstance(record, DisputeAct) and record.act is Act.CLAW_BACK:
                answers -= set(record.cites or ())
        return cls(level, frozenset(answers))

    @property
    def one_in(self) -> int:
        """Return of how many tiles one may be shown; 1 for whole frames."""
        return LADDER[self.level].one_in

    def most_of(self, tiles: int) -> int:
        """Return how many of a frame's tiles may be shown."""
        return LADDER[self.level].most_tiles(tiles)

    def require(self, one: Opened, before: frozenset[int]) -> None:
        """Refuse to show more of a frame; `before` is what the answers that count showed of it."""
        now, tiles = frozenset(one.disclosure.shown), one.disclosure.header.grid.count
        values = {
            "number": one.frame.number,
            "tiles": tiles,
            "most": self.most_of(tiles),
            "level": self.level,
        }
        if len(now) > self.most_of(tiles):
            raise AgentError(
                phrase(
                    "frame {number}: {shown} of {tiles} tiles would be seen, and level {level} of"
                    " the ladder has {most} at most: show less of it",
                    shown=len(now),
                    **values,
                )
            )
        if now - before and len(now | before) > self.most_of(tiles):
            raise AgentError(
                phrase(
                    "frame {number}: with what this case saw of it before, {shown} of {tiles} tiles"
                    " would be known, and level {level} of the ladder has {most} at most: show less"
                    " of it, or the same again",
                    shown=len(now | before),
                    **values,
                )
            )


def require_portions(
    portion: Portion | None,
    opened: Sequence[Opened],
    reader: FrameReader,
    ledger: Ledger,
    engagement: bytes,
) -> None:
    """Refuse to show more of a frame than the ladder has; without a portion there is no ladder."""
    if portion is None:
        return
    for one in opened:
        frame = one.frame.commitment
        before = shown_before(reader, ledger, engagement, frame, by=portion.answers)
        portion.require(one, before)
