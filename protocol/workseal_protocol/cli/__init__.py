"""The `workseal` command: the only part of the protocol that reads files, clock and randomness.

Rules: results go to standard output, everything else to standard error as one sentence that begins
with `workseal:`. Exit code 0 means that it holds, 1 that it does not, 2 that the input is malformed
or the command was used wrongly. No file is ever overwritten. Four commands speak to a server that
they are told (fetch, keys, sign-in, accept), the others to nobody.
"""

from workseal_protocol.cli.program import main

__all__ = ["main"]
