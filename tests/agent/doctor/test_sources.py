from collections.abc import Iterator
from pathlib import Path

import pytest

from desktop import Desktop
from support.desktop import SCREEN_MARKS, private_desktop
from workseal_agent.daemon.patience import Patience
from workseal_agent.doctor import SourceReport, examine_sources, sources
from workseal_agent.doctor.sources import Wanted
from workseal_agent.errors import CaptureError, CaptureFailure
from workseal_agent.screen import RawFrame
from workseal_agent.screen.replay import ReplayScreen
from workseal_agent.surroundings import Surroundings
from workseal_protocol.cli.png import encode_png

NOTHING = Surroundings("linux", system_bus="unix:path=/nowhere")


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    (tmp_path / "a.png").write_bytes(encode_png(8, 4, bytes(8 * 4 * 3)))
    return tmp_path


def examined(around: Surroundings, wanted: Wanted) -> dict[str, SourceReport]:
    return {one.kind: one for one in examine_sources(around, wanted)}


def test_every_candidate_has_a_reason_and_nothing_is_picked_where_nothing_is() -> None:
    found = examined(NOTHING, Wanted())
    assert found["screen"].picked is None
    assert found["screen"].problem == (
        "no screen was found: neither DISPLAY nor WAYLAND_DISPLAY is set, and no folder of recorded"
        " pictures is named"
    )
    # Of a candidate it is told what is wrong with it, and not what is wrong with all of them.
    assert found["screen"].candidates[-1].reason == "no folder of recorded pictures is named"
    assert found["input"].picked == "none"
    assert found["input"].problem is None
    assert found["sleep"].picked == "clocks"
    assert found["sleep"].candidates[0].name == "logind"


def test_terms_without_pictures_need_no_screen() -> None:
    assert examined(NOTHING, Wanted(pictures=False))["screen"].problem is None


def test_a_sensor_that_is_named_and_missing_is_in_the_way() -> None:
    assert examined(NOTHING, Wanted(activity="x11"))["input"].problem
    assert not examined(NOTHING, Wanted(activity="x11", counts=False))["input"].problem


def test_the_recorded_desktop_is_told_with_its_size(pictures: Path) -> None:
    found = examined(NOTHING, Wanted(replay=pictures))["screen"]
    assert found.picked == "replay"
    assert "1 display of 8x4" in found.candidates[-1].reason


class Unseen(ReplayScreen):
    """Take no picture, for a reason that passes or one that does not."""

    failure = CaptureFailure.HIDDEN

    def grab(self) -> tuple[RawFrame, ...]:
        raise CaptureError(self.failure, "the screen is blank")


def test_a_blank_screen_is_no_reason_not_to_begin(
    pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources, "opened", lambda *_, **__: Unseen(pictures))
    found = examined(NOTHING, Wanted(replay=pictures))["screen"]
    assert (found.picked, found.problem) == ("replay", None)
    assert found.candidates[0].reason.endswith("nothing to see now: the screen is blank")
    monkeypatch.setattr(Unseen, "failure", CaptureFailure.REFUSED)
    refused = examined(NOTHING, Wanted(replay=pictures))["screen"]
    assert refused.picked is None
    assert (refused.problem or "").endswith(", and the screen is blank")


def test_a_screen_that_hangs_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    def late(*_: object) -> None:
        raise TimeoutError

    monkeypatch.setattr(Patience, "wait_for", late)
    (first, *_) = examined(NOTHING, Wanted())["screen"].candidates
    assert first.reason == "does not answer within 10 seconds"


def test_what_nobody_foresaw_is_told_by_its_class_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def trips(*_: object) -> None:
        raise RuntimeError("My Bank")

    monkeypatch.setattr(sources, "opened", trips)
    (first, *_) = examined(NOTHING, Wanted())["screen"].candidates
    assert not first.fit
    assert "My Bank" not in first.reason


@pytest.fixture
def desktop() -> Iterator[Desktop]:
    with private_desktop() as started:
        yield started


class TestWithADesktop:
    pytestmark = SCREEN_MARKS

    def test_picks_what_start_would_pick_and_tells_no_title(self, desktop: Desktop) -> None:
        desktop.open_terminal("My Bank", size=(20, 5))
        found = examined(
            Surroundings("linux", desktop.display, system_bus="unix:path=/nowhere"), Wanted()
        )
        assert {kind: one.picked for kind, one in found.items()} == {
            "screen": "x11",
            "windows": "x11",
            "input": "x11",
            "idle": "x11",
            "sleep": "clocks",
        }
        assert "1 display of 640x480" in found["screen"].candidates[0].reason
        assert "listed" in found["windows"].candidates[0].reason
        assert "My Bank" not in repr(found)
