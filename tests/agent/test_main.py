import subprocess
import sys
from pathlib import Path

import pytest

import workseal_agent

HIDE = """
import sys
class Hide:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == {hidden!r}:
            raise ModuleNotFoundError("no module", name=name)
sys.meta_path.insert(0, Hide())
import workseal_agent
{command}
sys.exit(workseal_agent.main())
"""


# What opens a screen loads its library: not every machine has that kind of screen.
RECORDING = """
import workseal_agent.recording
def show():
    import workseal_agent.screen.x11
workseal_agent.recording.main = show
workseal_agent.main = workseal_agent.record
"""

# Each command loads what it needs.
JOINING = 'sys.argv[1:] = ["join", "--help"]'
LOOKING = 'sys.argv[1:] = ["frames", "--help"]'

OPENING = """
import workseal_agent.cli
def show():
    import workseal_agent.pages
workseal_agent.cli.main = show
"""


@pytest.mark.parametrize(
    ("hidden", "command"),
    [
        *(("typer", ""), ("h11", JOINING), ("zstandard", LOOKING)),
        *(("mss", RECORDING), ("Xlib", RECORDING)),
        *(("jinja2", OPENING), ("starlette", OPENING), ("uvicorn", OPENING)),
    ],
)
def test_a_missing_extra_is_told_in_one_sentence(hidden: str, command: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", HIDE.format(hidden=hidden, command=command)],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 2
    assert done.stderr == "workseal-agent needs the agent extra: pip install 'workseal[agent]'\n"


def test_the_package_itself_needs_only_python() -> None:
    program = "import sys, workseal_agent; print(sorted(m for m in sys.modules if '.' not in m))"
    done = subprocess.run(
        [sys.executable, "-S", "-c", program],
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
        env={"PYTHONPATH": str(Path(workseal_agent.__file__).parent.parent)},
    )
    assert "typer" not in done.stdout
    assert "cryptography" not in done.stdout
