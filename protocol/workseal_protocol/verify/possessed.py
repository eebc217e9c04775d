"""Beside the steps: which statements of possession hold. None of them makes a step fail."""

from workseal_protocol.errors import VerificationError
from workseal_protocol.possession import MAX_CHECKED, HeldReport, possessions_of
from workseal_protocol.records import Possession
from workseal_protocol.verify.case import Case
from workseal_protocol.verify.chained import Beacons


def possessions(case: Case) -> HeldReport:
    """Examine the statements of possession beside a chain that step 7 found whole."""
    items = [(index, statement.digest, record) for _, index, statement, record in case.items()]
    return possessions_of(case.terms.round_ms, items, _proven(case), Beacons(case).covers)


def _proven(case: Case) -> set[int]:
    """Find the statements whose value the operator had committed to before."""
    beacons = Beacons(case)
    found: set[int] = set()
    checked = 0
    newest = -1
    for _, index, _, record in case.items():
        if not isinstance(record, Possession) or checked == MAX_CHECKED:
            continue
        checked += 1
        # Rounds of commitments are met in their order; one that goes back is of no later week.
        if record.round <= newest:
            continue
        newest = record.round
        try:
            beacons.commitment_of(index, record.round, record.value)
        except VerificationError:
            continue
        found.add(index)
    return found
