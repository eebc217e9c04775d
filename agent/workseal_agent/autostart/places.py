"""Where entries are written: files and links of the person's own, the registry of Windows.

Rules: a file appears whole or not at all. Folders that were missing are made, and stay.
"""

import importlib
import os
import subprocess
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

from workseal_agent.autostart.entries import Entry, Form

_MAX_BYTES = 65_536
_SECONDS = 10.0
_RUN = r"Software\Microsoft\Windows\CurrentVersion\Run"


class Place(Protocol):
    """One kind of place; each is named by a text."""

    def read(self, place: str) -> str | None:
        """Return what is there, None when nothing is; what has another form reads as empty."""
        ...

    def write(self, place: str, content: str) -> None:
        """Put something there."""
        ...

    def remove(self, place: str) -> None:
        """Take away what is there."""
        ...


class Files:
    """Files of the person's own."""

    def read(self, place: str) -> str | None:
        """Return a file's text."""
        path = Path(place)
        if not os.path.lexists(path):
            return None
        if path.is_symlink() or not path.is_file():
            return ""
        with path.open("rb") as file:
            return file.read(_MAX_BYTES).decode(errors="replace")

    def write(self, place: str, content: str) -> None:
        """Write a file whole."""
        path = Path(place)
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, part = tempfile.mkstemp(dir=path.parent, prefix=".workseal-")
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(content)
            Path(part).replace(path)
        except BaseException:
            Path(part).unlink(missing_ok=True)
            raise

    def remove(self, place: str) -> None:
        """Remove a file."""
        Path(place).unlink(missing_ok=True)


class Links:
    """Symbolic links; what is written is where they lead."""

    def read(self, place: str) -> str | None:
        """Return where a link leads."""
        path = Path(place)
        if path.is_symlink():
            return str(path.readlink())
        return "" if path.exists() else None

    def write(self, place: str, content: str) -> None:
        """Make a link."""
        path = Path(place)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.symlink_to(content)

    def remove(self, place: str) -> None:
        """Remove a link, and not what it leads to."""
        Path(place).unlink(missing_ok=True)


class RunKey:
    """The values under the key of Windows that holds what begins with the log-in of this user."""

    def read(self, place: str) -> str | None:
        """Return the text of a value."""
        registry = _registry()
        with suppress(FileNotFoundError), self._opened(registry, registry.KEY_READ) as key:
            value, kind = registry.QueryValueEx(key, place)
            return str(value) if kind == registry.REG_SZ else ""
        return None

    def write(self, place: str, content: str) -> None:
        """Set a value."""
        registry = _registry()
        with registry.CreateKeyEx(registry.HKEY_CURRENT_USER, _RUN, 0, registry.KEY_WRITE) as key:
            registry.SetValueEx(key, place, 0, registry.REG_SZ, content)

    def remove(self, place: str) -> None:
        """Delete a value."""
        registry = _registry()
        with suppress(FileNotFoundError), self._opened(registry, registry.KEY_WRITE) as key:
            registry.DeleteValue(key, place)

    def _opened(self, registry: Any, rights: int) -> Any:
        return registry.OpenKey(registry.HKEY_CURRENT_USER, _RUN, 0, rights)


def _registry() -> Any:
    return importlib.import_module("winreg")


class Places:
    """Read, write and remove entries; `changed` is called after they were changed."""

    def __init__(self, changed: Callable[[], None] = lambda: None) -> None:
        self._by_form: dict[Form, Place] = {
            Form.FILE: Files(),
            Form.LINK: Links(),
            Form.REGISTRY: RunKey(),
        }
        self.changed = changed

    def read(self, entry: Entry) -> str | None:
        """Return what stands at an entry's place now."""
        return self._by_form[entry.form].read(entry.place)

    def write(self, entry: Entry) -> None:
        """Write an entry."""
        self._by_form[entry.form].write(entry.place, entry.content)

    def remove(self, entry: Entry) -> None:
        """Remove what stands at an entry's place."""
        self._by_form[entry.form].remove(entry.place)


def places_of(*, systemd: bool) -> Places:
    """Return the places of this machine; systemd is told of each change."""
    return Places(_reload if systemd else lambda: None)


def session_is_of_systemd() -> bool:
    """Say whether the desktop that runs now was begun under systemd's target for it."""
    return _systemctl("is-active", "--quiet", "graphical-session.target")


def _reload() -> None:
    _systemctl("daemon-reload")


def _systemctl(*words: str) -> bool:
    try:
        done = subprocess.run(  # noqa: S603 - systemd's own program, with fixed words
            ["systemctl", "--user", *words],  # noqa: S607 - wherever the system has it
            capture_output=True,
            timeout=_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0
