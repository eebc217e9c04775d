"""The draw of an arbitrator from the panel of the terms, by a value of the beacon to come."""

from collections.abc import Iterable
from typing import Final

from workseal_protocol.digest import Digest, Tag, sha256
from workseal_protocol.lottery import round_at

# The value is released this long after the draw was due to begin: nobody had it before.
WAIT_MS: Final = 60_000


def panel_round(since_ms: int, round_ms: int) -> int:
    """Return the round whose value draws: the first that begins after the wait."""
    return round_at(since_ms + WAIT_MS, round_ms) + 1


def draw_person(case: Digest, number: int, value: bytes, left: Iterable[Digest]) -> Digest:
    """Return the person with the smallest hash; `ValueError` when nobody is left."""
    place = number.to_bytes(8, "big")
    return min(left, key=lambda one: sha256(Tag.PANEL, case.raw, place, value, one.raw))
