"""How much of a frame the answers of a case may show at their level, and which show more.

Rules: an answer is of the level of the `ask` before the request that it answers. Tiles are counted,
for that is what a finding tells: edges are smaller, so a share of the tiles is about that of the
pixels. What shows more moves no case and makes no finding false; programs refuse it or say so.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from workseal_protocol.digest import Digest
from workseal_protocol.dispute.ladder import LADDER
from workseal_protocol.records import (
    Act,
    DisputeAct,
    DisputeDisclosure,
    DisputeFinding,
    DisputeRequest,
)


def levels_of(told: Iterable[tuple[Digest, object]]) -> Mapping[Digest, int]:
    """Give the level of each request for frames in a case, and of each answer to one.

    `told` has the statements of the case with what they say, in its order.
    """
    level, found = 0, {}
    for digest, record in told:
        match record:
            case DisputeAct(act=Act.ASK):
                level = record.level or 0
            case DisputeRequest():
                found[digest] = level
            case DisputeDisclosure() if record.request in found:
                found[digest] = found[record.request]
            case _:
                pass
    return found


@dataclass(frozen=True, slots=True)
class Excess:
    """Say that a disclosure of one frame shows more tiles than its level has; `most` is how many.

    `answer` is the statement that showed it.
    """

    answer: Digest
    disclosure: Digest
    level: int
    shown: int
    tiles: int
    most: int

    @property
    def sentence(self) -> str:
        """Write it as a sentence."""
        return (
            f"{self.disclosure} shows {self.shown} of {self.tiles} tiles of a frame: level"
            f" {self.level} has {self.most} at most"
        )


def excess_of(
    answer: Digest, disclosure: Digest, level: int, *, shown: int, tiles: int
) -> Excess | None:
    """Return what a disclosure shows beyond its level; None where it is within it."""
    most = LADDER[level].most_tiles(tiles)
    if shown <= most:
        return None
    return Excess(answer, disclosure, level, shown, tiles, most)


def excesses(levels: Mapping[Digest, int], findings: Iterable[DisputeFinding]) -> Iterator[Excess]:
    """Give what findings tell of answers that show more than their level has, each once."""
    told = set()
    for finding in findings:
        for one in finding.findings:
            found = excess_of(
                finding.disclosure,
                one.disclosure,
                levels.get(finding.disclosure, 0),
                shown=one.shown,
                tiles=one.tiles,
            )
            if found is not None and found not in told:
                told.add(found)
                yield found
