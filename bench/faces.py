"""Show faces of many sizes on real screens and count how many are found, and what is no face.

Run it with `.venv/bin/python bench/faces.py`; it needs the extra `review`, what `screens.py` needs,
and the pictures of scikit-image (`pip install scikit-image`, never imported): an astronaut, a
hundred faces of 25 pixels, a hundred pieces without one, and photographs of other things.
"""

import importlib.util
import sys
import time
from pathlib import Path

import numpy as np
from PIL import Image
from screens import take

from workseal_agent.suggestions.faces import FaceFinder

# Where the astronaut's face is, in a picture of 512 pixels, and how wide.
MIDDLE, WIDE = (222, 119), 89
SIZES = (12, 16, 20, 24, 32, 48, 96, 240)
OTHERS = (
    "brick", "cell", "chelsea", "coffee", "coins", "color", "gravel", "grass", "horse",
    "hubble_deep_field", "ihc", "logo", "moon", "motorcycle_left", "motorcycle_right", "page",
    "retina", "rocket", "text",
)  # fmt: skip


def pictures() -> Path:
    spec = importlib.util.find_spec("skimage")
    if spec is None or spec.origin is None:
        sys.exit("the pictures of scikit-image are not here: pip install scikit-image")
    return Path(spec.origin).parent / "data"


def holds(box: object, place: tuple[float, float]) -> bool:
    left, top = box.left, box.top  # type: ignore[attr-defined]
    across, down = box.width, box.height  # type: ignore[attr-defined]
    return bool(left < place[0] < left + across and top < place[1] < top + down)


def found_at(
    finder: FaceFinder, screen: np.ndarray, places: list[tuple[float, float]]
) -> list[int]:
    """Return how many places lie in a face that was found, and how many faces lie elsewhere."""
    boxes = [one.boxes[0] for one in finder.find(screen)]
    hits = sum(any(holds(box, place) for box in boxes) for place in places)
    return [hits, sum(not any(holds(box, place) for place in places) for box in boxes)]


def sheet(
    screen: np.ndarray, pieces: np.ndarray, times: int
) -> tuple[np.ndarray, list[tuple[float, float]]]:
    """Lay small pictures over a screen, apart from each other."""
    laid, places = Image.fromarray(screen), []
    for number, piece in enumerate(pieces):
        side = 25 * times
        small = Image.fromarray((piece * 255).astype(np.uint8)).convert("RGB").resize((side, side))
        left, top = 20 + number % 20 * 92, 20 + number // 20 * 184
        laid.paste(small, (left, top))
        places.append((left + side / 2, top + side / 2))
    return np.asarray(laid), places


def main() -> None:
    folder, finder = pictures(), FaceFinder()
    screens = list(take(quick=False).values())
    spent = time.process_time()
    empty = [len(finder.find(screen)) for screen in screens]
    spent = (time.process_time() - spent) / len(screens)
    print(f"screens without a face: marks {empty}, {spent:.2f} s of CPU a frame")
    astronaut = Image.open(folder / "astronaut.png").convert("RGB")
    for size in SIZES:
        scale = size / WIDE
        whole = astronaut.resize((int(512 * scale),) * 2).crop((0, 0, int(512 * scale), 1000))
        told = []
        for number, screen in enumerate(screens):
            laid, left, top = Image.fromarray(screen), 40 + 90 * number, 10 * number
            laid.paste(whole, (left, top))
            place = (left + MIDDLE[0] * scale, top + MIDDLE[1] * scale)
            told.append(found_at(finder, np.asarray(laid), [place]))
        hits, strange = map(sum, zip(*told, strict=True))
        print(f"a face of {size} pixels: {hits} of {len(screens)} screens, {strange} elsewhere")
    pieces = np.load(folder / "lfw_subset.npy")
    halves = (("faces", pieces[:100]), ("pieces without", pieces[100:]))
    for times in (1, 2, 3):
        for name, some in halves:
            hits, _ = found_at(finder, *sheet(screens[0], some, times))
            print(f"{name} in {25 * times} pixels: {hits} of {len(some)}")
    for name in OTHERS:
        (file,) = folder.glob(f"{name}.*")
        count = len(finder.find(np.asarray(Image.open(file).convert("RGB"))))
        if count:
            print(f"{file.name}: {count} faces that are none")


if __name__ == "__main__":
    main()
