"""What `status` and `vault check` tell of the weekly proof that frames are still held."""

from collections.abc import Iterator
from typing import Any

from workseal_agent.ledger import SendState
from workseal_agent.possession import Said

_WAYS = {
    SendState.UNSENT: "not sent yet",
    SendState.PARKED: "refused by the verifier; no hour waits for it",
    SendState.RECEIPTED: "in the log",
    SendState.HELD: "held",
}


def possession_lines(said: Said) -> Iterator[str]:
    """Tell it in words; nothing where there is nothing to tell."""
    if said.state is not None:
        drawn = said.shown + said.lost
        found = "nothing drawn yet" if not drawn else f"{said.shown} of {drawn} drawn frames shown"
        lost = f", {said.lost} LOST" if said.lost else ""
        yield f"weekly proof of your frames: week {said.week}, {found}{lost}; {_WAYS[said.state]}"
    if said.due is not None:
        yield (
            f"weekly proof of your frames: week {said.due} is due; the next recording makes it, and"
            " no hour depends on it"
        )


def possession_value(said: Said) -> dict[str, Any]:
    """Tell it to a program."""
    return {
        "week": said.week or None,
        "shown": said.shown,
        "lost": said.lost,
        "state": None if said.state is None else str(said.state),
        "week_due": said.due,
    }
