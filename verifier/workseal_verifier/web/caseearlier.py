"""The earlier cases over hours of a case: who filed them, how they ended, what was drawn in them.

Rule: who looks at a draw sees whether it was the first over these hours. docs/adr/0101.
"""

from collections.abc import Iterable
from datetime import tzinfo

from workseal_protocol.cli.text import count
from workseal_protocol.dispute import Case
from workseal_verifier.web.casewords import STANDINGS, WHO
from workseal_verifier.web.render import moment


def earlier_of(cases: Iterable[Case], zone: tzinfo) -> list[dict[str, str]]:
    """Tell of each earlier case what it was and what was drawn in it."""
    return [
        {
            "digest": str(one.case),
            "told": f"{WHO[one.filer].capitalize()} filed it on {moment(one.filed_at, zone)}."
            f" {STANDINGS[one.state].title}{_withdrawn(one)}. {_drawn(one)}",
        }
        for one in cases
    ]


def _withdrawn(case: Case) -> str:
    return ", after it was withdrawn" if case.withdrawn and case.closed_at != case.since else ""


def _drawn(case: Case) -> str:
    panel = [key.thumbprint for key in case.terms.arbitrators]
    drawn = case.gone | ({case.arbitrator} if case.arbitrator is not None else set())
    places = [str(place) for place, key in enumerate(panel, 1) if key in drawn]
    if not places:
        return "Nothing was drawn in it."
    noun = "Person" if len(places) == 1 else "Persons"
    sample = case.sample
    frames = (
        "no frames"
        if sample is None or sample.seed is None
        else f"a sample of {count(sample.size, 'frame')}"
    )
    return f"{noun} {', '.join(places)} of {len(panel)} and {frames} were drawn in it."
