from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from workseal_agent.mask import MASK_COLOUR, Rule, apply_mask, capture_masked, fill_all_but
from workseal_agent.mask.paint import Masked
from workseal_agent.screen import RawFrame
from workseal_agent.windows import WindowInfo

SIDE = 40
EDITOR = Rule("editor", "code")
BANK = Rule("bank", title="*My Bank*")
Box = tuple[int, int, int, int]


def frame(left: int = 0) -> RawFrame:
    return RawFrame(0, left, 0, SIDE, SIDE, b"\xff\xff\xff" * SIDE * SIDE)


def window(name: str, box: Box, identifier: int, **more: Any) -> WindowInfo:
    return WindowInfo(more.pop("title", ""), (name,), *box, 0, identifier, **more)


def shown(masked: Masked, number: int = 0) -> set[tuple[int, int]]:
    """Return the (x, y) of the pixels that were not filled."""
    pixels = np.frombuffer(masked.frames[number].rgb, np.uint8).reshape(SIDE, SIDE, 3)
    hit = (pixels == np.array(MASK_COLOUR, np.uint8)).all(axis=2)
    assert ((pixels == 255).all(axis=2) | hit).all()
    return {(int(x), int(y)) for y, x in zip(*np.nonzero(~hit), strict=True)}


def inside(box: Box) -> set[tuple[int, int]]:
    left, top, width, height = box
    return {
        (x, y) for x in range(SIDE) for y in range(SIDE)
        if left <= x < left + width and top <= y < top + height
    }  # fmt: skip


def filled(*listings: tuple[WindowInfo, ...], rules: tuple[Rule, ...] = ()) -> Masked:
    everything = tuple(one for listing in listings for one in listing)
    return fill_all_but(apply_mask([frame()], everything, rules), listings, rules, [EDITOR])


@given(*(st.integers(-60, 60) for _ in range(2)), *(st.integers(1, 90) for _ in range(2)))
def test_shows_exactly_the_wanted_window(left: int, top: int, width: int, height: int) -> None:
    box = (left, top, width, height)
    masked = filled((window("desktop", (0, 0, SIDE, SIDE), 1), window("code", box, 2)))
    assert shown(masked) == inside(box)
    assert masked.rules_matched == (frozenset({"editor"}))


def test_without_a_wanted_window_everything_is_filled_and_noted() -> None:
    masked = filled((), ())
    assert shown(masked) == set()
    assert masked.masked_windows == 1
    two = filled((window("a", (0, 0, 5, 5), 1), window("b", (9, 9, 5, 5), 2)))
    assert two.masked_windows == 2


def test_what_lies_above_a_wanted_window_is_filled_and_what_lies_below_is_not_seen() -> None:
    box, other = (0, 0, 20, 20), (10, 10, 20, 20)
    above = filled((window("code", box, 1), window("chat", other, 2)))
    assert shown(above) == inside(box) - inside(other)
    below = filled((window("chat", other, 1), window("code", box, 2)))
    assert shown(below) == inside(box)


def test_dialogs_and_menus_of_a_wanted_window_are_wanted() -> None:
    listing = (
        window("code", (0, 0, 10, 10), 1, client=7, process=9),
        window("dialog", (10, 0, 10, 10), 2, transient_for=1),
        window("", (20, 0, 10, 10), 3, popup=True, client=7),
        window("", (30, 0, 10, 10), 4, popup=True, client=8, process=9),
    )
    assert shown(filled(listing)) == inside((0, 0, 30, 10))


def test_a_window_that_a_rule_excludes_is_never_wanted() -> None:
    listing = (
        window("code", (0, 0, 10, 10), 1),
        window("code", (10, 0, 10, 10), 2, title="My Bank - code"),
    )
    masked = filled(listing, rules=(BANK,))
    assert shown(masked) == inside((0, 0, 10, 10))
    assert masked.rules_matched == {"editor", "bank"}
    unpainted = Masked((frame(),), 0, frozenset())
    assert shown(fill_all_but(unpainted, [listing], (BANK,), [EDITOR])) == inside((0, 0, 10, 10))


def test_a_wanted_window_that_moves_opens_or_closes_meanwhile_is_filled() -> None:
    here, there = window("code", (0, 0, 10, 10), 1), window("code", (5, 0, 10, 10), 1)
    for before, after in (((here,), (there,)), ((here,), ()), ((), (here,))):
        assert shown(filled(before, after)) == set()


def test_where_another_window_moved_is_filled_with_all_between() -> None:
    code = window("code", (0, 0, SIDE, SIDE), 1)
    before, after = window("chat", (0, 0, 5, 5), 2), window("chat", (30, 0, 5, 5), 2)
    masked = filled((code, before), (code, after))
    assert shown(masked) == inside((0, 0, SIDE, SIDE)) - inside((0, 0, 35, 5))


def test_a_place_where_something_may_be_hides_all_unless_it_is_a_wanted_windows() -> None:
    place = {"transient_for": 1, "presumed": True}
    code, chat = window("code", (0, 0, 10, 10), 1), window("chat", (20, 0, 10, 10), 1)
    anywhere = window("", (0, 0, SIDE, SIDE), -1, **place)
    other = window("code", (0, 20, 10, 10), 2)
    assert shown(filled((code, anywhere, other))) == inside((0, 0, 10, 10)) | inside(
        (0, 20, 10, 10)
    )
    assert shown(filled((chat, anywhere, other))) == set()


def test_each_display_shows_its_own_part() -> None:
    listing = (window("code", (SIDE, 0, 10, 10), 1),)
    both = Masked((frame(), frame(SIDE)), 0, frozenset())
    masked = fill_all_but(both, [listing], (), [EDITOR])
    assert shown(masked, 0) == set()
    assert shown(masked, 1) == inside((0, 0, 10, 10))


class Screen:
    """Give one white frame and always the same windows."""

    name = "fake"
    virtual = True
    lists_windows = True

    def grab(self) -> tuple[RawFrame, ...]:
        return (frame(),)

    def windows(self) -> tuple[WindowInfo, ...]:
        return (window("code", (0, 0, 10, 10), 1),)

    def close(self) -> None:
        """Do nothing."""


def test_a_picture_is_filled_before_it_leaves_although_there_are_no_other_rules() -> None:
    screen = Screen()
    masked = capture_masked(screen, screen.windows, [], [EDITOR])
    assert shown(masked) == inside((0, 0, 10, 10))
    assert shown(capture_masked(screen, screen.windows, [])) == inside((0, 0, SIDE, SIDE))
