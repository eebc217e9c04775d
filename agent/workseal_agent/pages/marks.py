"""Places on a picture that somebody should look at before it is shown: what they are, and why.

Rule: a mark hides nothing and shows nothing. The editor draws it with its reason; the freelancer
decides.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from workseal_agent.vault import StoredFrame
from workseal_protocol.frame import Box

MAX_KIND = 40
MAX_REASON = 200


@dataclass(frozen=True, slots=True)
class Mark:
    """Hold one place; `kind` is a word such as "password", `reason` one plain sentence."""

    box: Box
    kind: str
    reason: str

    def __post_init__(self) -> None:
        if not 1 <= len(self.kind) <= MAX_KIND or not 1 <= len(self.reason) <= MAX_REASON:
            raise ValueError("a mark has a kind and a reason, both short")

    def told(self) -> dict[str, Any]:
        """Return the mark as the editor reads it."""
        box = self.box
        return {
            "left": box.left,
            "top": box.top,
            "width": box.width,
            "height": box.height,
            "kind": self.kind,
            "reason": self.reason,
        }


# Looks at a frame and marks it; runs when the editor opens, with the vault unlocked.
Suggest = Callable[[StoredFrame], tuple[Mark, ...]]


def no_marks(_frame: StoredFrame) -> tuple[Mark, ...]:
    """Mark nothing."""
    return ()
