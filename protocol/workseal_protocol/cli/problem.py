"""What ends a command: one sentence, and the exit code that goes with it."""

from typing import Final

HOLDS: Final = 0
DOES_NOT_HOLD: Final = 1
MALFORMED: Final = 2


class CommandError(Exception):
    """Say in one sentence why a command cannot go on; `code` becomes its exit code."""

    def __init__(self, message: str, code: int = MALFORMED) -> None:
        super().__init__(message)
        self.code = code
