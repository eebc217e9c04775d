"""Notices of the desktop: what a person must know, and need not hurry about.

Rules: a notice may stand on a screen that others see, and in the desktop's own list: it holds no
memo, no title, no address, and of an engagement the short number alone. Whoever shows it is asked
over D-Bus (Desktop Notifications Specification) and not waited for.
"""

from dataclasses import dataclass
from typing import Any

from workseal_agent import bus
from workseal_agent.language import own

_NAME = "org.freedesktop.Notifications"
_PATH = "/org/freedesktop/Notifications"
_PROGRAM = "Workseal"
_NEW = 0
_AS_THE_DESKTOP_LIKES = -1


@dataclass(frozen=True, slots=True)
class Notice:
    """Hold a line and a sentence."""

    summary: str
    body: str


def show(address: str | None, notice: Notice) -> None:
    """Hand a notice to the desktop of a session, or raise `BusError` when it takes none."""
    with bus.connected(address) as connection:
        able: list[Any] = connection.call(_NAME, _PATH, f"{_NAME}.GetCapabilities").body[0]
        # Only some desktops read markup, and only these must not see a bare sign of it.
        told = own(notice.body)
        body = _escaped(told) if "body-markup" in able else told
        connection.call(
            _NAME, _PATH, f"{_NAME}.Notify",
            _PROGRAM, _NEW, "", own(notice.summary), body, list[str](), dict[str, Any](),
            _AS_THE_DESKTOP_LIKES, signature="susssasa{sv}i",
        )  # fmt: skip


def _escaped(text: str) -> str:
    # Loaded where it is needed: its table of entities stays in a process that is there all day.
    from html import escape  # noqa: PLC0415

    return escape(text, quote=False)
