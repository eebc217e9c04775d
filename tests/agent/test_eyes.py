import threading
from typing import Any, cast

import pytest

from support.rig import MemoryVault
from workseal_agent.daemon import eyes as eyes_module
from workseal_agent.daemon.eyes import Eyes
from workseal_agent.errors import CaptureError, CaptureFailure, VaultError
from workseal_agent.mask import Rule
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
        self.still = threading.Event()
        self.still.set()
        self.asked = 0

    def grab(self) -> tuple[RawFrame, ...]:
        self.asked += 1
        self.still.wait(20)
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


def test_a_screen_that_stands_still_costs_a_capture_and_no_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(eyes_module, "TAKE_S", 0.05)
    screen = Screen()
    eyes = seeing(screen)
    screen.still.clear()
    for _ in range(2):
        with pytest.raises(CaptureError, match="does not answer") as caught:
            eyes.take()
        assert caught.value.failure is CaptureFailure.NO_DISPLAY
    assert eyes.describe()["captures_failing"] == "the screen does not answer"
    # It was asked once: the second capture did not wait behind the first.
    assert screen.asked == 1
    screen.still.set()
    while True:
        try:
            assert eyes.take().frames[0].rgb == PIXELS
        except CaptureError:
            continue
        break


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
    eyes = Eyes(cast("ScreenSource", Screen()), (Rule("bank", "firefox"),))
    eyes.take()
    assert eyes.describe()["rules_never_matched"] == ["bank"]
