"""What the recording process is given by the command that starts it: an engagement and a key.

Rules: it comes through a pipe and stands in no argument, variable or file. The recording process
is a new program that has never seen the passphrase, and its environment does not hold it.

    engagement (16 bytes) || signing seed (32 bytes)
"""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import BinaryIO, Self

from workseal_agent.keystore import SEED_BYTES
from workseal_protocol.errors import MalformedError

PASSPHRASE_VARIABLE = "WORKSEAL_PASSPHRASE"  # noqa: S105 - the name of a variable
_ENGAGEMENT_BYTES = 16


@dataclass(frozen=True, slots=True)
class Handover:
    """Hold what recording needs to know and must not read from anywhere else."""

    engagement: bytes
    seed: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.engagement) != _ENGAGEMENT_BYTES or len(self.seed) != SEED_BYTES:
            raise ValueError(f"an engagement has 16 bytes and a seed {SEED_BYTES}")

    def encode(self) -> bytes:
        """Write what `parse` reads."""
        return self.engagement + self.seed

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read it, or raise `MalformedError`."""
        try:
            return cls(data[:_ENGAGEMENT_BYTES], data[_ENGAGEMENT_BYTES:])
        except ValueError as error:
            raise MalformedError(f"a handover is malformed: {error}") from error


def receive() -> Handover:
    """Read what the starting command wrote to this process's standard input."""
    return Handover.parse(sys.stdin.buffer.read(_ENGAGEMENT_BYTES + SEED_BYTES + 1))


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
