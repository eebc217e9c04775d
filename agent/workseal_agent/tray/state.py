"""What the tray shows of the recording, made from its answer to `status`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from workseal_agent.language import Phrase, phrase
from workseal_agent.tray.icon import Sign

_SIGNS = {
    "working": Sign.WORKING,
    "off-screen": Sign.OFF_SCREEN,
    "sealed": Sign.SEALED,
    "paused": Sign.PAUSED,
    "locked": Sign.PAUSED,
}
_TOLD = {
    "working": phrase("Recording"),
    "off-screen": phrase("Recording, away from the screen"),
    "sealed": phrase("Recording, sealed: no pictures, no counts"),
    "paused": phrase("Paused"),
    "locked": phrase("Paused: the screen is locked"),
}


@dataclass(frozen=True, slots=True)
class TrayState:
    """Hold what is shown: a sign, what it means, and which entries of the menu can be chosen.

    `troubled` says that something goes wrong; what it is stands in `status` and on the pages.
    """

    sign: Sign
    told: Phrase
    recording: bool = False
    paused: bool = False
    sealed: bool = False
    troubled: bool = False


NOTHING = TrayState(Sign.STOPPED, phrase("Nothing is recorded"))
UNKNOWN = TrayState(Sign.TROUBLED, phrase("The recording process does not answer"), troubled=True)


def state_of(answer: Mapping[str, Any]) -> TrayState:
    """Return what is shown of an answer to `status`; what is not known is a trouble."""
    name = answer.get("state")
    if name == "stopped":
        return NOTHING
    if not isinstance(name, str) or name not in _SIGNS:
        return UNKNOWN
    wrongs = ("troubles", "halted", "captures_failing")
    troubled = any(answer.get(wrong) for wrong in wrongs)
    return TrayState(
        Sign.TROUBLED if troubled else _SIGNS[name],
        _TOLD[name],
        recording=True,
        paused=_SIGNS[name] is Sign.PAUSED,
        sealed=name == "sealed",
        troubled=troubled,
    )
