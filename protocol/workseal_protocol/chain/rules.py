"""The names of the chain's rules, and the verification step that each belongs to."""

from enum import StrEnum

from workseal_protocol.errors import VerificationError


class Rule(StrEnum):
    """Name each rule of docs/spec/chain.md."""

    ENGAGEMENT = "engagement"
    SEQUENCE = "sequence"
    LINK = "link"
    ANCHOR = "anchor"
    SESSION = "session"
    FRAME = "frame"
    TOMBSTONE = "tombstone"
    TERMS = "terms"
    ROUND = "round"
    BOUNDS = "bounds"
    OVERLAP = "overlap"
    WORKED = "worked"
    DECLARATION = "declaration"
    ACTIVITY = "activity"
    AGENT_VALUE = "agent-value"
    DRAW = "draw"
    CAPTURE = "capture"
    CLOSING = "closing"

    @property
    def step(self) -> int:
        """Name the step of docs/spec/verification.md that this rule is part of."""
        return _STEPS.get(self, 7)


_STEPS = {
    Rule.TERMS: 8,
    Rule.ROUND: 8,
    Rule.BOUNDS: 8,
    Rule.OVERLAP: 8,
    Rule.WORKED: 8,
    Rule.DECLARATION: 8,
    Rule.ACTIVITY: 9,
    Rule.AGENT_VALUE: 9,
    Rule.DRAW: 9,
    Rule.CAPTURE: 9,
    Rule.CLOSING: 13,
}


class ChainError(VerificationError):
    """Say which rule of the chain a statement breaks."""

    def __init__(self, rule: Rule, detail: str) -> None:
        super().__init__(f"{rule}: {detail}")
        self.rule = rule
        self.detail = detail

    @property
    def step(self) -> int:
        """Name the step of docs/spec/verification.md that fails."""
        return self.rule.step
