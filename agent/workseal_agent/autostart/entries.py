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


@dataclass(frozen=True, slots=True)
class Begun:
    """Say what begins: the name of its entries, a comment, and whether its command runs on."""

    name: str
    comment: str
    runs_on: bool


RECORDING = Begun("workseal-agent", "be ready to record, paused", runs_on=False)
ICON = Begun("workseal-tray", "an icon in the panel", runs_on=True)


def entries_for(
    system: str,
    home: Path,
    config: Path,
    words: Sequence[str],
    *,
    systemd: bool,
    begun: Begun = RECORDING,
) -> tuple[Entry, ...]:
    """Return what begins a command with the log-in of this person; `config` is their XDG folder."""
    if any(_CONTROL.search(word) for word in words):
        raise AgentError("the path of the home or of Python has a control character in it")
    if any(_UNREADABLE.search(word) for word in words):
        raise AgentError("the path of the home or of Python is not UTF-8, as an entry must be")
    if system == "win32":
        return (Entry(Form.REGISTRY, begun.name, subprocess.list2cmdline(words)),)
    if system == "darwin":
        place = home / "Library" / "LaunchAgents" / f"{begun.name}.plist"
        return (Entry(Form.FILE, str(place), _launch_agent(words, begun)),)
    if not systemd:
        place = config / "autostart" / f"{begun.name}.desktop"
        return (Entry(Form.FILE, str(place), _desktop_entry(words, begun)),)
    units = config / "systemd" / "user"
    unit = units / f"{begun.name}.service"
    return (
        Entry(Form.FILE, str(unit), _unit(words, begun)),
        # What `systemctl --user enable` would make.
        Entry(Form.LINK, str(units / f"{_TARGET}.wants" / unit.name), str(unit)),
    )


def _unit(words: Sequence[str], begun: Begun) -> str:
    # A command that does not run on has begun the recording when it ends; the recording itself is a
    # process of the unit too, and is asked to end with the session.
    kind = "Type=simple\n" if begun.runs_on else "Type=oneshot\nRemainAfterExit=yes\n"
    return (
        f"{_NOTE}[Unit]\n"
        f"Description=Workseal: {begun.comment}\n"
        f"After={_TARGET}\n"
        f"PartOf={_TARGET}\n"
        "\n[Service]\n"
        f"{kind}"
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


def _desktop_entry(words: Sequence[str], begun: Begun) -> str:
    return (
        f"{_NOTE}[Desktop Entry]\n"
        "Type=Application\n"
        "Name=Workseal\n"
        f"Comment={begun.comment.capitalize()}\n"
        f"Exec={' '.join(_in_exec(word) for word in words)}\n"
        "Terminal=false\n"
        "NoDisplay=true\n"
    )


def _in_exec(word: str) -> str:
    """Quote a word for an Exec key, and that for a value of the file: two steps of escaping."""
    quoted = re.sub(r'(["`$\\])', r"\\\1", word).replace("%", "%%")
    return '"' + quoted.replace("\\", "\\\\") + '"'


def _launch_agent(words: Sequence[str], begun: Begun) -> str:
    keys = {"Label": begun.name, "ProgramArguments": list(words), "RunAtLoad": True}
    return plistlib.dumps(keys).decode()
