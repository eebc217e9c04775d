import os
import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from dbus_fast import Message

from support.buses import Answer, FakeService, private_bus
from support.typed import PASSPHRASE, Typed, typed_in
from support.wayland import WAYLAND_MARKS
from workseal_agent.cli.handover import PASSPHRASE_VARIABLE

NOTICES = "org.freedesktop.Notifications"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a person's folder, on a machine without systemd."""
    person = tmp_path / "ann"
    (person / "bin").mkdir(parents=True)
    monkeypatch.setenv("HOME", str(person))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.setenv("PATH", str(person / "bin"))
    return person


@pytest.fixture
def run(folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Typed:
    run = typed_in(folder / "home", monkeypatch, capfd)
    assert run("init").code == 0
    return run


def written(folder: Path) -> set[str]:
    return {
        str(one.relative_to(folder))
        for one in (folder / ".config").rglob("*")
        if one.is_symlink() or one.is_file()
    }


def with_systemd(folder: Path) -> None:
    program = folder / "bin" / "systemctl"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)


def test_says_what_it_wrote_and_removes_exactly_that(run: Typed, folder: Path) -> None:
    entry = ".config/autostart/workseal-agent.desktop"
    assert run("autostart", "status").out == "off: nothing begins with your log-in\n"
    done = run("autostart", "on")
    assert done.code == 0, done.err
    assert done.out.startswith("on, from your next log-in: ready and paused, until")
    assert f"  written file {folder}/{entry}\n" in done.out
    assert written(folder) == {entry}
    assert f"  there: file {folder}/{entry}\n" in run("autostart", "status").out
    done = run("autostart", "off")
    assert f"  removed file {folder}/{entry}\n" in done.out
    assert written(folder) == set()
    assert run("autostart", "off").code == 0


def test_the_icon_begins_with_the_log_in_where_that_is_wished(run: Typed, folder: Path) -> None:
    entries = {f".config/autostart/workseal-{name}.desktop" for name in ("agent", "tray")}
    done = run("autostart", "on", "--tray")
    assert (done.code, done.err) == (0, "")
    assert written(folder) == entries
    assert all(f"  written file {folder}/{entry}\n" in done.out for entry in entries)
    text = (folder / ".config/autostart/workseal-tray.desktop").read_text()
    assert text.splitlines()[5].endswith(f'"--home" "{folder}/home" "tray"')
    assert run("autostart", "status").out.count("  there: ") == 2
    # What is on is what was asked for last.
    assert run("autostart", "on").code == 0
    assert written(folder) == {".config/autostart/workseal-agent.desktop"}
    assert run("autostart", "on", "--tray").code == run("autostart", "off").code == 0
    assert written(folder) == set()


@pytest.mark.parametrize("switch", ["off", "status"])
def test_a_tray_that_is_neither_on_nor_off_is_wrong_usage(run: Typed, switch: str) -> None:
    done = run("autostart", switch, "--tray")
    assert (done.code, done.out) == (2, "")
    assert "--tray goes with on" in done.err


def test_where_systemd_began_the_desktop_it_is_a_unit(run: Typed, folder: Path) -> None:
    with_systemd(folder)
    done = run("autostart", "on")
    assert done.code == 0, done.err
    units = ".config/systemd/user"
    names = {
        f"{units}/workseal-agent.service",
        f"{units}/graphical-session.target.wants/workseal-agent.service",
    }
    assert written(folder) == names
    assert all(f"{folder}/{name}\n" in done.out for name in names)
    assert run("autostart", "off").code == 0
    assert written(folder) == set()


def test_no_entry_holds_a_passphrase_and_what_that_means_is_said(run: Typed, folder: Path) -> None:
    with_systemd(folder)
    done = run("autostart", "on")
    assert "a notice will ask you to `start` by hand" in done.out
    assert "but your settings want no notices" not in done.out
    for name in written(folder):
        assert PASSPHRASE not in (folder / name).read_text()
    with (folder / "home" / "config.toml").open("r+") as file:
        text = file.read().replace("show = true", "show = false")
        file.seek(0)
        file.truncate()
        file.write(text)
    assert "but your settings want no notices" in run("autostart", "on").out


def test_what_another_home_wrote_is_refused(run: Typed, folder: Path) -> None:
    place = folder / ".config" / "autostart" / "workseal-agent.desktop"
    place.parent.mkdir(parents=True)
    place.write_text("[Desktop Entry]\n")
    done = run("autostart", "on")
    assert (done.code, "is there already" in done.err) == (1, True)
    assert place.read_text() == "[Desktop Entry]\n"


@pytest.mark.parametrize("systemd", [False, True])
def test_a_home_whose_path_is_not_utf_8_is_one_sentence(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    *,
    systemd: bool,
) -> None:
    if systemd:
        with_systemd(folder)
    run = typed_in(folder / os.fsdecode(b"h\xe4me"), monkeypatch, capfd)
    assert run("init").code == 0
    done = run("autostart", "on")
    assert (done.code, done.out) == (1, "")
    assert "is not UTF-8" in done.err
    assert done.err.count("\n") == 1
    assert written(folder) == set()
    assert run("autostart", "status").out == "off: nothing begins with your log-in\n"


def test_entries_are_written_to_a_folder_whose_path_is_not_utf_8(
    run: Typed, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_systemd(folder)
    settings = folder / os.fsdecode(b"s\xe4ttings")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(settings))
    done = run("autostart", "on")
    assert (done.code, done.err) == (0, "")
    assert (settings / "systemd/user/workseal-agent.service").is_file()
    assert run("autostart", "status").out.count("  there: ") == 2
    assert run("autostart", "off").code == 0
    assert [one for one in settings.rglob("*") if not one.is_dir()] == []


@pytest.fixture
def shown(tmp_path: Path) -> Iterator[tuple[str, FakeService]]:
    def answer(message: Message) -> Answer:
        return ("as", [["body"]]) if message.member == "GetCapabilities" else ("u", [1])

    with private_bus(tmp_path) as address, FakeService(address, NOTICES, answer) as service:
        yield address, service


@WAYLAND_MARKS[1]
def test_the_entry_asks_by_a_notice_where_nothing_opens_the_key(
    shown: tuple[str, FakeService], run: Typed, folder: Path, tmp_path: Path
) -> None:
    """What the log-in would run is run, as it stands in the unit, in a strange folder."""
    address, service = shown
    with_systemd(folder)
    assert run("autostart", "on").code == 0
    unit = (folder / ".config/systemd/user/workseal-agent.service").read_text()
    (line,) = re.findall("^ExecStart=(.*)$", unit, re.MULTILINE)
    # A program of somebody else's, where a log-in begins, is not taken for a part of this one.
    (tmp_path / "workseal_agent.py").write_text("raise SystemExit(7)")
    environment = {name: value for name, value in os.environ.items() if "WORKSEAL" not in name}
    done = subprocess.run(
        shlex.split(line.replace("%%", "%")),
        cwd=tmp_path,
        env=environment | {"DBUS_SESSION_BUS_ADDRESS": address},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    (notice,) = [one.body for one in service.calls if one.member == "Notify"]
    assert notice[3:5] == [
        "Workseal: nothing is recorded",
        "`workseal-agent start` asks for your passphrase and begins.",
    ]


def test_without_a_desktop_to_show_it_the_reason_is_said(
    run: Typed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DBUS_SESSION_BUS_ADDRESS", raising=False)
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    monkeypatch.delenv(PASSPHRASE_VARIABLE)
    done = run("begin-at-login")
    assert done.code == 1
    assert "nothing is recorded: `workseal-agent start` asks for your passphrase" in done.err
