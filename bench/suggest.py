"""Plant secrets on real screens and count how many the suggestions hide and name.

Run it with `.venv/bin/python bench/suggest.py [--plantings N] [--passwords N] [--words N]`; it
needs the extra `review` and what `screens.py` needs. The secrets are those of `planted.py`. Every
planted text is drawn over them with a patch of ground around it, as a window would. "Hidden" means
that every pixel of the letters lies in hidden tiles.
"""

import argparse
import json
import os
import platform
import random
import statistics
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from planted import NAMES, passwords_of, secrets_of, words_of
from screens import take

from workseal_agent.suggestions import (
    Kind,
    NameList,
    Reading,
    Review,
    TextReading,
    review_frame,
)
from workseal_agent.suggestions.busy import busy_tiles, suggest_busy
from workseal_agent.suggestions.worker import ScreenReader
from workseal_protocol.frame import Grid

TILE = 32
FONTS = (
    "dejavu/DejaVuSans.ttf", "dejavu/DejaVuSansMono.ttf", "dejavu/DejaVuSerif.ttf",
    "dejavu/DejaVuSansMono-Bold.ttf",
)  # fmt: skip
GROUNDS = (((252, 252, 250), (28, 30, 36)), ((24, 26, 31), (214, 218, 226)))
Colour = tuple[int, int, int]
Secrets = Callable[[random.Random], Iterable[tuple[Kind, str]]]


@dataclass(frozen=True)
class Planted:
    """What was drawn, and which pixels of the frame are letters."""

    kind: Kind
    letters: np.ndarray
    text: str


@dataclass
class Counts:
    """What was found, over all frames."""

    planted: int = 0
    hidden: int = 0
    hidden_marked: int = 0
    hidden_busy: int = 0
    named: int = 0
    of_kind: Counter[str] = field(default_factory=Counter)
    named_of_kind: Counter[str] = field(default_factory=Counter)
    missed: list[str] | None = None


def drawn(text: str, font: ImageFont.FreeTypeFont, ground: Colour, ink: Colour) -> Image.Image:
    """Draw text on a patch of ground; a tab is a gap, and lines stand as in a form."""
    size = int(font.size)
    rows = [row.split("\t") for row in text.split("\n")]
    wide = max(sum(int(font.getlength(cell)) + 3 * size for cell in row) - size for row in rows)
    patch = Image.new("RGB", (wide, 2 * size * len(rows)), ground)
    for number, row in enumerate(rows):
        left = size
        for cell in row:
            place = (left, 2 * size * number + size // 3)
            ImageDraw.Draw(patch).text(place, cell, font=font, fill=ink)
            left += int(font.getlength(cell)) + 3 * size
    return patch


def plant(
    screen: np.ndarray, chance: random.Random, secrets: Iterable[tuple[Kind, str]]
) -> tuple[np.ndarray, list[Planted]]:
    """Draw each secret somewhere, apart from each other."""
    picture = Image.fromarray(screen)
    taken = np.zeros(screen.shape[:2], np.bool_)
    planted = []
    for kind, text in secrets:
        name, size = chance.choice(FONTS), chance.randint(11, 16)
        font = ImageFont.truetype(f"/usr/share/fonts/truetype/{name}", size)
        ground, ink = chance.choice(GROUNDS)
        patch = drawn(text, font, ground, ink)
        width, height = patch.size
        for _ in range(1_000):
            left = chance.randint(0, screen.shape[1] - width)
            top = chance.randint(0, screen.shape[0] - height)
            if not taken[top : top + height, left : left + width].any():
                break
        taken[max(top - 20, 0) : top + height + 20, max(left - 40, 0) : left + width + 40] = True
        picture.paste(patch, (left, top))
        mask = np.zeros(screen.shape[:2], np.bool_)
        mask[top : top + height, left : left + width] = (np.asarray(patch) != ground).any(axis=2)
        planted.append(Planted(kind, mask, text))
    return np.asarray(picture), planted


def tile_mask(grid: Grid, tiles: Sequence[int] | frozenset[int]) -> np.ndarray:
    mask = np.zeros((grid.height, grid.width), np.bool_)
    for number in tiles:
        box = grid.box_of(number)
        mask[box.top : box.top + box.height, box.left : box.left + box.width] = True
    return mask


def judge(
    grid: Grid, review: Review, busy: np.ndarray, planted: list[Planted], into: Counts
) -> int:
    """Count what is hidden and named; return how many marks are on nothing planted."""
    every = frozenset(range(grid.count))
    hidden = tile_mask(grid, every - frozenset(review.without_any(every)))
    marked = tile_mask(grid, every - frozenset(review.without_marked(every)))
    flat = every - frozenset(review_of(grid, busy).without_any(every))
    unread = tile_mask(grid, flat)
    strange = [one for one in review.suggestions if one.kind.marked]
    for secret in planted:
        into.planted += 1
        into.hidden += bool(hidden[secret.letters].all())
        into.hidden_marked += bool(marked[secret.letters].all())
        into.hidden_busy += bool(unread[secret.letters].all())
        upon = [
            one
            for one in review.suggestions
            if one.kind.marked and covers(one.boxes, secret.letters)
        ]
        strange = [one for one in strange if one not in upon]
        named = any(one.kind is secret.kind for one in upon)
        into.named += named
        into.of_kind[secret.kind.value] += 1
        into.named_of_kind[secret.kind.value] += named
        if not named and into.missed is not None:
            into.missed.append(f"{secret.text!r} -> {[one.kind.value for one in upon]}")
    return len(strange)


def review_of(grid: Grid, busy: np.ndarray) -> Review:
    return Review(grid, suggest_busy(grid, busy), Reading.ABSENT)


def covers(boxes: Sequence[object], wanted: np.ndarray) -> bool:
    covered = np.zeros_like(wanted)
    for box in boxes:
        left, top = max(box.left, 0), max(box.top, 0)  # type: ignore[attr-defined]
        covered[top : top + box.height, left : left + box.width] = True  # type: ignore[attr-defined]
    return float((covered & wanted).sum()) > 0.5 * float(wanted.sum())


def spent_by(reader: TextReading) -> float:
    """Return the processor time of the process that reads, in seconds; 0 before it runs."""
    process = reader._process  # noqa: SLF001 - nobody else asks
    if process is None:
        return 0.0
    fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measure(
    screens: dict[str, np.ndarray], plantings: int, keep: Path | None, secrets: Secrets
) -> dict[str, object]:
    chance = random.Random(20_261_129)
    counts, shares, busy_shares, strange = Counts(missed=[]), [], [], []
    times, cpu, busy_times = [], [], []
    with TextReading(NameList(tuple(NAMES))) as reader:
        for title, screen in screens.items():
            grid = Grid(screen.shape[1], screen.shape[0], TILE)
            for turn in range(plantings + 1):
                # The first look is at the screen as it is: what is marked there is false.
                image, planted = (
                    (screen, []) if turn == 0 else plant(screen, chance, secrets(chance))
                )
                if keep is not None:
                    Image.fromarray(image).save(keep / f"{title}-{turn}.png")
                pixels = image.tobytes()
                start = time.perf_counter()
                busy = busy_tiles(grid, pixels)
                looked, before = time.perf_counter(), spent_by(reader)
                review = review_frame(grid, pixels, reader)
                done = time.perf_counter()
                assert review.reading is Reading.READ, "the frame was not read"  # noqa: S101
                busy_times.append(1_000 * (looked - start))
                times.append(done - looked)
                cpu.append(spent_by(reader) - before)
                false = judge(grid, review, busy, planted, counts)
                if turn == 0:
                    strange.append(false)
                    shares.append(1 - len(review.without_any(range(grid.count))) / grid.count)
                    busy_shares.append(float(busy.mean()))
                told = f"{done - looked:.1f} s, CPU {cpu[-1]:.1f} s, {false} false marks"
                print(f"  {title}, {turn}: {told}", flush=True)
    return {
        "planted": counts.planted,
        "hidden with all text": counts.hidden,
        "hidden with what is marked": counts.hidden_marked,
        "hidden with what is not flat": counts.hidden_busy,
        "named": counts.named,
        "named, of how many of each class": {
            name: [counts.named_of_kind[name], count] for name, count in counts.of_kind.items()
        },
        "not named": counts.missed,
        "false marks, each screen": strange,
        "share hidden with all text": shares,
        "share that is not flat": busy_shares,
        "seconds, a whole frame": times,
        "seconds of CPU, a whole frame": cpu,
        "milliseconds, what is not flat": busy_times,
    }


def steps(screens: dict[str, np.ndarray]) -> dict[str, list[float]]:
    """Time detection alone, in this process, after one look to load the models."""
    reader = ScreenReader()
    spent: dict[str, list[float]] = {"wall": [], "cpu": []}
    for screen in [next(iter(screens.values())), *screens.values()]:
        image = np.ascontiguousarray(screen[:, :, ::-1])
        wall, cpu = time.perf_counter(), time.process_time()
        reader.detect(image)
        spent["wall"].append(time.perf_counter() - wall)
        spent["cpu"].append(time.process_time() - cpu)
    return {name: values[1:] for name, values in spent.items()}


def report(figures: dict[str, object]) -> None:
    for name, value in figures.items():
        if isinstance(value, list) and value and isinstance(value[0], float):
            middle = statistics.median(value)
            print(f"{name:34} median {middle:8.3f}   {min(value):.3f} to {max(value):.3f}")
        else:
            print(f"{name:34} {value}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--plantings", type=int, default=4, help="frames planted on each screen")
    parser.add_argument("--passwords", type=int, default=0, help="frames planted with these alone")
    parser.add_argument("--words", type=int, default=0, help="frames with plain words and numbers")
    parser.add_argument("--quick", action="store_true", help="one small screen, planted once")
    parser.add_argument("--json", type=Path, help="keep every figure in this file")
    parser.add_argument("--keep", type=Path, help="keep the frames in this folder, to look at them")
    arguments = parser.parse_args()
    print(
        f"Python {platform.python_version()}, {os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f}"
    )
    screens = take(arguments.quick)
    plantings = 1 if arguments.quick else arguments.plantings
    figures = measure(screens, plantings, arguments.keep, secrets_of)
    for title, count, secrets in (
        ("passwords", arguments.passwords, passwords_of),
        ("words", arguments.words, words_of),
    ):
        if count:
            found = measure(screens, count, arguments.keep, secrets)
            figures |= {f"{title}: {name}": value for name, value in found.items()}
    if not arguments.quick:
        spent = steps(screens)
        figures["seconds, detection"] = spent["wall"]
        figures["seconds of CPU, detection"] = spent["cpu"]
    report(figures)
    print(f"load {os.getloadavg()[0]:.1f}")
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
