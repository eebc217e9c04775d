"""The home: which folder it is, and that it is its owner's alone."""

import os
import stat
from collections.abc import Mapping
from pathlib import Path

from workseal_agent.errors import SettingsError
from workseal_agent.language import phrase

HOME_VARIABLE = "WORKSEAL_AGENT_HOME"


def home_folder(argument: Path | None, environment: Mapping[str, str]) -> Path:
    """Choose the home: the argument, WORKSEAL_AGENT_HOME, or the system's place for user data."""
    if argument is not None:
        return argument.expanduser().absolute()
    named = environment.get(HOME_VARIABLE)
    if named:
        return Path(named).expanduser().absolute()
    import platformdirs  # noqa: PLC0415 - not needed when the home is named

    return platformdirs.user_data_path("workseal-agent")


def prepare_home(home: Path) -> None:
    """Make the home folder, or take one that is private already, or empty.

    Raises `SettingsError` for any other folder: its rights are not this program's to change.
    """
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not any(home.iterdir()) and home.stat().st_uid == os.geteuid():
            home.chmod(0o700)
    except OSError as error:
        raise SettingsError(
            phrase("the home folder cannot be used: {reason}", reason=error.strerror)
        ) from error
    require_private(home)


def require_private(home: Path) -> None:
    """Check that a home is its owner's alone, and change nothing; `SettingsError` if it is not."""
    try:
        found = home.stat()
    except OSError as error:
        raise SettingsError(
            phrase("the home folder cannot be used: {reason}", reason=error.strerror)
        ) from error
    if found.st_uid != os.geteuid():
        raise SettingsError("the home folder belongs to another user")
    mode = stat.S_IMODE(found.st_mode)
    if mode & 0o077:
        raise SettingsError(
            phrase(
                "the home folder is open to other users (mode {mode:03o}, expected 700):"
                " `chmod 700 {home}`",
                mode=mode,
                home=home,
            )
        )
