import configparser
import os
import plistlib
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from workseal_agent.autostart.entries import ICON, RECORDING, Begun, Entry, Form, entries_for
from workseal_agent.errors import AgentError

HOME, CONFIG = Path("/home/ann"), Path("/home/ann/.config")
ODD = ["/opt/my python", "-c", 'print("50 %d $HOME"); \\', "--home", "/home/ann/`work`; rm"]


def made(
    system: str, words: list[str], *, systemd: bool = False, begun: Begun = RECORDING
) -> tuple[Entry, ...]:
    return entries_for(system, HOME, CONFIG, words, systemd=systemd, begun=begun)


def keys_of(text: str) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(interpolation=None)
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    parser.read_string(text)
    return parser


def test_a_unit_is_begun_and_ended_with_the_session_of_the_desktop() -> None:
    unit, link = made("linux", ["agent", "begin"], systemd=True)
    assert unit.place == "/home/ann/.config/systemd/user/workseal-agent.service"
    keys = keys_of(unit.content)
    assert keys["Unit"]["PartOf"] == keys["Unit"]["After"] == "graphical-session.target"
    assert keys["Service"]["ExecStart"] == '"agent" "begin"'
    folder = "/home/ann/.config/systemd/user/graphical-session.target.wants"
    assert link == Entry(Form.LINK, f"{folder}/workseal-agent.service", unit.place)


def test_the_icon_has_entries_of_its_own_and_runs_on() -> None:
    unit, link = made("linux", ["agent", "tray"], systemd=True, begun=ICON)
    assert unit.place == "/home/ann/.config/systemd/user/workseal-tray.service"
    assert link.content == unit.place
    service = keys_of(unit.content)["Service"]
    assert (service["Type"], service["ExecStart"]) == ("simple", '"agent" "tray"')
    assert "RemainAfterExit" not in service
    (entry,) = made("linux", ["agent", "tray"], begun=ICON)
    assert entry.place == "/home/ann/.config/autostart/workseal-tray.desktop"
    keys = keys_of(entry.content)["Desktop Entry"]
    assert (keys["Comment"], keys["Exec"]) == ("An icon in the panel", '"agent" "tray"')


def test_in_a_unit_each_word_stays_one_word_and_means_itself() -> None:
    unit, _ = made("linux", ODD, systemd=True)
    line = keys_of(unit.content)["Service"]["ExecStart"]
    # As systemd.service(5) reads it: quotes and backslashes first, then specifiers and variables.
    words = [word.replace("%%", "%").replace("$$", "$") for word in shlex.split(line)]
    assert words == ODD


NAMES = ["plain", "my python", "Büro größer", 'the "new" one', "it's", "$HOME", "50 %h", "a\\b"]


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd-analyze")
@pytest.mark.parametrize("name", NAMES)
def test_systemd_finds_nothing_wrong_with_a_unit(tmp_path: Path, name: str) -> None:
    program = tmp_path / name / "python"
    program.parent.mkdir()
    program.symlink_to(sys.executable)
    words = [str(program), "-P", "-c", "import x", "--home", str(tmp_path / name / "home")]
    unit, _ = made("linux", words, systemd=True)
    file = tmp_path / "workseal-agent.service"
    file.write_text(unit.content)
    done = subprocess.run(
        ["systemd-analyze", "--user", "verify", str(file)],
        capture_output=True, text=True, timeout=60, check=False,
        env={**os.environ, "XDG_RUNTIME_DIR": str(tmp_path)},
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("name", NAMES)
def test_a_program_of_any_name_is_begun_by_the_words_of_its_unit(tmp_path: Path, name: str) -> None:
    program = tmp_path / name / "python"
    program.parent.mkdir()
    program.symlink_to(sys.executable)
    words = [str(program), "-P", "-c", "import sys; print(sys.argv[1:])", *ODD]
    unit, _ = made("linux", words, systemd=True)
    line = keys_of(unit.content)["Service"]["ExecStart"]
    first, *rest = [word.replace("%%", "%") for word in shlex.split(line)]
    # systemd expands variables in every word but the first.
    read = [first, *(word.replace("$$", "$") for word in rest)]
    done = subprocess.run(read, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == f"{ODD}\n"


@pytest.mark.skipif(
    shutil.which("desktop-file-validate") is None, reason="needs desktop-file-validate"
)
@pytest.mark.parametrize("name", NAMES)
def test_freedesktop_finds_nothing_wrong_with_an_entry(tmp_path: Path, name: str) -> None:
    (entry,) = made("linux", [f"/opt/{name}/python", "-c", "import x", "--home", f"/home/{name}"])
    file = tmp_path / "workseal-agent.desktop"
    file.write_text(entry.content)
    done = subprocess.run(
        ["desktop-file-validate", str(file)],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_desktop_entry_lies_where_desktops_look() -> None:
    (entry,) = made("linux", ODD)
    assert entry.place == "/home/ann/.config/autostart/workseal-agent.desktop"
    keys = keys_of(entry.content)["Desktop Entry"]
    assert (keys["Type"], keys["Terminal"]) == ("Application", "false")
    assert keys["Exec"].startswith('"/opt/my python" "-c" ')


def test_a_desktop_starts_the_words_of_its_entry_as_they_are(tmp_path: Path) -> None:
    """GLib reads it as desktops do: escapes of the value, then quotes, then field codes."""
    words = ["50 %d $HOME", 'a"b', "c\\d", "`e`; rm", "it's", "\\$x", "\\\\srv", ""]
    command = [sys.executable, "-P", "-c", "import sys; print(sys.argv[1:])", *words]
    (entry,) = entries_for("linux", tmp_path, tmp_path, command, systemd=False)
    file = tmp_path / "a.desktop"
    file.write_text(entry.content)
    done = subprocess.run(
        ["gio", "launch", str(file)], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout == f"{words}\n"


def test_a_launch_agent_holds_the_words_as_they_are() -> None:
    (entry,) = made("darwin", ODD)
    assert entry.place == "/home/ann/Library/LaunchAgents/workseal-agent.plist"
    keys = plistlib.loads(entry.content.encode())
    assert keys == {"Label": "workseal-agent", "ProgramArguments": ODD, "RunAtLoad": True}


def test_a_run_value_is_quoted_as_windows_reads_it() -> None:
    (entry,) = made("win32", ["C:\\Program Files\\py.exe", "-c", 'a "b"'])
    assert entry == Entry(
        Form.REGISTRY, "workseal-agent", '"C:\\Program Files\\py.exe" -c "a \\"b\\""'
    )


@pytest.mark.parametrize("sign", ["\n", "\x00", "\x7f"])
@pytest.mark.parametrize("system", ["linux", "darwin", "win32"])
def test_refuses_what_no_form_can_hold(system: str, sign: str) -> None:
    with pytest.raises(AgentError, match="control character"):
        made(system, ["python", f"/home/a{sign}ExecStart=x"])


@pytest.mark.parametrize("systemd", [False, True])
@pytest.mark.parametrize("system", ["linux", "darwin", "win32"])
def test_refuses_a_path_that_is_not_utf_8(system: str, *, systemd: bool) -> None:
    with pytest.raises(AgentError, match="is not UTF-8"):
        made(system, ["python", os.fsdecode(b"/home/a\xff")], systemd=systemd)
