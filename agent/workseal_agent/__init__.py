"""What runs on the freelancer's machine: capture, commit, seal, send; no content leaves it.

Rule: importing this package needs nothing but Python, so that its programs can say what is missing.
"""

import sys
from importlib import import_module

# Top-level import names of the `agent` extra.
_EXTRA = frozenset(
    {
        "PIL", "Xlib", "cv2", "h11", "imagehash", "jeepney", "jinja2",
        "keyring", "mnemonic", "mss", "numpy", "platformdirs", "rfc3161_client", "rich",
        "starlette", "typer", "uvicorn", "zstandard",
    }
)  # fmt: skip


def main() -> int:
    """Run the command line of the agent; return its exit code."""
    # The recorder is loaded by the program that records.
    return _run("workseal_agent.cli")


def record() -> int:
    """Run the program that records, as `start` does; return its exit code."""
    # libsodium checks a signature in half the time and takes a megabyte: nothing for a program that
    # checks a few a minute and stays all day. What holds is OpenSSL's to say in either case.
    sys.modules.setdefault("nacl", None)  # type: ignore[arg-type]
    return _run("workseal_agent.recording")


def _run(program: str) -> int:
    try:
        # The import is what can fail.
        code: int = import_module(program).main()
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in _EXTRA:
            raise
        sys.stderr.write("workseal-agent needs the agent extra: pip install 'workseal[agent]'\n")
        return 2
    return code
