"""What a check of the desk says: a sentence, what it rests on, and never a verdict."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Outcome(StrEnum):
    """Say how a check ended; *noticed* means worth a question, not that anybody did wrong."""

    NOTHING = "nothing noticed"
    NOTICED = "noticed"
    NOT_RUN = "not run"


@dataclass(frozen=True, slots=True)
class Checked:
    """Hold one numbered check: what was found, and the rows that whoever doubts it counts again."""

    number: int
    name: str
    outcome: Outcome
    sentence: str
    proof: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DeskReport:
    """Hold all checks, in their order, and what none of them can prove."""

    checks: tuple[Checked, ...]
    not_proven: tuple[str, ...]

    @property
    def noticed(self) -> tuple[Checked, ...]:
        """Give the checks that are worth a question."""
        return tuple(one for one in self.checks if one.outcome is Outcome.NOTICED)


NOT_PROVEN: Final = (
    (
        "A check that notices something does not prove that anybody did wrong: honest work can"
        " look like that, and some did in trials."
    ),
    (
        "A check that notices nothing does not prove that a person worked: input that imitates a"
        " person, and a screen that is staged with care, look like any other."
    ),
    "Openings and tiles are those that the freelancer showed. Of what is hidden nothing is said.",
)
