"""A command that begins in a loaded process does as one that begins anew."""

import os
import resource
import subprocess
from pathlib import Path

import pytest

from support import warm

VARIABLES = {"PATH": os.environ["PATH"], "HOME": "/nonexistent"}
NO_FILE_GROWS = {resource.RLIMIT_FSIZE: (0, 0)}


@pytest.mark.parametrize(
    ("words", "limits", "stdin"),
    [
        pytest.param(["workseal", "--help"], {}, "", id="prints"),
        pytest.param(["workseal", "keygen", "key"], {}, "", id="leaves a file in its folder"),
        pytest.param(["workseal", "keygen", "key"], NO_FILE_GROWS, "", id="under a limit"),
        pytest.param(["workseal", "nonsense"], {}, "", id="is refused"),
        pytest.param(["workseal", "keygen", "--show", "/dev/stdin"], {}, "x", id="reads its input"),
    ],
)
def test_what_it_prints_and_leaves_is_the_same(
    words: list[str],
    limits: dict[int, tuple[int, int]],
    stdin: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ended = []
    for cold in (False, True):
        folder = tmp_path / str(cold)
        folder.mkdir()
        monkeypatch.setattr(warm, "_COLD", cold)
        done = warm.run(words, environment=VARIABLES, folder=folder, stdin=stdin, limits=limits)
        left = [(one.name, one.stat().st_mode) for one in folder.iterdir()]
        # A key is another one each time.
        printed = done.stdout if "key" not in words else bool(done.stdout)
        ended.append((done.returncode, printed, done.stderr, left))
    assert ended[0] == ended[1]


def test_its_variables_are_its_own(tmp_path: Path) -> None:
    """Of the same loaded process, each with another home of its own."""
    for name in ("one", "two"):
        variables = {**VARIABLES, "HOME": str(tmp_path / name)}
        done = warm.run(["workseal-agent", "status"], environment=variables)
        assert (done.returncode, done.stdout) == (1, "")
        assert f"there is no agent in {tmp_path / name}/" in done.stderr


def test_what_takes_too_long_is_killed(tmp_path: Path) -> None:
    nobody_writes = tmp_path / "pipe"
    os.mkfifo(nobody_writes)
    with pytest.raises(subprocess.TimeoutExpired):
        warm.run(["workseal", "inspect", nobody_writes], environment=VARIABLES, timeout=0.2)
