import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from desktop import missing_tools
from support.wayland import WAYLAND_MARKS, WaylandDesktop, wait_for, wayland_desktop
from workseal_agent.activity import find_activity, swayidle
from workseal_agent.activity.idle import IdleActivity
from workseal_agent.activity.swayidle import SwayIdle
from workseal_agent.errors import NoScreenError
from workseal_agent.surroundings import Surroundings
from workseal_protocol.commitment import ActivitySource

pytestmark = [
    *WAYLAND_MARKS,
    pytest.mark.skipif(
        bool(missing_tools(("swayidle", "wtype"))), reason="needs swayidle and wtype"
    ),
]
HERE = Surroundings("linux", wayland="wayland-1")


@pytest.fixture(scope="module")
def desktop() -> Iterator[WaylandDesktop]:
    with wayland_desktop() as started:
        yield started


def press(desktop: WaylandDesktop) -> None:
    subprocess.run(["wtype", "a"], env=desktop.seen, check=True, timeout=20)


def test_tells_idle_time_and_that_it_ends_with_a_key(desktop: WaylandDesktop) -> None:
    source = SwayIdle(desktop.around)
    wait_for("idle time", lambda: (source.idle_ms() or 0) >= 1_000)

    def pressed() -> bool:
        press(desktop)
        return source.idle_ms() == 0

    wait_for("the key", pressed)
    wait_for("idle time again", lambda: (source.idle_ms() or 0) >= 1_000)
    source.close()
    source.close()
    assert source.idle_ms() is None


def test_is_picked_on_a_wayland_desktop_and_counts_seconds_alone(desktop: WaylandDesktop) -> None:
    candidate, sensor = find_activity("auto", desktop.around)
    assert candidate.name == "swayidle"
    assert isinstance(sensor, IdleActivity)

    def seen() -> bool:
        press(desktop)
        return sensor.take().active_seconds > 0

    wait_for("a second with input", seen)
    counts = sensor.take()
    assert (counts.keys, counts.pointer, counts.source) == (0, 0, ActivitySource.IDLE)
    sensor.close()


def test_reads_no_settings_of_its_owner(
    desktop: WaylandDesktop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trace = tmp_path / "ran"
    (tmp_path / "swayidle").mkdir()
    (tmp_path / "swayidle" / "config").write_text(f"timeout 1 'touch {trace}'\n")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    source = SwayIdle(desktop.around)
    wait_for("idle time", lambda: (source.idle_ms() or 0) >= 1_300)
    source.close()
    assert not trace.exists()


def test_ends_when_the_process_that_asked_was_killed(desktop: WaylandDesktop) -> None:
    code = (
        "import os, signal; from workseal_agent.activity.swayidle import SwayIdle;"
        "from workseal_agent.surroundings import Surroundings;"
        "source = SwayIdle(Surroundings.of(os.environ));"
        "print(source._process.pid, flush=True); os.kill(os.getpid(), signal.SIGKILL)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=desktop.seen, capture_output=True, check=False, timeout=60
    )
    press(desktop)
    left = Path("/proc") / done.stdout.decode().strip() / "status"

    def ended() -> bool:
        try:
            return "State:\tZ" in left.read_text()  # nobody may be there to take note of its end
        except (FileNotFoundError, ProcessLookupError):
            return True

    assert left.name == "status"
    wait_for("its end", ended)


def program(folder: Path, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put a stand-in for the program before the real one."""
    file = folder / "swayidle"
    file.write_text(f"#!/bin/sh\n{text}\n")
    file.chmod(stat.S_IRWXU)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")


def test_a_compositor_without_the_protocol_is_no_source(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(tmp_path, "exit 1", monkeypatch)
    with pytest.raises(NoScreenError, match="no idle protocol"):
        SwayIdle(HERE)


def test_who_types_all_the_time_from_the_start_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(tmp_path, "exec sleep 60", monkeypatch)
    source = SwayIdle(HERE)
    assert source.idle_ms() is None
    wait_for("the end of doubt", lambda: source.idle_ms() == 0)
    source.close()


def test_a_program_that_ends_is_told_and_started_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(tmp_path, "echo active; exec sleep 60", monkeypatch)
    monkeypatch.setattr(swayidle, "_AGAIN_SECONDS", 0.1)
    source = SwayIdle(HERE)
    wait_for("its word", lambda: source.idle_ms() == 0)
    assert source._process is not None
    source._process.kill()
    source._process.wait()
    assert source.idle_ms() is None
    wait_for("its word again", lambda: source.idle_ms() == 0)
    source.close()


def test_what_is_missing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(NoScreenError, match="WAYLAND_DISPLAY is not set"):
        SwayIdle(Surroundings("linux"))
    monkeypatch.setenv("PATH", "")
    with pytest.raises(NoScreenError, match="swayidle is not installed"):
        SwayIdle(HERE)
