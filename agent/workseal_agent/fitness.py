"""Whether a part of this machine can be used, and why: what `doctor` shows for each candidate.

Rule: a reason is one sentence about the machine; it never holds a title, a name of a file of the
user, or anything of a picture.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fitness:
    """Say of one candidate whether it can be used here, and why."""

    name: str
    fit: bool
    reason: str

    def __post_init__(self) -> None:
        if not self.name or not self.reason or "\n" in self.reason:
            raise ValueError("a candidate has a name and a reason of one line")
