import time
from pathlib import Path

import pytest

from workseal_agent import clock
from workseal_agent.clock import SystemClock
from workseal_agent.errors import AgentError


def test_tells_what_the_system_tells() -> None:
    before = (time.time_ns() // 1_000_000, time.monotonic_ns())
    before_boot = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
    system = SystemClock()
    wall, monotonic, boot = system.wall_ms(), system.monotonic_ns(), system.boottime_ns()
    assert before[0] <= wall <= time.time_ns() // 1_000_000
    assert before[1] <= monotonic <= time.monotonic_ns()
    assert before_boot <= boot <= time.clock_gettime_ns(time.CLOCK_BOOTTIME)
    assert boot >= monotonic


def test_names_this_boot() -> None:
    name = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    assert SystemClock().boot_id() == name


def test_refuses_a_system_whose_clock_may_count_sleep(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(time, "CLOCK_BOOTTIME")
    with pytest.raises(AgentError, match="needs Linux"):
        SystemClock()


def test_refuses_a_machine_that_does_not_name_its_boot(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(clock, "_BOOT_ID", tmp_path / "absent")
    with pytest.raises(AgentError, match="boot id"):
        SystemClock()
