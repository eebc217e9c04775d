"""How a command hands an engagement and a key over to the recording process, and starts it.

Rule: the recording process is a new program that has never seen the passphrase, and its environment
does not hold it.
"""

import os
from collections.abc import Mapping
from typing import BinaryIO

from workseal_agent.handover import Handover

PASSPHRASE_VARIABLE = "WORKSEAL_PASSPHRASE"  # noqa: S105 - the name of a variable


def given(handover: Handover) -> BinaryIO:
    """Return the end of a pipe from which it can be read."""
    reading, writing = os.pipe()
    # It fits into every pipe's buffer: nobody needs to read yet.
    os.write(writing, handover.encode())
    os.close(writing)
    return os.fdopen(reading, "rb")


def become(command: list[str], handover: Handover) -> None:
    """Replace this process, and all that it has in memory, by the recording process."""
    with given(handover) as pipe:
        os.dup2(pipe.fileno(), 0)
    os.execve(command[0], command, without_passphrase(os.environ))  # noqa: S606 - this program


def without_passphrase(environment: Mapping[str, str]) -> dict[str, str]:
    """Return an environment for the recording process."""
    return {name: value for name, value in environment.items() if name != PASSPHRASE_VARIABLE}
