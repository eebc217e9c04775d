"""What `status`, `vault check` and the pages tell of the weekly proof of frames."""

from collections.abc import Iterator
from typing import Any

from workseal_agent.language import Phrase, phrase
from workseal_agent.ledger import SendState
from workseal_agent.possessionweeks import Said


def possession_lines(said: Said) -> Iterator[Phrase]:
    """Tell it in words; nothing where there is nothing to tell."""
    if said.state is not None:
        yield phrase(
            "weekly proof of your frames: week {week}, {found}; {way}",
            week=said.week,
            found=_found(said),
            way=_way(said.state),
        )
    if said.due is not None:
        yield phrase(
            "weekly proof of your frames: week {week} is due; the next recording makes it, or"
            " `workseal-agent vault prove`, and no hour depends on it",
            week=said.due,
        )


def _found(said: Said) -> Phrase:
    drawn = said.shown + said.lost
    if not drawn:
        return phrase("nothing drawn yet")
    counts = {"shown": said.shown, "drawn": drawn}
    if not said.lost:
        return phrase("{shown} of {drawn} drawn frames shown", **counts)
    return phrase("{shown} of {drawn} drawn frames shown, {lost} LOST", lost=said.lost, **counts)


def _way(state: SendState) -> Phrase:
    match state:
        case SendState.RECEIPTED:
            return phrase("in the log")
        case SendState.PARKED | SendState.REPLACED:
            return phrase("refused by the verifier; no hour waits for it")
        case SendState.UNSENT | SendState.HELD:
            return phrase("not sent yet")


def possession_value(said: Said) -> dict[str, Any]:
    """Tell it to a program."""
    return {
        "week": said.week or None,
        "shown": said.shown,
        "lost": said.lost,
        "state": None if said.state is None else str(said.state),
        "week_due": said.due,
        "next_ms": said.next_ms,
    }
