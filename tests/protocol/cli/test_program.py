import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from workseal_protocol.cli import program
from workseal_protocol.cli.program.parser import Later

from .conftest import Run

COMMANDS = (
    "verify", "inspect", "terms", "keygen", "recovery-key", "revoke-key", "rotate-key", "offer",
    "request", "open",
)  # fmt: skip


def test_help_names_every_command_and_the_exit_codes(run: Run) -> None:
    done = run("--help")
    assert done.code == 0
    for command in COMMANDS:
        assert re.search(rf"^    {command}(?: |$)", done.out, re.MULTILINE)
    assert "0 holds, 1 does not hold, 2 malformed" in done.out


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_has_its_help(run: Run, command: str) -> None:
    assert run(command, "--help").code == 0


def test_version(run: Run) -> None:
    done = run("--version")
    assert done.code == 0
    assert re.fullmatch(r"workseal [0-9]+\.[0-9]+\.[0-9]+\S*\n", done.out)


@pytest.mark.parametrize(
    "words",
    [
        pytest.param([], id="nothing"),
        pytest.param(["veryfy"], id="unknown command"),
        pytest.param(["verify"], id="no bundle"),
        pytest.param(["verify", "x"], id="no policy"),
        pytest.param(["verify", "x", "--pol", "y"], id="no abbreviations"),
        pytest.param(["verify", "x", "--policy", "y", "--fast"], id="unknown option"),
    ],
)
def test_wrong_use_is_one_sentence_and_2(run: Run, words: list[str]) -> None:
    done = run(*words)
    assert (done.code, done.out) == (2, "")
    assert re.fullmatch(r"workseal: [^\n]+\n", done.err)


def test_a_hostile_name_cannot_steer_the_terminal(tmp_path: Path, run: Run) -> None:
    done = run("inspect", tmp_path / "a\x1b[2J\u202eb")
    assert done.code == 2
    assert "\x1b" not in done.err
    assert "\u202e" not in done.err


PROGRAM = "import sys; from workseal_protocol.cli import main; sys.exit(main())"


def test_a_reader_that_leaves_early_sees_no_traceback(folder: Path) -> None:
    command = [sys.executable, "-c", PROGRAM, "inspect", str(folder / "bundle")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
@pytest.mark.parametrize(
    ("out", "err", "code"),
    [
        pytest.param(">/dev/full", "", 2, id="a full disk"),
        pytest.param(">/dev/full", "2>/dev/full", 2, id="a full disk for both"),
        pytest.param(">&-", "", 0, id="output closed"),
        pytest.param(">&-", "2>&-", 0, id="both closed"),
    ],
)
def test_output_that_cannot_be_written_is_no_verdict(
    folder: Path, out: str, err: str, code: int
) -> None:
    # 1 would say that the bundle does not hold.
    line = f'exec "$0" -c "$1" verify bundle --policy policy {out} {err}'
    done = subprocess.run(
        ["/bin/sh", "-c", line, sys.executable, PROGRAM],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code
    said = "workseal: cannot write the output: no space left on device\n"
    assert done.stderr == (said if code and not err else "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
def test_an_error_that_cannot_be_written_keeps_its_exit_code(tmp_path: Path) -> None:
    line = 'exec "$0" -c "$1" verify nowhere --policy nowhere 2>/dev/full'
    done = subprocess.run(
        ["/bin/sh", "-c", line, sys.executable, PROGRAM], cwd=tmp_path, check=False
    )
    assert done.returncode == 2


def test_a_terminal_without_utf8_shows_escapes(folder: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, "inspect", folder / "n\u00f8ne"],
        env={"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0", "LC_ALL": "C"},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 2
    assert b"Traceback" not in done.stderr
    assert done.stderr.startswith(b"workseal: cannot read the bundle ")


def test_every_command_is_found_when_it_is_called() -> None:
    groups = [one for one in vars(program).values() if isinstance(one, ModuleType)]
    values = [value for group in groups for value in vars(group).values()]
    later = [value for value in values if isinstance(value, Later)]
    assert len(later) == 32
    assert all(callable(one.loaded()) for one in later)


def test_verifying_loads_no_other_command(folder: Path) -> None:
    code = (
        "import sys; from workseal_protocol.cli.program import main; main(sys.argv[1:]);"
        "print(*sys.modules)"
    )
    words = ["verify", str(folder / "bundle"), "--policy", str(folder / "policy")]
    done = subprocess.run(
        [sys.executable, "-c", code, *words], capture_output=True, check=True, text=True
    )
    loaded = set(done.stdout.split())
    assert "workseal_protocol.cli.verification" in loaded
    assert not {"workseal_protocol.cli.acting", "workseal_protocol.cli.invoice"} & loaded
