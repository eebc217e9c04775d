"""A page looked at as everybody meets it: three widths, light and dark, axe, keyboard, console.

`WORKSEAL_SHOTS=folder` keeps a picture of each, to be looked at by a person.
"""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any, Final, Literal

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Page

from support.judged import BASICS, EVERYBODY, SCHEMES, WIDTHS
from support.walked import faults_of_walk

# Every width in both, and what the short form takes: what is narrow breaks first.
ALL: Final = tuple(product(SCHEMES, WIDTHS))
ONE: Final = (("dark", 390),)

_UNFOLD: Final = "document.querySelectorAll('details').forEach(one => one.open = true)"
# Off in axe unless asked for: what a finger has to hit (WCAG 2.5.8).
_OPTIONS: Final = {"resultTypes": ["violations"], "rules": {"target-size": {"enabled": True}}}


@dataclass
class Audit:
    """Count what was looked at, and hold what is wrong with it."""

    pairs: tuple[tuple[Literal["light", "dark"], int], ...] = ALL
    looked: int = 0
    pages: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    # What axe calls moderate or minor: told, and judged by a person.
    lesser: set[str] = field(default_factory=set)

    @contextmanager
    def listening(self, context: BrowserContext) -> Iterator[Page]:
        """Open a page whose console is heard: also what its policy kept out is told there."""
        page = context.new_page()
        heard: list[str] = []
        page.on("console", lambda message: heard.append(message.text))
        page.on("pageerror", lambda error: heard.append(str(error)))
        yield page
        page.close()
        # A page that is refused is told by the browser as well.
        self.faults += [f"console: {one}" for one in heard if "Failed to load resource" not in one]

    def look(self, page: Page, name: str) -> None:
        """Look at what is open, as it came and with everything unfolded."""
        self.pages.append(name)
        for scheme, width in self.pairs:
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            page.set_viewport_size({"width": width, "height": 900})
            self._shoot(page, f"{name}-{width}-{scheme}")
            found = page.evaluate(BASICS)
            self._add(name, scheme, width, found)
        # Whoever unfolds a part does it once; it stays so at every width.
        page.evaluate(_UNFOLD)
        for scheme, width in self.pairs:
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            page.set_viewport_size({"width": width, "height": 900})
            broken = page.evaluate(f"{EVERYBODY}.broken()")
            # A moment may end its line after the day; a figure may not.
            found = [one for one in broken if re.match(r"breaks: \d", one)]
            found += page.evaluate(BASICS) + self._axe(page, name)
            self._add(name, scheme, width, found)
            self.looked += 1
        for width in sorted({width for _, width in self.pairs}):
            # Colour decides nothing of what the keyboard comes to.
            page.set_viewport_size({"width": width, "height": 900})
            self._add(name, "keyboard", width, faults_of_walk(page))

    def _axe(self, page: Page, name: str) -> list[str]:
        found: list[dict[str, Any]] = Axe().run(page, options=_OPTIONS).response["violations"]
        self.lesser |= {
            f"{name}: {one['id']} ({one['impact']}) {one['nodes'][0]['html'][:100]}"
            for one in found
            if one["impact"] not in {"serious", "critical"}
        }
        return [
            f"{one['id']}: {one['help']} {[node['html'][:140] for node in one['nodes'][:3]]}"
            for one in found
            if one["impact"] in {"serious", "critical"}
        ]

    def _add(self, name: str, scheme: str, width: int, found: list[str]) -> None:
        self.faults += [f"{name} {scheme} {width}: {one}" for one in found]

    def _shoot(self, page: Page, name: str) -> None:
        folder = os.environ.get("WORKSEAL_SHOTS")
        if folder:
            path = Path(folder) / (re.sub(r"[^\w-]+", "_", name) + ".png")
            page.screenshot(path=path, full_page=True)

    def told(self) -> str:
        """Say what was looked at."""
        widths = len({width for _, width in self.pairs})
        schemes = len({scheme for scheme, _ in self.pairs})
        return (
            f"{len(self.pages)} pages x {widths} widths x {schemes} schemes = {self.looked} looks,"
            f" {len(self.faults)} faults, {len(self.lesser)} lesser ones"
        )
