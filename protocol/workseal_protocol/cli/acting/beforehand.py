"""What a case is asked before anything is made for an act in it: no secret read, no file written.

Rule: where the case itself says why it does not take an act, this is silent, and the case says it.
"""

from collections.abc import Iterable
from typing import Protocol

from workseal_protocol.cli.acting.grantedhours import opened_of
from workseal_protocol.cli.acting.said import digest_of
from workseal_protocol.cli.problem import DOES_NOT_HOLD, CommandError
from workseal_protocol.commitment import Opening
from workseal_protocol.dispute import Case
from workseal_protocol.keys import Role
from workseal_protocol.statement import Statement


class Beside(Protocol):
    """Bring what is handed over and the record of work; keep what is to be told of them."""

    def openings(self) -> tuple[Opening, ...]:
        """Return what goes beside, read as openings."""
        ...

    def statements(self) -> Iterable[Statement]:
        """Give the engagement's statements in the order of the log."""
        ...

    def note(self, line: str) -> None:
        """Keep what the signer should know and no statement has."""
        ...


def require_open_offer(case: Case, by: Role, cited: Iterable[str]) -> None:
    """Refuse to accept anything but the offer that stands; where none does, the case says so."""
    there = [offer for offer, maker in case.offers.items() if maker is not by]
    named = [digest_of("--cite", one) for one in cited]
    if there and named != there:
        raise CommandError(
            f"accept: expected the open offer of the other party, {there[0]}, found"
            f" {', '.join(map(str, named))}; look at it first: 'case show' says its sum",
            DOES_NOT_HOLD,
        )


def require_to_reveal(case: Case, by: Role) -> None:
    """Ask the case first: a secret that is out is kept no longer, and is in the draw."""
    if case.sample is None or by not in case.sample.commitments:
        text = "reveal: expected a secret that you committed to in this case, found none"
        raise CommandError(text, DOES_NOT_HOLD)
    if by in case.sample.secrets:
        text = "reveal: your secret is in the case already, and mixed into the draw"
        raise CommandError(text, DOES_NOT_HOLD)


def note_opened(case: Case, means: Beside) -> None:
    """See that openings of what was granted are handed over; else the case refuses the act."""
    if case.ask is not None and case.ask.level == 1 and case.ask.granted:
        means.note(opened_of(case.ask, means.openings(), means.statements()))
