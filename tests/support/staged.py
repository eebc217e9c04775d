"""Simulated recordings: people who work, and machines that pretend; for the checks of the desk.

Rules: everything follows from a seed. These are models that we made, not measurements of people: a
rate that was found with them says how a check behaves here, and no more. A screen is 256 by 160
pixels, 40 tiles; the tile with the clock is hidden in what is shown, which makes honest screens
more alike than they are.
"""

import hashlib
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from random import Random

from support.builders import ENGAGEMENT, ROUND_MS, digest, make_segment, make_terms
from workseal_protocol.commitment import ActivityRecord, ActivitySource, bucket
from workseal_protocol.desk import Material, Placed, ShownFrame, Withdrawals
from workseal_protocol.frame import Grid
from workseal_protocol.records import Capture

WIDTH, HEIGHT, TILE = 256, 160, 32
GRID = Grid(WIDTH, HEIGHT, TILE)
CLOCK = max(range(GRID.count), key=lambda number: GRID.order[number])
# Row 0 is the bar of the window, the last row the panel; the rest is what people work on.
CONTENT = tuple(number for number in range(GRID.count) if 0 < GRID.order[number][1] < 4)
ROUNDS = 480  # four hours of 30 s
CAPTURE = 1 / 20

Screen = dict[int, str]


def screen(app: str, page: object, edits: dict[int, int], minute: int) -> Screen:
    """Name what each tile shows: equal names are equal pixels."""
    tiles = {number: f"{app} bar {number}" for number in range(GRID.count)}
    for number in CONTENT:
        tiles[number] = f"{app} {page} {number} {edits.get(number, 0)}"
    tiles[CLOCK] = f"clock {minute}"
    return tiles


@dataclass
class Desk:
    """Hold what is on a person's screen."""

    app: str = "editor"
    page: int = 0
    edits: dict[int, int] = field(default_factory=dict)

    def turn(self, to: int | None = None) -> None:
        self.page = self.page + 1 if to is None else to
        self.edits = {}

    def edit(self, random: Random) -> None:
        number = random.choice(CONTENT)
        self.edits[number] = self.edits.get(number, 0) + 1

    def shown(self, minute: int) -> Screen:
        return screen(self.app, self.page, self.edits, minute)


@dataclass(frozen=True)
class Heard:
    """Hold the input of one round."""

    seconds: int
    keys: int
    pointer: int


Play = Iterator[tuple[Heard, Screen]]


def _count(random: Random, mean: float) -> int:
    return round(mean * random.lognormvariate(0, 0.7) / math.exp(0.245))


def typing(random: Random, desk: Desk) -> Heard:
    for _ in range(3):
        desk.edit(random)
    if random.random() < 0.1:
        desk.turn()
    seconds = min(30, max(3, _count(random, 15)))
    return Heard(seconds, _count(random, 80), _count(random, 15))


def reading(random: Random, desk: Desk) -> Heard:
    if random.random() < 0.25:
        desk.turn()
        return Heard(random.randint(1, 5), random.choice((0, 1)), _count(random, 8))
    return Heard(0, 0, 0) if random.random() < 0.6 else Heard(1, 0, 2)


def drawing(random: Random, desk: Desk) -> Heard:
    """Work by pointer alone, as evenly as people do."""
    desk.edit(random)
    seconds = min(30, max(1, _count(random, 14)))
    keys = random.choice((0, 0, 0, 0, 2, 5))
    return Heard(seconds, keys, 40 * seconds)


def steady(random: Random, desk: Desk) -> Heard:
    """Retouch with a pen, hour after hour, and never touch a key."""
    desk.edit(random)
    seconds = min(30, max(1, round(random.gauss(22, 3))))
    return Heard(seconds, 0, 40 * seconds)


def comparing(random: Random, desk: Desk) -> Heard:
    """Look from one of two unchanged pages to the other."""
    desk.turn(random.choice((-1, -2)))
    return Heard(random.randint(1, 4), 0, _count(random, 8))


def watching(random: Random, desk: Desk) -> Heard:
    """Wait before one unchanged page, and touch the mouse now and then."""
    desk.turn(-3)
    return Heard(random.choice((0, 0, 1, 2)), 0, 3)


def thinking(random: Random, desk: Desk) -> Heard:
    del desk
    return Heard(0, 0, 0) if random.random() < 0.9 else Heard(1, 0, 1)


Doing = Callable[[Random, Desk], Heard]


def person(random: Random, doings: dict[Doing, int], *, music: bool = False) -> Play:
    """Work for hours: one thing for a while, then another; some look for another song."""
    desk, left = Desk(), 0
    doing: Doing = typing
    for number in range(ROUNDS):
        if not left:
            doing = random.choices(list(doings), list(doings.values()))[0]
            left = max(1, round(random.expovariate(1 / 12)))
            desk.app = random.choice(("editor", "browser", "editor"))
            desk.page = max(desk.page, 0)
        left -= 1
        heard = doing(random, desk)
        if music and random.random() < 0.03:
            yield heard, screen("player", "library", {}, number // 2)
        else:
            yield heard, desk.shown(number // 2)


def jiggler(
    random: Random, seconds: Callable[[Random], int], shows: Callable[[int], Screen]
) -> Play:
    """Move the pointer by a machine, before a screen that somebody staged."""
    for number in range(ROUNDS):
        heard = seconds(random)
        yield Heard(heard, 0, 3 * heard), shows(number)


def typist(random: Random, shows: Callable[[int], Screen]) -> Play:
    """Press keys by a program, before a screen that shows none of it."""
    for number in range(ROUNDS):
        yield Heard(random.randint(8, 12), random.randint(40, 60), 0), shows(number)


def still(number: int) -> Screen:
    return screen("editor", 0, {}, number // 2)


def looped(number: int) -> Screen:
    """Show five pages in turn, each for a minute and a half."""
    return screen("editor", number // 3 % 5, {}, number // 2)


def _pages(random: Random) -> Callable[[int], Screen]:
    shift = random.randint(0, 10_000)
    return lambda number: screen("editor", shift + number // 3, {number % 40: number}, number // 2)


HONEST: dict[str, Callable[[Random], Play]] = {
    "writes code": lambda r: person(r, {typing: 5, reading: 3, thinking: 1}),
    "reads for hours": lambda r: person(r, {reading: 8, typing: 1, thinking: 3}),
    "draws with a mouse": lambda r: person(r, {drawing: 8, thinking: 1, reading: 1}),
    "retouches, evenly": lambda r: person(r, {steady: 8, thinking: 1}),
    "compares two pages": lambda r: person(r, {comparing: 4, typing: 4}),
    "watches one page": lambda r: person(r, {watching: 9, typing: 1}),
    "changes the music": lambda r: person(r, {typing: 5, reading: 3}, music=True),
}
STAGED: dict[str, Callable[[Random], Play]] = {
    "jiggler, each 30 s": lambda r: jiggler(r, lambda _: 1, still),
    "jiggler, all the time": lambda r: jiggler(r, lambda _: 30, still),
    "jiggler, each 5 to 60 s": lambda r: jiggler(r, lambda q: q.choice((0, 1, 1, 2, 3)), still),
    "looped screen, jiggler": lambda r: jiggler(r, lambda _: 1, looped),
    "still screen, typed by a program": lambda r: typist(r, still),
    "imitates a person": lambda r: person(r, {typing: 5, reading: 3}),
}


def record(seed: int, kind: str) -> Material:
    """Record four hours of a kind; all frames are shown but for the clock, all activity opened."""
    random = Random(f"{kind} {seed}")
    places: list[Placed] = []
    frames: list[ShownFrame] = []
    before: Screen | None = None
    for number, (heard, shown) in enumerate((HONEST | STAGED)[kind](random)):
        captured = random.random() < CAPTURE
        changed = None
        if captured and before is not None:
            moved = sum(before[tile] != shown[tile] for tile in shown if tile != CLOCK)
            changed = -(-100 * moved // len(shown))
        place = _place(number, heard, changed, captured=captured)
        places.append(place)
        if captured:
            before = shown
            frames.append(_frame(place, shown))
    begin, end = places[0].segment.begin, places[-1].segment.end
    return Material(
        terms=make_terms(),
        engagement=ENGAGEMENT,
        begin=begin,
        end=end,
        places=tuple(places),
        withdrawn=Withdrawals(),
        frames=tuple(frames),
    )


def _place(number: int, heard: Heard, changed: int | None, *, captured: bool) -> Placed:
    segment = make_segment(
        number + 1,
        capture=Capture.CAPTURED if captured else Capture.NONE,
        frames=(digest(f"frame {number}"),) if captured else (),
    )
    activity = ActivityRecord(
        observed_ms=ROUND_MS,
        input_seconds=min(heard.seconds, 30),
        keys=bucket(heard.keys),
        pointer=bucket(heard.pointer),
        synthetic_tenths=None,
        changed_percent=changed,
        source=ActivitySource.XINPUT2,
    )
    return Placed(digest(f"place {number}"), segment, activity)


def _frame(place: Placed, shown: Screen) -> ShownFrame:
    tiles = {
        number: hashlib.sha256(name.encode()).digest()[:16]
        for number, name in shown.items()
        if number != CLOCK
    }
    return ShownFrame(
        commitment=place.segment.frames[0],
        place=place,
        at=place.segment.round * ROUND_MS,
        display=0,
        grid=GRID,
        tiles=tiles,
        flat=frozenset(),
    )


def pixels_of(shown: Screen) -> bytes:
    """Paint a screen: each tile a paper with lines as its name says."""
    rows: list[bytes] = []
    numbers = {GRID.order[number]: number for number in shown}
    inks = {number: hashlib.sha256(name.encode()).digest() for number, name in shown.items()}
    for y in range(HEIGHT):
        line = bytearray()
        for column in range(GRID.columns):
            ink = inks[numbers[column, y // TILE]]
            width = ink[y % TILE] % TILE if y % 4 else 0
            line += b"\x20" * (3 * width) + b"\xf8" * (3 * (TILE - width))
        rows.append(bytes(line))
    return b"".join(rows)
