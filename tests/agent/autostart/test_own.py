"""What one home begins at its owner's log-in."""

from pathlib import Path

import pytest

from workseal_agent.autostart.own import LogIn, shows_icons


@pytest.fixture
def login(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LogIn:
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return LogIn(tmp_path / "home", tmp_path / "written", systemd=False)


def test_the_recording_of_this_home_and_engagement_is_begun(login: LogIn) -> None:
    (entry,) = login.entries(engagement=bytes(16))
    assert f"--home {login.home}" in entry.content.replace('"', "")
    assert f"--engagement {'0' * 32}" in entry.content.replace('"', "")
    assert "begin-at-login" in entry.content
    # A file in the folder where the log-in begins is not taken for a library.
    assert " -P " in entry.content.replace('"', "")
    (unnamed,) = login.entries()
    assert "--engagement" not in unnamed.content


def test_the_icon_is_one_more(login: LogIn) -> None:
    recording, icon = login.entries(tray=True)
    assert (recording,) == login.entries()
    assert icon.place != recording.place
    assert "begin-at-login" not in icon.content


def test_icons_are_of_panels(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = []
    for platform in ("linux", "freebsd14", "win32", "darwin"):
        monkeypatch.setattr("sys.platform", platform)
        shown.append(shows_icons())
    assert shown == [True, True, False, False]
