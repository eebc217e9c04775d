"""What checks of shown tiles found in a case: by whom, and whether they say the same.

Rules: a finding is its signer's word, and here no other's; that of the operator and that of the
arbitrator stand beside each other. Where they differ one of them is not so, and this says that much
and no more. What shows more than the ladder has is named, whoever found it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from workseal_protocol.cli.acting.reading import Live
from workseal_protocol.cli.text import count
from workseal_protocol.digest import Digest
from workseal_protocol.dispute import Excess, excesses, levels_of
from workseal_protocol.keys import Role
from workseal_protocol.records import DisputeFinding, Finding, Outcome

# How the freelancer has the operator check what went sealed only.
CHECK: Final = "check"


@dataclass(frozen=True, slots=True)
class CheckFound:
    """Hold what one check of one disclosure found."""

    disclosure: Digest
    by: Role
    findings: tuple[Finding, ...]

    @property
    def holds(self) -> bool:
        """Say whether it holds for all of it."""
        return all(one.outcome is Outcome.HOLDS for one in self.findings)

    @property
    def line(self) -> str:
        """Write it on a line."""
        holding = sum(one.outcome is Outcome.HOLDS for one in self.findings)
        shown, tiles = (sum(getattr(one, n) for one in self.findings) for n in ("shown", "tiles"))
        return (
            f"the {self.by.name.lower()}'s check of {self.disclosure} holds for {holding} of"
            f" {count(len(self.findings), 'frame')}, {shown} of {count(tiles, 'tile')} shown"
        )


def findings_in(live: Live) -> tuple[CheckFound, ...]:
    """Return the findings of a case, in its order."""
    return tuple(
        CheckFound(one.record.disclosure, one.by, one.record.findings)
        for one in live.steps
        if isinstance(one.record, DisputeFinding)
    )


def do_differ(findings: Sequence[CheckFound]) -> bool:
    """Say whether checks of one disclosure found different things."""
    return len({frozenset(one.findings) for one in findings}) > 1


def unchecked(live: Live) -> tuple[Digest, ...]:
    """Return what was shown in a case, is not taken back, and was not checked by the operator."""
    by_operator = {one.disclosure for one in findings_in(live) if one.by is Role.OPERATOR}
    gone = by_operator | live.case.clawed_back
    return tuple(one for one in live.case.unexamined if one not in gone)


def excesses_in(live: Live) -> tuple[Excess, ...]:
    """Return what findings of a case tell of answers that show more than the ladder has."""
    levels = levels_of(live.said)
    found = (one.record for one in live.steps if isinstance(one.record, DisputeFinding))
    return tuple(excesses(levels, found))


def check_lines(live: Live) -> Iterator[str]:
    """Tell, disclosure by disclosure, what was found."""
    found, beyond = findings_in(live), excesses_in(live)
    for disclosure in live.case.unexamined:
        own = [one for one in found if one.disclosure == disclosure]
        yield from (one.line for one in own)
        if not own:
            yield f"nobody has said yet what a check of {disclosure} found"
        yield from (one.sentence for one in beyond if one.answer == disclosure)
        if do_differ(own):
            yield (
                f"they do not say the same of {disclosure}: one of them is not so, and whoever has"
                " what was shown can tell which"
            )
