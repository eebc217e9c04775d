"""Why a statement is not the next one of its case."""

from enum import StrEnum

from workseal_protocol.errors import VerificationError


class Rule(StrEnum):
    """Name the outcomes of docs/spec/dispute.md."""

    CASE = "case"
    LINK = "link"
    PARTY = "party"
    TABLE = "table"
    FILING = "filing"
    DEADLINE = "deadline"
    TIME = "time"
    ONCE = "once"
    LADDER = "ladder"
    ROOM = "room"
    DRAW = "draw"
    SAMPLE = "sample"
    REQUEST = "request"
    CITATION = "citation"
    AMOUNT = "amount"
    FULL = "full"


class CaseError(VerificationError):
    """Say who did what, what was expected and what was found."""

    def __init__(self, rule: Rule, what: str, *, expected: str, found: str) -> None:
        super().__init__(f"{what}: expected {expected}, found {found}")
        self.rule = rule
        self.what = what
        self.expected = expected
        self.found = found
