"""The privacy mask: excluded windows are painted over before anything else sees a pixel.

Rules: grab, mask, and only masked frames leave `capture_masked`. In doubt more is masked: the
whole rectangle of an excluded window with its decorations, where it stood before and after the
picture and all between, whatever lies above it, every window that belongs to it, and every menu,
tooltip and list of its program.
"""

import fnmatch
import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from workseal_agent.config import Settings
from workseal_agent.errors import CaptureError, CaptureFailure
from workseal_agent.screen.frame import RawFrame, ScreenSource
from workseal_agent.windows import WindowInfo

MASK_COLOUR = (74, 74, 82)
_TRANSIENT_DEPTH = 8

_SECRET_APPLICATIONS = (
    "1password", "authenticator", "bitwarden", "buttercup", "com.bitwarden.desktop", "dashlane",
    "enpass", "gcr-prompter", "gnome-keyring*", "keepass*", "keepassxc", "keeper*", "keysmith",
    "kwalletd*", "kwalletmanager*", "lastpass*", "lxqt-openssh-askpass", "nordpass",
    "org.gnome.seahorse*", "org.gnome.world.secrets", "org.keepassxc.keepassxc", "otpclient",
    "*pinentry*", "*polkit*agent*", "proton pass", "proton-pass", "qtpass", "roboform", "seahorse*",
    "secrets", "*ssh-askpass*", "zoho vault",
)  # fmt: skip
_PRIVATE_TITLES = (
    "*incognito*", "*inkognito*", "*inprivate*", "*navegación privada*",
    "*navegação anônima*", "*navegação privada*", "*navigation privée*",
    "*navigazione anonima*", "*przeglądanie prywatne*", "*private browsing*",
    "*private window*", "*privater modus*", "*privates fenster*", "*privénavigatie*",
    "*приватный просмотр*", "*инкогнито*", "*プライベートブラウジング*",
    "*シークレット*", "*隐私浏览*",
    "*无痕*",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Rule:
    """Exclude the windows that match; with both patterns, both must match.

    Patterns match the whole text, * and ? are the only wildcards: titles are chosen by web pages,
    and a regular expression could be made to run for ever. Case does not matter, nor which of
    several codes of one letter is used.
    """

    name: str
    application: str | None = None
    title: str | None = None
    default: bool = False

    def __post_init__(self) -> None:
        if self.application is None and self.title is None:
            raise ValueError("a mask rule needs an application or a title")

    def matches(self, window: WindowInfo) -> bool:
        """Say whether the rule names this window."""
        titles = (window.title, *window.title.split("\n"))
        return (self.application is None or _any_matches(self.application, window.wm_class)) and (
            self.title is None or _any_matches(self.title, titles)
        )


@dataclass(frozen=True, slots=True)
class Masked:
    """Hold frames that may be committed, and what was painted over in them."""

    frames: tuple[RawFrame, ...]
    masked_windows: int
    rules_matched: frozenset[str]


class _Area(NamedTuple):
    left: int
    top: int
    right: int
    bottom: int


def load_rules(settings: Settings) -> tuple[Rule, ...]:
    """Return the user's rules, and the defaults unless they are switched off."""
    own = tuple(Rule(rule.name, rule.application, rule.title) for rule in settings.mask.rules)
    if not settings.mask.defaults:
        return own
    secret = (Rule(f"default: {name}", name, None, default=True) for name in _SECRET_APPLICATIONS)
    private = (Rule(f"default: {name}", None, name, default=True) for name in _PRIVATE_TITLES)
    return (*own, *secret, *private)


def never_matched(rules: Iterable[Rule], matched: Iterable[str]) -> tuple[str, ...]:
    """Name the user's own rules that are not among the matched: likely typing mistakes."""
    seen = frozenset(matched)
    return tuple(rule.name for rule in rules if not rule.default and rule.name not in seen)


def capture_masked(
    source: ScreenSource,
    list_windows: Callable[[], tuple[WindowInfo, ...]],
    rules: Sequence[Rule],
) -> Masked:
    """Take a picture and return it masked; the unmasked pixels do not leave this function.

    The windows are listed before and after the picture, so one that moves, opens or changes its
    title meanwhile is masked too. Raises `CaptureError` when there is no picture, or when nobody
    can say which windows are on it.
    """
    if not rules:
        return Masked(source.grab(), 0, frozenset())
    before = list_windows()
    frames = source.grab()
    return apply_mask(frames, (*before, *list_windows()), rules)


def apply_mask(
    frames: Sequence[RawFrame], windows: Sequence[WindowInfo], rules: Sequence[Rule]
) -> Masked:
    """Paint every excluded window over; a window listed twice is masked between both places."""
    excluded, matched = _excluded(windows, rules)
    areas: dict[int, _Area] = {}
    for window in windows:
        if window.identifier in excluded:
            areas[window.identifier] = _joined(areas.get(window.identifier), _area_of(window))
    visible = {
        identifier: area
        for identifier, area in areas.items()
        if any(_on(frame, area) for frame in frames)
    }
    presumed = {window.identifier for window in windows if window.presumed}
    try:
        painted = tuple(_paint(frame, visible.values()) for frame in frames)
    except ValueError as error:
        raise CaptureError(CaptureFailure.OTHER, "the picture cannot be masked") from error
    return Masked(painted, len(visible.keys() - presumed), matched)


def _excluded(
    windows: Sequence[WindowInfo], rules: Sequence[Rule]
) -> tuple[frozenset[int], frozenset[str]]:
    """Return the excluded windows with all that belong to them, and the rules that matched."""
    hits = [(window, rule) for window in windows for rule in rules if rule.matches(window)]
    excluded = {window.identifier for window, _ in hits}
    for _ in range(_TRANSIENT_DEPTH):
        more = _belonging(windows, excluded) - excluded
        if not more:
            break
        excluded |= more
    return frozenset(excluded), frozenset(rule.name for _, rule in hits)


def _belonging(windows: Sequence[WindowInfo], excluded: set[int]) -> set[int]:
    """List what says that it belongs to these windows, and the pop-ups of their programs.

    A menu need not say to which of its program's windows it belongs, so all of them are named.
    """
    owners = [window for window in windows if window.identifier in excluded]
    clients = {window.client for window in owners} - {None}
    processes = {window.process for window in owners} - {None}
    return {
        window.identifier
        for window in windows
        if window.transient_for in excluded
        or (window.popup and (window.client in clients or window.process in processes))
    }


def _any_matches(pattern: str, texts: Iterable[str]) -> bool:
    glob = re.compile(fnmatch.translate(_plain(pattern).replace("[", "[[]")))
    return any(glob.match(_plain(text)) for text in texts)


def _plain(text: str) -> str:
    """Write letters in one way (UAX 15, NFKC, without case); the Turkish i is an i."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return folded.replace("i\N{COMBINING DOT ABOVE}", "i").replace(
        "\N{LATIN SMALL LETTER DOTLESS I}", "i"
    )


def _area_of(window: WindowInfo) -> _Area:
    return _Area(window.left, window.top, window.left + window.width, window.top + window.height)


def _joined(first: _Area | None, second: _Area) -> _Area:
    if first is None:
        return second
    return _Area(
        min(first.left, second.left),
        min(first.top, second.top),
        max(first.right, second.right),
        max(first.bottom, second.bottom),
    )


def _on(frame: RawFrame, area: _Area) -> bool:
    return (
        area.left < frame.left + frame.width
        and area.right > frame.left
        and area.top < frame.top + frame.height
        and area.bottom > frame.top
    )


def _paint(frame: RawFrame, areas: Iterable[_Area]) -> RawFrame:
    touching = [area for area in areas if _on(frame, area)]
    if not touching:
        return frame
    pixels = np.frombuffer(frame.rgb, np.uint8).reshape(frame.height, frame.width, 3).copy()
    for area in touching:
        rows = slice(max(0, area.top - frame.top), max(0, area.bottom - frame.top))
        columns = slice(max(0, area.left - frame.left), max(0, area.right - frame.left))
        pixels[rows, columns] = MASK_COLOUR
    return RawFrame(
        frame.display, frame.left, frame.top, frame.width, frame.height, pixels.tobytes()
    )
