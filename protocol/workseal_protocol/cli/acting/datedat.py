"""When a statement is dated: by this machine's clock, or where that is wrong by the verifier's.

Rule: nobody else's clock dates a statement more than a day away from here. What is dated years
ahead would take every deadline of its case with it.
"""

from typing import Final

from workseal_protocol.cli.problem import DOES_NOT_HOLD, CommandError

# A server takes what was signed at most a minute ago by its clock; half of it is for the way.
WRONG_CLOCK_MS: Final = 20_000
# So much a zone that was set wrong makes, and a day of the week is still the right one.
FURTHEST_MS: Final = 86_400_000


def dated_at(own_ms: int, told_ms: int, least_ms: int = 0) -> int:
    """Return the instant for what is signed now, not before `least_ms`, or raise `CommandError`.

    `told_ms` is the verifier's clock, `least_ms` the instant of the statement before.
    """
    chosen = told_ms if abs(told_ms - own_ms) > WRONG_CLOCK_MS else own_ms
    if abs(chosen - own_ms) > FURTHEST_MS:
        raise CommandError(
            "the verifier's clock and this machine's are more than a day apart: set this one right,"
            " or ask the operator; nothing was signed",
            DOES_NOT_HOLD,
        )
    if least_ms - own_ms > FURTHEST_MS:
        raise CommandError(
            "the case has a statement that is dated more than a day ahead of this machine's clock:"
            " nothing was signed",
            DOES_NOT_HOLD,
        )
    return max(chosen, least_ms)
