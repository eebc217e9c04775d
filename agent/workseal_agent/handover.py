"""What the recording process is given by the command that starts it: an order, and a handover.

Rule: the engagement and the key come through a pipe, on standard input, and stand in no argument,
variable or file. The order is one argument of JSON, with nothing in it that is secret.

    engagement (16 bytes) || signing seed (32 bytes)
"""

import json
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self, get_args

from workseal_agent.config import ScreenKind
from workseal_agent.keystore import SEED_BYTES
from workseal_protocol.errors import MalformedError

_ENGAGEMENT_BYTES = 16


@dataclass(frozen=True, slots=True)
class Order:
    """Hold how to record: in which home, from which screen, and whether at once.

    What leaves the machine is written into the folder `traffic`, where there is one. With
    `own_clock` its owner says that the clock is right, whatever the verifier's is.
    """

    home: Path
    screen: ScreenKind | None = None
    replay: Path | None = None
    traffic: Path | None = None
    paused: bool = False
    own_clock: bool = False

    def encode(self) -> str:
        """Write what `parse` reads."""
        paths = {"home": self.home, "replay": self.replay, "traffic": self.traffic}
        told = {name: None if path is None else str(path) for name, path in paths.items()}
        switches = {"paused": self.paused, "own_clock": self.own_clock}
        return json.dumps({**told, "screen": self.screen, **switches})

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read it, or raise `MalformedError`."""
        try:
            match json.loads(text):
                case {
                    "home": str(home),
                    "screen": screen,
                    "paused": bool(paused),
                    "own_clock": bool(own_clock),
                    **more,
                } if screen is None or screen in get_args(ScreenKind):
                    replay, traffic = _path(more["replay"]), _path(more["traffic"])
                    return cls(Path(home), screen, replay, traffic, paused, own_clock)
        except (ValueError, KeyError, TypeError) as error:
            raise MalformedError("an order is malformed") from error
        raise MalformedError("an order is malformed")


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


def _path(told: Any) -> Path | None:
    return None if told is None else Path(told)
