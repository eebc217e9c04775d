import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workseal_agent.config import MaskRuleSettings, MaskSettings, Settings
from workseal_agent.errors import CaptureError, CaptureFailure
from workseal_agent.mask import (
    MASK_COLOUR,
    Rule,
    apply_mask,
    capture_masked,
    load_rules,
    never_matched,
)
from workseal_agent.screen import RawFrame
from workseal_agent.windows import WindowInfo

SIDE = 40
BANK = Rule("bank", title="*My Bank*")


def frame(display: int = 0, left: int = 0, top: int = 0) -> RawFrame:
    return RawFrame(display, left, top, SIDE, SIDE, b"\xff\xff\xff" * SIDE * SIDE)


def window(title: str, box: tuple[int, int, int, int], identifier: int = 1) -> WindowInfo:
    return WindowInfo(title, ("firefox", "Firefox"), *box, stacking=0, identifier=identifier)


def painted(masked: RawFrame) -> set[tuple[int, int]]:
    """Return the (x, y) of painted pixels, having checked that every other one is untouched."""
    pixels = np.frombuffer(masked.rgb, np.uint8).reshape(SIDE, SIDE, 3)
    hit = (pixels == np.array(MASK_COLOUR, np.uint8)).all(axis=2)
    assert ((pixels == 255).all(axis=2) | hit).all()
    return {(int(x), int(y)) for y, x in zip(*np.nonzero(hit), strict=True)}


@given(*(st.integers(-60, 60) for _ in range(2)), *(st.integers(1, 90) for _ in range(2)))
def test_paints_exactly_the_rectangle(left: int, top: int, width: int, height: int) -> None:
    secret = window("My Bank", (left, top, width, height))
    masked = apply_mask([frame()], [secret], [BANK])
    expected = {
        (x, y)
        for x in range(SIDE)
        for y in range(SIDE)
        if left <= x < left + width and top <= y < top + height
    }
    assert painted(masked.frames[0]) == expected
    assert masked.masked_windows == bool(expected)
    assert masked.rules_matched == {"bank"}


def test_paints_on_every_display_where_the_window_is() -> None:
    frames = [frame(), frame(1, left=SIDE), frame(2, left=2 * SIDE, top=7)]
    masked = apply_mask(frames, [window("My Bank", (35, 3, 10, 2))], [BANK])
    assert painted(masked.frames[0]) == {(x, y) for x in range(35, 40) for y in (3, 4)}
    assert painted(masked.frames[1]) == {(x, y) for x in range(5) for y in (3, 4)}
    assert masked.frames[2] is frames[2]
    assert masked.masked_windows == 1


def test_leaves_a_picture_without_excluded_windows_as_it_is() -> None:
    plain = frame()
    masked = apply_mask([plain], [window("editor", (0, 0, 9, 9))], [BANK])
    assert masked.frames == (plain,)
    assert (masked.masked_windows, masked.rules_matched) == (0, frozenset())


def test_masks_what_belongs_to_an_excluded_window() -> None:
    menu = WindowInfo("", (), 20, 20, 5, 5, 3, identifier=2, transient_for=1)
    submenu = WindowInfo("", (), 30, 30, 5, 5, 4, identifier=3, transient_for=2)
    other = WindowInfo("", (), 0, 30, 5, 5, 5, identifier=4, transient_for=9)
    windows = [submenu, menu, window("My Bank", (0, 0, 5, 5)), other]
    masked = apply_mask([frame()], windows, [BANK])
    assert masked.masked_windows == 3
    assert len(painted(masked.frames[0])) == 75
    assert (0, 30) not in painted(masked.frames[0])


@pytest.mark.parametrize("sign", ["client", "process"])
def test_masks_the_popups_of_an_excluded_windows_program(sign: str) -> None:
    def made(identifier: int, left: int, owner: int, *, popup: bool) -> WindowInfo:
        info = WindowInfo("", (), left, 0, 2, 2, 0, identifier=identifier, popup=popup)
        return replace(info, client=owner) if sign == "client" else replace(info, process=owner)

    bank = replace(made(1, 0, 7, popup=False), title="My Bank")
    windows = [
        made(2, 10, 7, popup=True),  # listed before its owner: the order tells nothing
        bank,
        made(3, 20, 7, popup=False),  # another window of the same program
        made(4, 30, 8, popup=True),  # another program's menu
        WindowInfo("", (), 36, 0, 2, 2, 0, identifier=5, transient_for=2),
    ]
    masked = apply_mask([frame()], windows, [BANK])
    assert {x for x, _ in painted(masked.frames[0])} == {0, 1, 10, 11, 36, 37}
    assert masked.masked_windows == 3


def test_popups_of_nobody_belong_to_nobody() -> None:
    blind = WindowInfo("", (), 10, 0, 2, 2, 0, identifier=2, popup=True)
    masked = apply_mask([frame()], [window("My Bank", (0, 0, 2, 2)), blind], [BANK])
    assert masked.masked_windows == 1


@pytest.mark.parametrize(
    ("pattern", "title"),
    [
        pytest.param("*gr\u00f6\u00dfe*", "Gro\u0308\u00dfe", id="composed, decomposed"),
        pytest.param("*gro\u0308sse*", "GR\u00d6\u00dfE", id="sharp s"),
        pytest.param("*bank*", "\uff22\uff21\uff2e\uff2b", id="full width"),
        pytest.param("*\uff42ank*", "My Bank", id="full width rule"),
        pytest.param("*office*", "o\ufb03ce", id="ligature"),
        pytest.param("*istanbul*", "\u0130STANBUL", id="dotted capital i"),
        pytest.param("*bankac\u0131l\u0131k*", "BANKACILIK", id="dotless i"),
        pytest.param("*[1]*", "tab \uff3b1\uff3d", id="full width brackets are letters"),
    ],
)
def test_letters_match_whatever_their_code(pattern: str, title: str) -> None:
    assert Rule("r", title=pattern).matches(WindowInfo(title, (), 0, 0, 1, 1, 0))
    assert Rule("r", pattern).matches(WindowInfo("", (title,), 0, 0, 1, 1, 0))


@pytest.mark.parametrize(
    ("rule", "title", "wm_class", "matches"),
    [
        pytest.param(Rule("r", title="*bank*"), "MY BANK - x", (), True, id="case"),
        pytest.param(Rule("r", title="bank"), "my bank", (), False, id="whole title"),
        pytest.param(Rule("r", title="ba?k"), "bank", (), True, id="one letter"),
        pytest.param(Rule("r", title="[ab]*"), "a", (), False, id="brackets are letters"),
        pytest.param(Rule("r", title="[ab]*"), "[AB] x", (), True, id="brackets match brackets"),
        pytest.param(Rule("r", title="bank"), "other\nbank", (), True, id="second name"),
        pytest.param(Rule("r", title="a*b"), "a\nb", (), True, id="over lines"),
        pytest.param(Rule("r", "keepass*"), "", ("x", "KeePassXC"), True, id="class"),
        pytest.param(Rule("r", "keepass*"), "keepass", ("x",), False, id="title is no class"),
        pytest.param(Rule("r", "x", "*b*"), "abc", ("X",), True, id="both"),
        pytest.param(Rule("r", "x", "*b*"), "abc", ("y",), False, id="class differs"),
        pytest.param(Rule("r", "x", "*b*"), "ac", ("x",), False, id="title differs"),
        pytest.param(Rule("r", "x"), "", (), False, id="window without class"),
    ],
)
def test_a_rule_matches(rule: Rule, title: str, wm_class: Sequence[str], *, matches: bool) -> None:
    info = WindowInfo(title, tuple(wm_class), 0, 0, 1, 1, 0)
    assert rule.matches(info) is matches


def test_refuses_a_rule_that_would_match_everything() -> None:
    with pytest.raises(ValueError, match="an application, a title or a url"):
        Rule("all")


def test_a_title_cannot_make_a_rule_run_for_ever() -> None:
    rule = Rule("r", title="*" + "a*" * 100 + "b")
    before = time.process_time()
    assert not rule.matches(window("a" * 4096, (0, 0, 1, 1)))
    assert time.process_time() - before < 30  # a backtracking matcher needs longer than the world


@pytest.mark.parametrize(
    ("title", "wm_class"),
    [
        pytest.param("Passwords.kdbx - KeePassXC", ("keepassxc", "KeePassXC"), id="keepassxc"),
        pytest.param("Bitwarden", ("bitwarden", "Bitwarden"), id="bitwarden"),
        pytest.param("1Password", ("1password", "1Password"), id="1password"),
        pytest.param("", ("pinentry-gtk-2", "Pinentry-gtk-2"), id="pinentry"),
        pytest.param("Mozilla Firefox Private Browsing", ("Navigator", "firefox"), id="firefox"),
        pytest.param(
            "x — Mozilla Firefox (Private Browsing)", ("Navigator", "firefox"), id="firefox page"
        ),
        pytest.param(
            "x — Mozilla Firefox (Privater Modus)", ("Navigator", "firefox"), id="firefox german"
        ),
        pytest.param(
            "x - Google Chrome (Incognito)", ("google-chrome", "Google-chrome"), id="chrome"
        ),
        pytest.param("x - Chromium (Inkognito)", ("chromium", "Chromium"), id="chromium german"),
        pytest.param("x - [InPrivate] - Microsoft Edge", ("edge", "Edge"), id="edge"),
    ],
)
def test_the_defaults_know(title: str, wm_class: tuple[str, ...]) -> None:
    info = WindowInfo(title, wm_class, 0, 0, 1, 1, 0)
    assert any(rule.matches(info) for rule in load_rules(Settings(Path())))


@pytest.mark.parametrize(
    ("title", "wm_class"),
    [
        ("main.py - client - Visual Studio Code", ("code", "Code")),
        ("Mozilla Firefox", ("Navigator", "firefox")),
        ("vim secrets.yaml", ("xterm", "XTerm")),
    ],
)
def test_the_defaults_leave_work_alone(title: str, wm_class: tuple[str, ...]) -> None:
    info = WindowInfo(title, wm_class, 0, 0, 1, 1, 0)
    assert not any(rule.matches(info) for rule in load_rules(Settings(Path())))


def test_rules_come_from_the_settings() -> None:
    own = MaskSettings(defaults=False, rules=(MaskRuleSettings("mail", "thunderbird", "*x*"),))
    assert load_rules(Settings(Path(), mask=own)) == (Rule("mail", "thunderbird", "*x*"),)
    both = load_rules(Settings(Path(), mask=MaskSettings(rules=own.rules)))
    assert both[0] == Rule("mail", "thunderbird", "*x*")
    assert len(both) > 30
    assert all(rule.default for rule in both[1:])


def test_reports_the_users_rules_that_never_matched() -> None:
    own = MaskSettings(rules=(MaskRuleSettings("a", "x"), MaskRuleSettings("b", "y")))
    rules = load_rules(Settings(Path(), mask=own))
    assert never_matched(rules, ["a"]) == ("b",)
    assert never_matched(rules, ["a", "b"]) == ()


class FakeScreen:
    """Give one white frame, and each list of windows in turn."""

    name = "fake"
    virtual = True

    lists_windows = True

    def __init__(self, *lists: tuple[WindowInfo, ...]) -> None:
        self.lists = list(lists)
        self.steps: list[str] = []

    def grab(self) -> tuple[RawFrame, ...]:
        self.steps.append("grab")
        return (frame(),)

    def windows(self) -> tuple[WindowInfo, ...]:
        self.steps.append("windows")
        return self.lists.pop(0)

    def close(self) -> None:
        """Do nothing."""


def test_masks_a_window_that_moves_over_its_whole_way() -> None:
    screen = FakeScreen((window("My Bank", (0, 0, 5, 5)),), (window("My Bank", (20, 10, 5, 5)),))
    masked = capture_masked(screen, screen.windows, [BANK])
    assert painted(masked.frames[0]) == {(x, y) for x in range(25) for y in range(15)}
    assert masked.masked_windows == 1
    assert screen.steps == ["windows", "grab", "windows"]


@pytest.mark.parametrize("late", [False, True])
def test_masks_a_window_that_opens_closes_or_is_renamed_meanwhile(*, late: bool) -> None:
    lists = [(window("My Bank", (1, 1, 5, 5)),), (window("editor", (1, 1, 5, 5)),)]
    screen = FakeScreen(*(reversed(lists) if late else lists))
    assert len(painted(capture_masked(screen, screen.windows, [BANK]).frames[0])) == 25
    screen = FakeScreen(*([(), lists[0]] if late else [lists[0], ()]))
    assert len(painted(capture_masked(screen, screen.windows, [BANK]).frames[0])) == 25


@pytest.mark.parametrize("fails_at", [1, 2])
def test_no_picture_leaves_when_the_windows_cannot_be_listed(fails_at: int) -> None:
    screen = FakeScreen((), ())

    def list_windows() -> tuple[WindowInfo, ...]:
        if screen.steps.count("windows") == fails_at - 1:
            raise CaptureError(CaptureFailure.OTHER, "the windows cannot be listed")
        return screen.windows()

    with pytest.raises(CaptureError, match="cannot be listed"):
        capture_masked(screen, list_windows, [BANK])


def test_without_rules_nobody_looks_at_windows() -> None:
    screen = FakeScreen()
    assert capture_masked(screen, screen.windows, []).frames == (frame(),)
    assert screen.steps == ["grab"]
