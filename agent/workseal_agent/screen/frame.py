"""What a screen gives: frames of RGB pixels, and the interface of whatever gives them.

Rule: a `RawFrame` is not masked yet. Only `workseal_agent.mask` may take one; everything else takes
the masked frames that it returns.
"""

from dataclasses import dataclass, field
from typing import Protocol

from workseal_agent.windows import WindowInfo


@dataclass(frozen=True, slots=True)
class RawFrame:
    """Hold the pixels of one display: RGB, 8 bits, row by row, width * height * 3 bytes.

    `left` and `top` place the display on the whole screen, in the coordinates of `WindowInfo`.
    """

    display: int
    left: int
    top: int
    width: int
    height: int
    rgb: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.rgb) != self.width * self.height * 3:
            raise ValueError("the pixels do not have the size of the frame")


class ScreenSource(Protocol):
    """Take pictures.

    `virtual` is a claim: True when the server shows a sign of having no physical screen, False
    when it shows none. A program can hide such signs.
    """

    @property
    def name(self) -> str:
        """Say in a few words what is recorded."""
        ...

    @property
    def virtual(self) -> bool:
        """Say whether a sign of a virtual screen was seen."""
        ...

    @property
    def lists_windows(self) -> bool:
        """Say whether `windows` can tell what is on the pictures."""
        ...

    def grab(self) -> tuple[RawFrame, ...]:
        """Return one frame for each display, or raise `CaptureError`."""
        ...

    def windows(self) -> tuple[WindowInfo, ...]:
        """List what is visible now, bottom to top, or raise `CaptureError`."""
        ...

    def close(self) -> None:
        """Release what the source holds; safe to repeat."""
        ...
