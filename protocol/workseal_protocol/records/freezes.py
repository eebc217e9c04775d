"""A freeze: which frames a sample is drawn from, before anybody can know the draw.

docs/spec/sampling.md.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import Final, Self

from workseal_protocol.digest import Digest
from workseal_protocol.encoding import Fields, Value
from workseal_protocol.errors import MalformedError
from workseal_protocol.records.bounds import check_uint
from workseal_protocol.records.caselinks import MAX_DAY
from workseal_protocol.records.rows import row, uint_at

MAX_STRATA: Final = 400
MAX_FRAMES: Final = 100_000


class Holding(IntEnum):
    """Say whether the frames of a stratum can still be shown."""

    KEPT = 0
    WITHDRAWN = 1


@dataclass(frozen=True, slots=True, order=True)
class Stratum:
    """Count the frames of one day (days since 1 January 1970, UTC) that are kept, or withdrawn."""

    holding: Holding
    day: int
    count: int

    def __post_init__(self) -> None:
        check_uint("day", self.day, maximum=MAX_DAY)
        check_uint("count", self.count, minimum=1, maximum=MAX_FRAMES)


@dataclass(frozen=True, slots=True)
class Freeze:
    """Hold the Merkle root over all frames of the disputed hours and their strata, in order."""

    root: Digest
    strata: tuple[Stratum, ...]

    def __post_init__(self) -> None:
        if not 1 <= len(self.strata) <= MAX_STRATA:
            raise ValueError(f"strata: expected 1 to {MAX_STRATA}, found {len(self.strata)}")
        places = [(one.holding, one.day) for one in self.strata]
        if places != sorted(set(places)):
            raise ValueError("strata: expected them in order, each once")
        check_uint("frames", self.count, minimum=1, maximum=MAX_FRAMES)

    @property
    def count(self) -> int:
        """Return how many frames there are."""
        return sum(one.count for one in self.strata)

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Read what `to_value` writes; a value out of bounds is a `ValueError`."""
        rows = fields.array(2, "strata", minimum=1, maximum=MAX_STRATA)
        freeze = cls(fields.digest(1, "root"), tuple(_read_stratum(item) for item in rows))
        fields.close()
        return freeze

    def to_value(self) -> dict[int, Value]:
        """Return the map of key 20."""
        return {1: self.root.raw, 2: [[one.holding, one.day, one.count] for one in self.strata]}


def _read_stratum(item: Value) -> Stratum:
    parts = row(item, 3)
    try:
        holding = Holding(uint_at(parts, 0))
    except ValueError as error:
        raise MalformedError(f"stratum: {error}") from error
    return Stratum(holding, uint_at(parts, 1), uint_at(parts, 2))
