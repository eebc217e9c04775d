from types import SimpleNamespace
from typing import Any, cast

from workseal_agent.screen.shots import MAX_DISPLAYS, monitors_of, take


def area(left: int, width: int) -> dict[str, int]:
    return {"left": left, "top": 0, "width": width, "height": 1}


def camera(*monitors: dict[str, int]) -> Any:
    return SimpleNamespace(monitors=list(monitors))


def test_mirrored_and_empty_monitors_are_left_out() -> None:
    found = monitors_of(camera(area(0, 9), area(0, 5), area(0, 5), area(5, 0), area(5, 4)))
    assert [(one["left"], one["width"]) for one in found] == [(0, 5), (5, 4)]


def test_of_a_monitor_only_what_is_on_the_screen_is_asked_for() -> None:
    screen = {"left": -4, "top": 0, "width": 10, "height": 5}
    partly = {"left": 3, "top": -2, "width": 9, "height": 4}
    outside = {"left": 6, "top": 0, "width": 4, "height": 5}
    left = {"left": -4, "top": 0, "width": 4, "height": 5}
    cut = {"left": 3, "top": 0, "width": 3, "height": 2}
    assert monitors_of(camera(screen, partly, outside, left)) == [cut, left]
    assert monitors_of(camera(screen, outside)) == [screen]


def test_without_monitors_everything_is_one() -> None:
    assert monitors_of(camera(area(0, 9))) == [area(0, 9)]


def test_there_is_an_end_to_monitors() -> None:
    many = [area(number, 1) for number in range(300)]
    assert len(monitors_of(camera(area(0, 300), *many))) == MAX_DISPLAYS


def test_the_fourth_byte_has_no_meaning() -> None:
    shot = SimpleNamespace(raw=b"\x03\x02\x01\xee", left=7, top=8, width=1, height=1)
    frame = take(cast("Any", SimpleNamespace(grab=lambda _: shot)), 2, cast("Any", {}))
    assert (frame.display, frame.left, frame.top, frame.rgb) == (2, 7, 8, b"\x01\x02\x03")
