"""What an examination found."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from workseal_protocol.activity import ActivityShare
from workseal_protocol.bundle import Bundle
from workseal_protocol.diary import Span
from workseal_protocol.digest import Digest
from workseal_protocol.keyhistory import KeyHistory
from workseal_protocol.labels import Labelled
from workseal_protocol.possession import HeldReport
from workseal_protocol.terms import Terms
from workseal_protocol.timesheets import SheetFinding
from workseal_protocol.totals import Totals
from workseal_protocol.window import Entry, Window


class Outcome(StrEnum):
    """Say how a step ended."""

    HOLDS = "holds"
    FAILS = "fails"
    NOT_REACHED = "not reached"


@dataclass(frozen=True, slots=True)
class Step:
    """Hold one numbered step: `why` is the reason, or a remark when the step holds."""

    number: int
    name: str
    outcome: Outcome
    why: str

    def __str__(self) -> str:
        remark = f" ({self.why})" if self.why else ""
        return f"{self.number} {self.name}: {self.outcome}{remark}"


@dataclass(frozen=True, slots=True)
class Report:
    """Hold everything that an examination found, and what it does not prove.

    Values are None, or empty, where the steps that give them did not hold. `window` reaches from
    the lower bound of the first statement of the chain to the upper bound of the last one.
    `witnesses` are the cosigners of the bundle's checkpoint, `independent` those that the caller
    holds to be independent of the operator. `keys` tells which keys spoke for the parties of the
    terms, and until when, as far as the bundle goes. `activity` and `labelled` are what opened
    values say of the time, `labelled_sheets` what of it each timesheet that counts sums up.
    """

    steps: tuple[Step, ...]
    malformed: bool
    not_proven: tuple[str, ...]
    bundle: Bundle | None = None
    engagement: bytes | None = None
    terms: Terms | None = None
    keys: KeyHistory | None = None
    origin: str | None = None
    tree_size: int | None = None
    witnesses: tuple[str, ...] = ()
    independent: tuple[str, ...] = ()
    entries: tuple[Entry, ...] = ()
    window: Window | None = None
    totals: Totals | None = None
    diary: tuple[Span, ...] = ()
    timesheets: tuple[SheetFinding, ...] = ()
    possessions: HeldReport = field(default_factory=HeldReport)
    activity: tuple[ActivityShare, ...] = ()
    labelled: Labelled = field(default_factory=Labelled)
    labelled_sheets: Mapping[Digest, Labelled] = field(default_factory=dict)
    zone: str = "UTC"

    @property
    def holds(self) -> bool:
        """Say whether every step holds."""
        return all(step.outcome is Outcome.HOLDS for step in self.steps)

    @property
    def first_problem(self) -> Step | None:
        """Give the first step that fails, else the first that was not reached."""
        for outcome in (Outcome.FAILS, Outcome.NOT_REACHED):
            for step in self.steps:
                if step.outcome is outcome:
                    return step
        return None

    def by_number(self) -> Mapping[int, Step]:
        """Give the steps by their numbers."""
        return {step.number: step for step in self.steps}


@dataclass(frozen=True, slots=True)
class Verified:
    """Hold a bundle that held in every step; only `verify_bundle` makes one."""

    bundle: Bundle
    report: Report
