"""The pattern that stands where a frame's pixels are hidden."""

from dataclasses import dataclass

from workseal_protocol.frame import CHANNELS


@dataclass(frozen=True, slots=True)
class HiddenPattern:
    """Draw what is hidden as a checker of two colours; cells are aligned to the frame."""

    first: tuple[int, int, int] = (255, 0, 255)
    second: tuple[int, int, int] = (128, 128, 128)
    cell: int = 8

    def __post_init__(self) -> None:
        if self.cell < 1 or self.first == self.second:
            raise ValueError("a checker has two colours and cells of at least one pixel")

    def line(self, y: int, width: int) -> bytes:
        """Return one line of the pattern, `width` RGB pixels."""
        pair = bytes(self.first) * self.cell, bytes(self.second) * self.cell
        odd = y // self.cell % 2
        repeated = (pair[odd] + pair[1 - odd]) * (width // (2 * self.cell) + 1)
        return repeated[: width * CHANNELS]
