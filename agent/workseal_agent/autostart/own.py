"""What one home begins with its owner's log-in, and where that stands on this machine."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from workseal_agent.autostart.entries import ICON, Entry, entries_for
from workseal_agent.autostart.places import places_of, session_is_of_systemd
from workseal_agent.autostart.switch import Autostart

_PROGRAM = "from workseal_agent import main; raise SystemExit(main())"


@dataclass(frozen=True, slots=True)
class LogIn:
    """Know this machine's log-in: by `systemd` where the desktop's session is one of its own."""

    home: Path
    file: Path
    systemd: bool

    @classmethod
    def of(cls, home: Path, file: Path) -> "LogIn":
        """Look at the machine; `file` keeps the list of what was written."""
        return cls(home, file, sys.platform == "linux" and session_is_of_systemd())

    def switch(self) -> Autostart:
        """Return what turns it on and off."""
        return Autostart(self.file, places_of(systemd=self.systemd))

    def entries(self, *, engagement: bytes | None = None, tray: bool = False) -> tuple[Entry, ...]:
        """Return what begins this home's recording, paused, and with `tray` the icon.

        Without an engagement it is the one joined last by then. `AgentError` for what no entry
        can hold.
        """
        # -P: a file in the folder where the log-in begins must not be taken for a library.
        program = [sys.executable, "-P", "-c", _PROGRAM, "--home", str(self.home)]
        named = [] if engagement is None else ["--engagement", engagement.hex()]
        config = os.environ.get("XDG_CONFIG_HOME")
        folder = Path(config) if config else Path.home() / ".config"
        words, home = [*program, *named, "begin-at-login"], Path.home()
        entries = entries_for(sys.platform, home, folder, words, systemd=self.systemd)
        if not tray:
            return entries
        words = [*program, "tray"]
        icon = entries_for(sys.platform, home, folder, words, systemd=self.systemd, begun=ICON)
        return entries + icon


def shows_icons() -> bool:
    """Tell whether this system may show the icon in a panel."""
    return sys.platform not in {"win32", "darwin"}
