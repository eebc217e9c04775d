#!/usr/bin/env python3
"""The project's commands, with nothing but Python and pip: `python3 dev.py demo`."""

import hashlib
import os
import subprocess
import sys
import venv
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
STAMP = VENV / "installed"

LINT = [["ruff", "format", "--check", "."], ["ruff", "check", "."], ["mypy"], ["lint-imports"]]
COMMANDS = {
    "demo": [["python", str(ROOT / "deploy" / "demo.py")]],
    # Compiled once, for the hundreds of programs that the tests start.
    "setup": [["python", "-m", "compileall", "-q", "protocol", "agent", "verifier"]],
    # A file of tests is one process's; each has its own screens, servers and folders. The order of
    # the files is that of tests/conftest.py.
    "test": [
        [
            *("pytest", "-n", "auto", "--maxprocesses", "4"),
            *("--dist", "loadfile", "--no-loadscope-reorder"),
        ]
    ],
    "lint": LINT,
    "check": [*LINT, ["coverage", "run", "-m", "pytest"], ["coverage", "report"]],
    "texts": [["python", str(ROOT / "deploy" / "texts.py")]],
    "fix": [["ruff", "check", "--fix", "."], ["ruff", "format", "."]],
}


def install() -> None:
    """Fill the virtual environment, and again when pyproject.toml has changed."""
    wanted = hashlib.sha256((ROOT / "pyproject.toml").read_bytes()).hexdigest()
    if STAMP.exists() and STAMP.read_text() == wanted:
        return
    if not BIN.exists():
        # Without pip inside: the host's pip fills it; Debian may lack ensurepip.
        print("setting up .venv (once; a minute or two) …", file=sys.stderr)
        venv.create(VENV)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--python"]
    subprocess.run(
        [*pip, str(BIN / "python"), "install", "-q", "-e", ".[dev]"], cwd=ROOT, check=True
    )
    STAMP.write_text(wanted)


def main(name: str, *args: str) -> NoReturn:
    """Run one command's steps, and become the last of them; it is given what follows the name."""
    install()
    *first, (program, *rest) = COMMANDS[name]
    for step, *words in first:
        if code := subprocess.run([str(BIN / step), *words], cwd=ROOT, check=False).returncode:
            sys.exit(code)
    if name != "demo":
        os.chdir(ROOT)  # the demo's options name files from where it was typed
    # What is compiled once is kept: the tests, and the hundreds of programs that they start.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    # In place of this process: a Ctrl-C or another signal reaches the command itself.
    os.execv(BIN / program, [str(BIN / program), *rest, *args])  # noqa: S606 - without a shell


if __name__ == "__main__":
    if len(sys.argv) == 1 or sys.argv[1] not in COMMANDS:
        sys.exit(f"usage: dev.py {{{','.join(COMMANDS)}}} [args]")
    main(*sys.argv[1:])
