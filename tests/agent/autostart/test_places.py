import sys
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from workseal_agent.autostart.entries import Entry, Form
from workseal_agent.autostart.places import (
    Files,
    Links,
    Place,
    RunKey,
    places_of,
    session_is_of_systemd,
)

RUN = r"Software\Microsoft\Windows\CurrentVersion\Run"


class Winreg(SimpleNamespace):
    """Stand in for `winreg`: one key of the current user."""

    HKEY_CURRENT_USER, KEY_READ, KEY_WRITE, REG_SZ, REG_DWORD = "HKCU", 1, 2, 3, 4

    def __init__(self) -> None:
        self.values: dict[str, tuple[Any, int]] | None = None

    def OpenKey(self, root: str, path: str, reserved: int, _: int) -> Any:  # noqa: N802
        assert (root, path, reserved) == ("HKCU", RUN, 0)
        if self.values is None:
            raise FileNotFoundError
        return nullcontext(self.values)

    def CreateKeyEx(self, root: str, path: str, reserved: int, rights: int) -> Any:  # noqa: N802
        self.values = {} if self.values is None else self.values
        return self.OpenKey(root, path, reserved, rights)

    def QueryValueEx(self, key: dict[str, Any], name: str) -> Any:  # noqa: N802
        if name not in key:
            raise FileNotFoundError
        return key[name]

    def SetValueEx(  # noqa: N802
        self, key: dict[str, Any], name: str, reserved: int, kind: int, value: str
    ) -> None:
        assert reserved == 0
        key[name] = value, kind

    def DeleteValue(self, key: dict[str, Any], name: str) -> None:  # noqa: N802
        if name not in key:
            raise FileNotFoundError
        del key[name]


@pytest.fixture
def winreg(monkeypatch: pytest.MonkeyPatch) -> Winreg:
    made = Winreg()
    monkeypatch.setitem(sys.modules, "winreg", made)
    return made


@pytest.mark.parametrize(
    ("place", "content"), [(Files(), "text ü\n"), (Links(), "/somewhere/else"), (RunKey(), "a b")]
)
@pytest.mark.usefixtures("winreg")
def test_what_is_written_is_read_and_removed(tmp_path: Path, place: Place, content: str) -> None:
    where = str(tmp_path / "a" / "b")
    assert place.read(where) is None
    place.write(where, content)
    assert place.read(where) == content
    place.remove(where)
    assert place.read(where) is None
    place.remove(where)


def test_what_has_another_form_is_not_taken_for_ones_own(tmp_path: Path, winreg: Winreg) -> None:
    file, link = tmp_path / "file", tmp_path / "link"
    file.write_text("mine")
    link.symlink_to(file)
    assert Files().read(str(link)) == ""
    assert Files().read(str(tmp_path)) == ""
    assert Links().read(str(file)) == ""
    winreg.values = {"workseal-agent": (7, winreg.REG_DWORD)}
    assert RunKey().read("workseal-agent") == ""


def test_a_link_is_removed_and_not_what_it_leads_to(tmp_path: Path) -> None:
    file, link = tmp_path / "file", tmp_path / "link"
    file.write_text("mine")
    Links().write(str(link), str(file))
    Links().remove(str(link))
    assert file.read_text() == "mine"


def test_a_file_that_cannot_be_written_leaves_no_part(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    with pytest.raises(IsADirectoryError):
        Files().write(str(tmp_path / "x"), "text")
    assert [one.name for one in tmp_path.iterdir()] == ["x"]


@pytest.fixture
def systemctl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put a program of that name in the way; it keeps what it was asked, and says yes."""
    folder = tmp_path / "bin"
    folder.mkdir()
    program, log = folder / "systemctl", tmp_path / "log"
    program.write_text(f'#!/bin/sh\necho "$*" >> {log}\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))
    return log


def test_systemd_is_asked_whether_the_session_is_its_own(systemctl: Path) -> None:
    assert session_is_of_systemd()
    assert systemctl.read_text() == "--user is-active --quiet graphical-session.target\n"


def test_systemd_is_told_of_changes_where_it_is_used(systemctl: Path) -> None:
    places_of(systemd=False).changed()
    assert not systemctl.exists()
    places_of(systemd=True).changed()
    assert systemctl.read_text() == "--user daemon-reload\n"


def test_where_there_is_no_systemd_nothing_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert not session_is_of_systemd()
    places_of(systemd=True).changed()


def test_each_form_has_its_place(tmp_path: Path) -> None:
    places = places_of(systemd=False)
    link = Entry(Form.LINK, str(tmp_path / "l"), "there")
    places.write(link)
    assert places.read(link) == "there"
    assert (tmp_path / "l").is_symlink()
    places.remove(link)
    assert places.read(link) is None
