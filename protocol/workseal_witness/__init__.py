"""A small witness that anybody can run: it cosigns what continues a log, and never two histories.

Rule: importing this package needs nothing but Python, so that `main` can say what is missing.
"""

import sys

# Top-level import names of the `witness` extra.
_EXTRA = frozenset({"h11", "typer"})


def main() -> int:
    """Run the `workseal-witness` command; return its exit code."""
    try:
        from workseal_witness.cli import main as run  # noqa: PLC0415 - the import is what can fail
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in _EXTRA:
            raise
        sys.stderr.write(
            "workseal-witness needs the witness extra: pip install 'workseal[witness]'\n"
        )
        return 2
    return run()
