"""How much input there was: numbers, and nothing from which a key could be told.

Rule: no type here has a place for a key, a button, a text or a pointer position. A press is known
by its class (key or pointer) and by whether a program or a device made it.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from workseal_protocol.commitment import ActivitySource


class Press(Enum):
    """Name the two classes of input that are counted."""

    KEY = "key"
    POINTER = "pointer"


@dataclass(frozen=True, slots=True)
class Counts:
    """Hold what was counted since the last take.

    `synthetic` presses came through the server's test interface, `device` presses from anything
    else: a program can look like a device, and remote desktops look synthetic. `active_seconds`
    counts the seconds of the monotonic clock in which a press or a pointer movement was seen.
    """

    keys: int
    pointer: int
    synthetic: int
    device: int
    active_seconds: int
    source: ActivitySource

    def __post_init__(self) -> None:
        numbers = (self.keys, self.pointer, self.synthetic, self.device, self.active_seconds)
        if min(numbers) < 0 or self.keys + self.pointer != self.synthetic + self.device:
            raise ValueError("counts do not add up")
        if self.source is ActivitySource.NONE and any(numbers):
            raise ValueError("nothing was observed, so nothing can be counted")


class Tally:
    """Add up presses; `take` returns the sum and starts again at zero."""

    __slots__ = ("_device", "_keys", "_pointer", "_seconds", "_synthetic")

    def __init__(self) -> None:
        self._start()

    def _start(self) -> None:
        self._keys = self._pointer = self._synthetic = self._device = 0
        self._seconds: set[int] = set()

    def press(self, press: Press, *, synthetic: bool, second: int) -> None:
        """Count one press in a second of the monotonic clock."""
        if press is Press.KEY:
            self._keys += 1
        else:
            self._pointer += 1
        if synthetic:
            self._synthetic += 1
        else:
            self._device += 1
        self._seconds.add(second)

    def moved(self, second: int) -> None:
        """Note that the pointer moved in this second."""
        self._seconds.add(second)

    def take(self, source: ActivitySource) -> Counts:
        """Return the counts since the last take."""
        counts = Counts(
            self._keys, self._pointer, self._synthetic, self._device, len(self._seconds), source
        )
        self._start()
        return counts


class ActivitySensor(Protocol):
    """Count input in the background."""

    def take(self) -> Counts:
        """Return what was counted since the last take."""
        ...

    def idle_ms(self) -> int | None:
        """Return how long there was no input; None when the system does not tell."""
        ...

    def close(self) -> None:
        """Stop counting; safe to repeat."""
        ...


class NullActivity:
    """Observe nothing, for terms without activity and for systems that tell none."""

    def take(self) -> Counts:
        """Return zeros whose source says that nothing was observed."""
        return Counts(0, 0, 0, 0, 0, ActivitySource.NONE)

    def idle_ms(self) -> int | None:
        """Return None."""
        return None

    def close(self) -> None:
        """Do nothing."""
