"""The `workseal` command: the only part of the protocol that reads files, clock and randomness.

Rules: results go to standard output, everything else to standard error as one sentence that begins
with `workseal:`. Exit code 0 means that it holds, 1 that it does not, 2 that the input is malformed
or the command was used wrongly. No file is ever overwritten. Four commands speak to a server that
they are told (fetch, keys, sign-in, accept), the others to nobody.
"""

from collections.abc import Sequence

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return its exit code."""
    # Modules beside this one are used by programs that must stay small.
    from workseal_protocol.cli.program import main as run  # noqa: PLC0415

    return run(arguments)
