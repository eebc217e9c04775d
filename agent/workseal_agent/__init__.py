"""What runs on the freelancer's machine: capture, commit, seal, send; no content leaves it.

Rule: importing this package needs nothing but Python, so that `main` can say what is missing.
"""

import sys

# Top-level import names of the `agent` extra.
_EXTRA = frozenset(
    {
        "PIL", "Xlib", "cv2", "dbus_fast", "h11", "httpcore", "httpx", "imagehash", "jinja2",
        "keyring", "mnemonic", "mss", "numpy", "platformdirs", "rfc3161_client", "rich",
        "starlette", "typer", "uvicorn", "zstandard",
    }
)  # fmt: skip


def main() -> int:
    """Run the command line of the agent; return its exit code."""
    try:
        from workseal_agent.cli import main as run  # noqa: PLC0415 - the import is what can fail

        # The recorder is loaded by the command that records.
        return run()
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in _EXTRA:
            raise
        sys.stderr.write("workseal-agent needs the agent extra: pip install 'workseal[agent]'\n")
        return 2
