#!/usr/bin/env python3
"""The project's commands, with nothing but Python and pip: `python3 dev.py demo`."""

import hashlib
import os
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
STAMP = VENV / "installed"

LINT = [["ruff", "format", "--check", "."], ["ruff", "check", "."], ["mypy"], ["lint-imports"]]
COMMANDS = {
    "demo": [["python", "deploy/demo.py"]],
    "test": [["pytest"]],
    "lint": LINT,
    "check": [*LINT, ["coverage", "run", "-m", "pytest"], ["coverage", "report"]],
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


def main(name: str, *args: str) -> int:
    """Run one command's steps; what follows its name goes to the last of them."""
    install()
    *first, last = COMMANDS[name]
    for program, *rest in [*first, [*last, *args]]:
        if code := subprocess.run([str(BIN / program), *rest], cwd=ROOT, check=False).returncode:
            return code
    return 0


if __name__ == "__main__":
    if len(sys.argv) == 1 or sys.argv[1] not in COMMANDS:
        sys.exit(f"usage: dev.py {{{','.join(COMMANDS)}}} [args]")
    sys.exit(main(*sys.argv[1:]))
