import threading
from typing import Any, cast

import pytest

from support.rig import MemoryVault
from workseal_agent.daemon.eyes import Eyes
from workseal_agent.errors import CaptureError, CaptureFailure, VaultError
from workseal_agent.mask import MASK_COLOUR, Rule
from workseal_agent.screen import RawFrame, ScreenSource
from workseal_protocol.frame import FrameHeader, commit_frame

SEED = bytes(16)
HEADER = FrameHeader(4, 4, 16, 0, 1, 0, bytes(16))
PIXELS = bytes(4 * 4 * 3)


class Screen:
    """Show one small frame, or fail."""

    name = "test"

    def __init__(self) -> None:
        self.error: CaptureError | None = None

    def grab(self) -> tuple[RawFrame, ...]:
        if self.error is not None:
            raise self.error
        return (RawFrame(0, 0, 0, 4, 4, PIXELS),)

    def windows(self) -> tuple[Any, ...]:
        return ()


def seeing(screen: Screen) -> Eyes:
    return Eyes(cast("ScreenSource", screen), ())


def keep(eyes: Eyes, vault: MemoryVault) -> None:
    commitment = commit_frame(HEADER, PIXELS, SEED).commitment
    eyes.keeping(vault).put_frame(HEADER, commitment, PIXELS, SEED)


def test_a_picture_that_fails_is_told_until_a_frame_is_kept() -> None:
    screen = Screen()
    eyes = seeing(screen)
    assert eyes.describe()["captures_failing"] is None
    screen.error = CaptureError(CaptureFailure.REFUSED, "the screen is locked away")
    with pytest.raises(CaptureError):
        eyes.take()
    assert eyes.describe()["captures_failing"] == "the screen is locked away"
    screen.error = None
    eyes.take()
    assert eyes.describe()["captures_failing"] == "the screen is locked away"
    keep(eyes, MemoryVault())
    assert eyes.describe()["captures_failing"] is None


def test_a_screen_that_hangs_costs_captures_and_is_told() -> None:
    answering = threading.Event()

    class Hung(Screen):
        def grab(self) -> tuple[RawFrame, ...]:
            assert answering.wait(60)
            return super().grab()

    eyes = Eyes(cast("ScreenSource", Hung()), (), seconds=0.01)
    for _ in range(2):
        with pytest.raises(CaptureError) as caught:
            eyes.take()
        assert caught.value.failure is CaptureFailure.NO_DISPLAY
    assert eyes.describe()["captures_failing"] == "the screen does not answer"
    answering.set()


def test_a_vault_that_keeps_nothing_is_told() -> None:
    vault = MemoryVault()

    def full(_when: str) -> None:
        raise VaultError("there is no room in the vault")

    vault.fault = full
    eyes = seeing(Screen())
    with pytest.raises(VaultError):
        keep(eyes, vault)
    assert eyes.describe()["captures_failing"] == "there is no room in the vault"


def test_a_watched_vault_destroys_as_the_vault_does() -> None:
    vault = MemoryVault()
    eyes = seeing(Screen())
    keep(eyes, vault)
    (commitment,) = vault.frames
    assert eyes.keeping(vault).destroy(commitment)
    assert vault.frames == {}


def test_a_rule_that_never_matched_is_named() -> None:
    screen = cast("ScreenSource", Screen())
    eyes = Eyes(screen, (Rule("bank", "firefox"),), (Rule("editor", "code"),))
    eyes.take()
    assert eyes.describe()["rules_never_matched"] == ["bank", "editor"]


def test_only_the_wanted_windows_are_taken() -> None:
    masked = Eyes(cast("ScreenSource", Screen()), (), (Rule("editor", "code"),)).take()
    assert masked.frames[0].rgb == bytes(MASK_COLOUR) * 16
