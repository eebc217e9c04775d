"""The way of signed statements about a key to the log, and back to a proof that it has them.

Rule: what was signed before and not answered goes first, by the same bytes; what is refused for
good is let go, for it would be refused again.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

from workseal_protocol.cli.ownkeys.keeping import Unanswered
from workseal_protocol.records import KeyAnnounce, KeyRevoke, KeyRotate, read_record
from workseal_protocol.statement import Statement

# What a log says of a key that was rotated or revoked (workseal_protocol.keyhistory).
ENDED: Final = "was rotated or revoked before"


@dataclass(frozen=True, slots=True)
class Logged:
    """Hold statements that the log was seen to have, the index of the first, and by when."""

    statements: tuple[Statement, ...]
    index: int
    by_ms: int | None


Submit: TypeAlias = Callable[[tuple[Statement, ...]], Logged]


class Outgoing:
    """Send what is said about one key to one verifier; `final` are the refusals for good."""

    def __init__(self, unanswered: Unanswered, submit: Submit, final: type[Exception]) -> None:
        self._unanswered = unanswered
        self._submit = submit
        self._final = final

    def settled(self) -> Logged | None:
        """Send again what was signed and not answered; None where nothing was, or it is refused."""
        before = self._unanswered.read()
        if not before:
            return None
        try:
            return self._submit(before)
        except self._final:
            self._unanswered.let_go()
            return None

    def send(self, statements: tuple[Statement, ...]) -> Logged:
        """Keep statements, and have them logged."""
        self._unanswered.keep(statements)
        try:
            return self._submit(statements)
        except self._final:
            self._unanswered.let_go()
            raise

    def told(self) -> None:
        """Let go, once a person was told: who saw nothing repeats the command."""
        self._unanswered.let_go()


def says_the_same(one: Statement, other: Statement) -> bool:
    """Tell whether two statements do the same to the same key, whenever and why they were made."""
    match read_record(one), read_record(other):
        case KeyAnnounce() as first, KeyAnnounce() as second:
            return (first.public_key, first.recovery) == (second.public_key, second.recovery)
        case KeyRotate() as first, KeyRotate() as second:
            return (first.old, first.public_key) == (second.old, second.public_key)
        case KeyRevoke() as first, KeyRevoke() as second:
            return first.key == second.key
        case _:
            return False
