"""`workseal case show --openings`: of how many segments of the granted hours activity is opened.

Rule: nothing is counted but what a bundle that holds under the caller's own policy committed to.
"""

import argparse
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from workseal_protocol.casefile import GrantedHours, granted_in
from workseal_protocol.casefile.exhibits import SALT_BYTES
from workseal_protocol.cli.files import read_bytes
from workseal_protocol.cli.problem import DOES_NOT_HOLD, CommandError
from workseal_protocol.cli.verification import report_that_holds
from workseal_protocol.commitment import Opening
from workseal_protocol.desk import gather
from workseal_protocol.digest import Digest
from workseal_protocol.encoding import split_sequence
from workseal_protocol.errors import MalformedError, VerificationError

# Two openings of each segment of the longest bundle.
MAX_OPENINGS: Final = 131_072
_MAX_BYTES: Final = 64 * 2**20


def read_openings(path: Path) -> tuple[Opening, ...]:
    """Read openings that were handed over beside, or raise `CommandError`."""
    return parse_openings(read_bytes(path, limit=_MAX_BYTES, what="openings"), path)


def parse_openings(data: bytes, path: Path | str) -> tuple[Opening, ...]:
    """Parse the content of a file of openings, or raise `CommandError`, which names the file."""
    try:
        return _parsed(data)
    except MalformedError as error:
        if _is_salted(data):
            # What a party hands over has a salt; its digest is of both, what it opens is not.
            why = f"their last {SALT_BYTES} bytes are the salt: head -c -{SALT_BYTES} cuts it off"
            raise CommandError(f"the openings {path} are salted, {why}") from error
        raise CommandError(f"the openings {path} are malformed: {error}") from error


def _parsed(data: bytes) -> tuple[Opening, ...]:
    return tuple(map(Opening.parse, split_sequence(data, max_items=MAX_OPENINGS)))


def _is_salted(data: bytes) -> bool:
    try:
        return bool(_parsed(data[:-SALT_BYTES]))
    except MalformedError:
        return False


def require_together(options: argparse.Namespace) -> None:
    """Refuse a part of what counting needs, before anybody is asked anything."""
    given = (options.openings, options.bundle, options.policy)
    if any(given) and not all(given):
        raise CommandError("--openings, --bundle and --policy belong together")


def granted_beside(
    options: argparse.Namespace, told: Iterable[tuple[Digest, object]], engagement: bytes
) -> tuple[GrantedHours, ...]:
    """Count, for each granted request of level 1, what the openings beside its case open."""
    if options.openings is None:
        return ()
    openings = read_openings(options.openings)
    report = report_that_holds(options.bundle, options.policy)
    if report.engagement != engagement:
        raise CommandError("the bundle is about another engagement than the case", DOES_NOT_HOLD)
    try:
        gather(report, openings=openings)
    except (MalformedError, VerificationError) as error:
        raise CommandError(f"what was opened does not hold: {error}", DOES_NOT_HOLD) from error
    return granted_in(report, told, openings)


def as_value(one: GrantedHours) -> dict[str, object]:
    """Write for programs how much was opened of the hours of a request."""
    return {
        "ask": str(one.asked.ask),
        "begin": one.asked.begin,
        "end": one.asked.end,
        "granted": one.asked.granted,
        "segments": one.segments,
        "opened": one.opened,
    }
