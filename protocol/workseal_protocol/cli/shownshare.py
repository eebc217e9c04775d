"""How much of each frame an opened package shows beside what its request's level of the ladder has.

Rules: the level is that of the last `ask` before the request, so it is told only by whoever has all
statements of the case up to there: the bundle, or the files that `--case` names. What shows more is
said, and no disclosure fails by it (docs/spec/ladder.md).
"""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from workseal_protocol.cli.cases import replay_files
from workseal_protocol.cli.problem import CommandError
from workseal_protocol.digest import Digest
from workseal_protocol.dispute import LADDER, levels_of
from workseal_protocol.records import CasePlace, DisputeFiling, DisputeRequest, read_record
from workseal_protocol.statement import Statement
from workseal_protocol.verify import Report

_NOT_COMPARED: Final = (
    "at which level of the ladder this was asked for does not stand in the bundle, so what is shown"
    " is not compared with it: --case FILE names the statements of the case"
)


class ShownShare(NamedTuple):
    """Say how many of a frame's tiles are shown."""

    name: str
    shown: int
    tiles: int


def level_asked(
    request: Statement, asked: DisputeRequest, told: Iterable[tuple[Digest, object]]
) -> int | None:
    """Return the level of a request in its case; None where not all before it is at hand.

    `told` has statements of the case in its order, with what they say.
    """
    if asked.place is None:
        return None
    before: list[tuple[Digest, object]] = []
    for digest, record in told:
        before.append((digest, record))
        if digest == asked.place.prev:
            return levels_of([*before, (request.digest, asked)])[request.digest] or None
    return None


def statements_at_hand(
    asked: DisputeRequest, report: Report, bundle: Path, files: Sequence[Path] | None
) -> Iterator[tuple[Digest, object]]:
    """Give what is at hand of a request's case, in its order: from the files, else the bundle."""
    if asked.place is None:
        return
    case = asked.place.case
    if files is None:
        for entry in report.entries:
            if entry.digest == case or _case_of(entry.record) == case:
                yield entry.digest, entry.record
        return
    found = replay_files(bundle, files)
    if found.case.case != case:
        raise CommandError(f"expected statements of case {case}, found those of {found.case.case}")
    for one in found.told:
        yield one.statement.digest, read_record(one.statement)


def share_lines(
    asked: DisputeRequest, level: int | None, shares: Iterable[ShownShare]
) -> Iterator[str]:
    """Say which frames show more tiles than the level has, or that none does."""
    if asked.place is None:
        return
    if level is None:
        yield _NOT_COMPARED
        return
    rung = LADDER[level]
    more = [one for one in shares if one.shown > rung.most_tiles(one.tiles)]
    for one in more:
        yield (
            f"frame {one.name}: {one.shown} of {one.tiles} tiles are more than the"
            f" {rung.most_tiles(one.tiles)} that level {level} of the ladder has; nothing follows"
            " from that by itself"
        )
    if not more and rung.one_in > 1:
        yield (
            f"no frame shows more than level {level} of the ladder has, 1 in {rung.one_in} tiles:"
            " counted in this answer alone"
        )


def _case_of(record: object) -> Digest | None:
    if isinstance(record, DisputeFiling):
        return None
    place = getattr(record, "place", None)
    return place.case if isinstance(place, CasePlace) else None
