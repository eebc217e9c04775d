"""One window, as the mask needs to know it.

Rule: titles are secrets, so a `WindowInfo` hides its title in its repr, and nothing of it is logged
or stored.
"""

from dataclasses import dataclass, field

# Beyond what any program shows of a title; each rule looks at all of it at each picture.
MAX_TITLE = 16_384


@dataclass(frozen=True, slots=True)
class WindowInfo:
    """Describe one visible top-level window; coordinates are pixels of the whole screen.

    The rectangle includes the decorations, because a title bar shows the title. `stacking` counts
    from the bottom. `transient_for` is the window that this one belongs to, if it says so. `client`
    is the connection that made the window and `process` the process, if it says so. A `popup` is a
    menu, a tooltip or a list: put up past the window manager, and told by nothing else whose it is.
    A `presumed` one is a place where something of its owner may be that nobody lists. An `overlong`
    one has a title that is too long to be read whole: nobody can say which rule it would match.
    """

    title: str = field(repr=False)
    wm_class: tuple[str, ...]
    left: int
    top: int
    width: int
    height: int
    stacking: int
    identifier: int = 0
    transient_for: int | None = None
    client: int | None = None
    process: int | None = None
    popup: bool = False
    presumed: bool = False
    overlong: bool = False
