"""The entries that begin a command with the log-in, in the forms of the systems that read them.

Rules: each word of the command stays one word, whatever is in it; what no form can hold is refused.
A systemd unit is used where the desktop's session is one of systemd's (systemd.special(7),
graphical-session.target); else the desktop itself reads an entry (XDG autostart specification).
"""

import plistlib
import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from workseal_agent.errors import AgentError

NAME = "workseal-agent"
_TARGET = "graphical-session.target"
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
# What Python reads bytes of a path as that are no UTF-8; each of the forms is a text.
_UNREADABLE = re.compile(r"[\ud800-\udfff]")
# Of the program alone, systemd refuses quotes and backslashes, and leaves $$ as it stands.
_ODD_NAME = re.compile(r"[\"'\\$]")
_BY_SHELL = ("/bin/sh", "-c", 'exec "$0" "$@"')
_NOTE = "# Written by `workseal-agent autostart on`; `workseal-agent autostart off` removes it.\n"


class Form(StrEnum):
    """Say what kind of thing an entry is."""

    FILE = "file"
    LINK = "link"
    REGISTRY = "registry"


@dataclass(frozen=True, slots=True)
class Entry:
    """Hold one thing to write: a file's text, where a link leads, or a registry value's text."""

    form: Form
    place: str
    content: str


def entries_for(
    system: str, home: Path, config: Path, words: Sequence[str], *, systemd: bool
) -> tuple[Entry, ...]:
    """Return what begins a command with the log-in of this person; `config` is their XDG folder."""
    if any(_CONTROL.search(word) for word in words):
        raise AgentError("the path of the home or of Python has a control character in it")
    if any(_UNREADABLE.search(word) for word in words):
        raise AgentError("the path of the home or of Python is not UTF-8, as an entry must be")
    if system == "win32":
        return (Entry(Form.REGISTRY, NAME, subprocess.list2cmdline(words)),)
    if system == "darwin":
        place = home / "Library" / "LaunchAgents" / f"{NAME}.plist"
        return (Entry(Form.FILE, str(place), _launch_agent(words)),)
    if not systemd:
        place = config / "autostart" / f"{NAME}.desktop"
        return (Entry(Form.FILE, str(place), _desktop_entry(words)),)
    units = config / "systemd" / "user"
    unit = units / f"{NAME}.service"
    return (
        Entry(Form.FILE, str(unit), _unit(words)),
        # What `systemctl --user enable` would make.
        Entry(Form.LINK, str(units / f"{_TARGET}.wants" / unit.name), str(unit)),
    )


def _unit(words: Sequence[str]) -> str:
    # It ends when the command that began the recording has; the recording itself is a process of
    # the unit too, and is asked to end with the session.
    return (
        f"{_NOTE}[Unit]\n"
        "Description=Workseal: be ready to record, paused\n"
        f"After={_TARGET}\n"
        f"PartOf={_TARGET}\n"
        "\n[Service]\n"
        "Type=oneshot\n"
        "RemainAfterExit=yes\n"
        f"ExecStart={' '.join(_in_unit(word) for word in _executable(words))}\n"
        f"\n[Install]\nWantedBy={_TARGET}\n"
    )


def _executable(words: Sequence[str]) -> Sequence[str]:
    """Have a shell begin a program whose name systemd refuses, or takes as it is written."""
    return (*_BY_SHELL, *words) if _ODD_NAME.search(words[0]) else words


def _in_unit(word: str) -> str:
    """Quote a word for systemd.service(5): specifiers and variables mean themselves."""
    quoted = word.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{quoted.replace("%", "%%").replace("$", "$$")}"'


def _desktop_entry(words: Sequence[str]) -> str:
    return (
        f"{_NOTE}[Desktop Entry]\n"
        "Type=Application\n"
        "Name=Workseal\n"
        "Comment=Be ready to record, paused\n"
        f"Exec={' '.join(_in_exec(word) for word in words)}\n"
        "Terminal=false\n"
        "NoDisplay=true\n"
    )


def _in_exec(word: str) -> str:
    """Quote a word for an Exec key, and that for a value of the file: two steps of escaping."""
    quoted = re.sub(r'(["`$\\])', r"\\\1", word).replace("%", "%%")
    return '"' + quoted.replace("\\", "\\\\") + '"'


def _launch_agent(words: Sequence[str]) -> str:
    keys = {"Label": NAME, "ProgramArguments": list(words), "RunAtLoad": True}
    return plistlib.dumps(keys).decode()
