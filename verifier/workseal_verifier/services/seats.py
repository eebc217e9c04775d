"""Who sits in the cases of an engagement, who left one, and which cases stay closed to whom.

Rules: a seat is that of one case. Who sits reads that case, and those that were filed before it
over some of its hours: whoever judges hours is told what was drawn for them. Who left a case,
because they stepped back, were struck, were replaced or were appealed from, reads nothing more of
it, and a request of theirs beside any case opens nothing to them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from workseal_protocol.digest import Digest
from workseal_protocol.dispute import Case


@dataclass(frozen=True, slots=True)
class Seat:
    """Hold one case: who sits and is not shut out, who left, and which cases go along with it."""

    case: Digest
    person: Digest | None
    left: frozenset[Digest]
    earlier: frozenset[Digest]


@dataclass(frozen=True, slots=True)
class Seats:
    """Hold the seats of an engagement; persons are named by all keys that they had."""

    seats: tuple[Seat, ...] = ()

    def has(self, keys: frozenset[Digest]) -> bool:
        """Tell whether a person sits in any case."""
        return any(seat.person in keys for seat in self.seats)

    def left_by(self, keys: frozenset[Digest]) -> bool:
        """Tell whether a person sat in any case and left it before its end."""
        return any(seat.left & keys for seat in self.seats)

    def closed_to(self, keys: frozenset[Digest]) -> frozenset[Digest]:
        """Name the cases of which a person of the panel reads nothing."""
        own = [seat for seat in self.seats if seat.person in keys]
        reads = {case for seat in own for case in (seat.case, *seat.earlier)}
        return frozenset(
            seat.case for seat in self.seats if seat.case not in reads or seat.left & keys
        )


def is_before(one: Case, case: Case) -> bool:
    """Tell whether a case was filed before another over some of its hours."""
    return (
        one.case != case.case and one.filed_at <= case.filed_at and one.filing.overlaps(case.filing)
    )


def seat_of(case: Case, others: Sequence[Case], *, is_shut: bool) -> Seat:
    """Give the seat of a case among those of its engagement."""
    earlier = frozenset(one.case for one in others if is_before(one, case))
    return Seat(case.case, None if is_shut else case.arbitrator, case.gone, earlier)
