"""Where a decision is another than what both had their last words on."""

from collections.abc import Iterable
from dataclasses import dataclass

from workseal_protocol.records import Act, DisputeAct
from workseal_protocol.terms import amount_text


@dataclass(frozen=True, slots=True)
class Departure:
    """Hold a decision and what it departs from: its draft, or on appeal the first decision."""

    told: DisputeAct
    decision: DisputeAct

    def sentence(self, currency: str) -> str:
        """Say what was told and what was decided."""
        decided, told = _said(self.decision, currency), _said(self.told, currency)
        if self.told.act is Act.DRAFT:
            return f"The decision ({decided}) is not that of the draft ({told})."
        return f"The decision on the appeal ({decided}) is not the first one ({told})."


def departures(records: Iterable[object]) -> tuple[Departure, ...]:
    """Find the decisions of a case that depart in verdict or sum; records in their order."""
    found: list[Departure] = []
    told: DisputeAct | None = None
    for record in records:
        if not isinstance(record, DisputeAct) or record.act not in {Act.DRAFT, Act.DECIDE}:
            continue
        if record.act is Act.DECIDE and told is not None and _differs(told, record):
            found.append(Departure(told, record))
        told = record
    return tuple(found)


def _differs(told: DisputeAct, decision: DisputeAct) -> bool:
    return (told.code, told.amount) != (decision.code, decision.amount)


def _said(act: DisputeAct, currency: str) -> str:
    verdict = "" if act.code is None else act.code.name.lower().replace("_", " ")
    return f"{verdict}, {amount_text(act.amount or 0, currency)}"
