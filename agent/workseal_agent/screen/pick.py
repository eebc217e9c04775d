"""Which screen is recorded: what the settings name, or what the desktop has.

Rules: one list of candidates, in the order in which they are preferred, is what `start` picks from
and what `doctor` examines. A screen that is named and does not answer is an error, never a reason
to show recorded pictures instead. Where windows must be masked, a source that cannot list them is
not picked: nothing is recorded unmasked because nobody could say what to mask (docs/adr/0025). A
source's module is loaded when it is opened: who records all day has one, and its program stays as
small as that one needs.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from workseal_agent.config import ScreenKind
from workseal_agent.errors import NoScreenError
from workseal_agent.language import all_of, phrase, told_of
from workseal_agent.screen.frame import ScreenSource
from workseal_agent.surroundings import Surroundings


@dataclass(frozen=True, slots=True)
class ScreenCandidate:
    """Name a source and how it is opened; `open` raises `NoScreenError` saying why it cannot be.

    `automatic` says whether it is tried when the settings name no source. A `quiet` one takes a
    picture without a flash, a question or a file.
    """

    name: ScreenKind
    open: Callable[[], ScreenSource]
    automatic: bool
    quiet: bool = True


def screen_candidates(
    around: Surroundings, replay: Path | None = None, token_file: Path | None = None
) -> tuple[ScreenCandidate, ...]:
    """List every source there is, the preferred ones first."""
    wayland = around.wayland is not None and not around.named
    native = around.system in {"win32", "darwin"}
    return (
        ScreenCandidate("x11", lambda: _open_x11(around), around.display is not None),
        ScreenCandidate("grim", lambda: _open_grim(around), wayland),
        ScreenCandidate("cast", lambda: _open_cast(around, token_file), wayland, quiet=False),
        ScreenCandidate("portal", lambda: _open_portal(around), wayland, quiet=False),
        ScreenCandidate("native", lambda: _open_native(around), native),
        ScreenCandidate("replay", lambda: _open_replay(replay), _shows_nothing(around)),
    )


def find_screen(
    kind: ScreenKind,
    around: Surroundings,
    *,
    replay: Path | None,
    masking: bool,
    token_file: Path | None = None,
) -> tuple[ScreenCandidate, ScreenSource]:
    """Open the screen to record, or raise `NoScreenError` saying what was looked for.

    `masking` says that windows must be masked, for which they must be listed.
    """
    reasons = []
    for candidate in screen_candidates(around, replay, token_file):
        if kind == candidate.name or (kind == "auto" and candidate.automatic):
            try:
                return candidate, opened(candidate, masking=masking)
            except NoScreenError as error:
                reasons.append(told_of(error))
    raise NoScreenError(none_found(kind, around, all_of(reasons)))


def none_found(kind: str, around: Surroundings, reasons: str) -> str:
    """Say why there is no screen; where none was named and none is there, what was looked for."""
    if kind == "auto" and _shows_nothing(around):
        return phrase(
            "no screen was found: neither DISPLAY nor WAYLAND_DISPLAY is set, and {reasons}",
            reasons=reasons,
        )
    return reasons


def opened(candidate: ScreenCandidate, *, masking: bool) -> ScreenSource:
    """Open a candidate, or raise `NoScreenError` when it is not there or cannot be masked."""
    source = candidate.open()
    if masking and not source.lists_windows:
        source.close()
        raise NoScreenError(
            phrase(
                "{source} does not tell which windows it shows, so no mask rule can be obeyed",
                source=source.name,
            )
        )
    return source


def pick_screen(
    kind: ScreenKind,
    around: Surroundings,
    *,
    replay: Path | None,
    masking: bool = True,
    token_file: Path | None = None,
) -> ScreenSource:
    """Open the screen to record, or raise `NoScreenError` saying what was looked for.

    `token_file` keeps what a desktop hands out so that it need not ask again.
    """
    found = find_screen(kind, around, replay=replay, masking=masking, token_file=token_file)
    return found[1]


def _open_x11(around: Surroundings) -> ScreenSource:
    if around.display is None:
        raise NoScreenError("no X11 display is named, neither in the settings nor by DISPLAY")
    from workseal_agent.screen.x11 import X11Screen  # noqa: PLC0415

    return X11Screen(around.display)


def _open_grim(around: Surroundings) -> ScreenSource:
    from workseal_agent.screen.grim import GrimScreen  # noqa: PLC0415

    return GrimScreen(around)


def _open_cast(around: Surroundings, token_file: Path | None) -> ScreenSource:
    from workseal_agent.screen.cast import CastScreen  # noqa: PLC0415

    return CastScreen(around, token_file)


def _open_portal(around: Surroundings) -> ScreenSource:
    from workseal_agent.screen.portal import PortalScreen  # noqa: PLC0415

    return PortalScreen(around)


def _open_native(around: Surroundings) -> ScreenSource:
    from workseal_agent.screen.native import NativeScreen  # noqa: PLC0415

    return NativeScreen(around)


def _open_replay(replay: Path | None) -> ScreenSource:
    if replay is None:
        raise NoScreenError("no folder of recorded pictures is named")
    from workseal_agent.screen.replay import ReplayScreen  # noqa: PLC0415

    return ReplayScreen(replay)


def _shows_nothing(around: Surroundings) -> bool:
    native = around.system in {"win32", "darwin"}
    wayland = around.wayland is not None and not around.named
    return around.display is None and not wayland and not native
