"""Beginning with the person's log-in: what is written for it, where, and its removal.

Rules: what begins by itself begins paused. No passphrase is written anywhere. What was written is
kept in a list, and exactly that is removed: nothing that somebody else wrote, or changed since.
"""

from workseal_agent.autostart.entries import Entry, entries_for
from workseal_agent.autostart.own import LogIn, shows_icons
from workseal_agent.autostart.places import Places, places_of
from workseal_agent.autostart.switch import Autostart, Found

__all__ = [
    "Autostart",
    "Entry",
    "Found",
    "LogIn",
    "Places",
    "entries_for",
    "places_of",
    "shows_icons",
]
