"""Where in a line that was read something is, and what; what every search of a line yields."""

from dataclasses import dataclass
from typing import Final

from workseal_agent.suggestions.suggestion import Kind, Sureness, Why

# Of one row; what is longer is no line of a screen.
MAX_TEXT: Final = 4096


@dataclass(frozen=True, slots=True)
class Finding:
    """Say where in a line something is, and what."""

    kind: Kind
    why: Why
    sureness: Sureness
    start: int
    end: int
