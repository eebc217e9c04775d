"""The privacy mask: what is not to be recorded is painted over before anything else sees a pixel.

Rule: grab, mask, and only masked frames leave `capture_masked`.
"""

from collections.abc import Callable, Sequence

from workseal_agent.mask.only import fill_all_but
from workseal_agent.mask.paint import MASK_COLOUR, Masked, apply_mask
from workseal_agent.mask.rules import Rule, load_only, load_rules, never_matched, require_known
from workseal_agent.screen.frame import ScreenSource
from workseal_agent.windows import WindowInfo

__all__ = [
    "MASK_COLOUR",
    "Masked",
    "Rule",
    "apply_mask",
    "capture_masked",
    "fill_all_but",
    "load_only",
    "load_rules",
    "never_matched",
    "require_known",
]


def capture_masked(
    source: ScreenSource,
    list_windows: Callable[[], tuple[WindowInfo, ...]],
    rules: Sequence[Rule],
    only: Sequence[Rule] = (),
) -> Masked:
    """Take a picture and return it masked; the unmasked pixels do not leave this function.

    The windows are listed before and after the picture, so one that moves, opens or changes its
    title meanwhile is masked too. With `only`, everything but the windows that these match is
    filled. Raises `CaptureError` when there is no picture, or when nobody can say which windows are
    on it.
    """
    if not rules and not only:
        return Masked(source.grab(), 0, frozenset())
    before = list_windows()
    frames = source.grab()
    after = list_windows()
    masked = apply_mask(frames, (*before, *after), rules)
    return fill_all_but(masked, (before, after), rules, only) if only else masked
