"""A file of settings that is another one than was read is noticed, however it was changed."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from workseal_agent.config import SettingsFile


def replaced(file: Path) -> None:
    other = file.with_name("other")
    other.write_bytes(file.read_bytes())
    os.utime(other, ns=(file.stat().st_atime_ns, file.stat().st_mtime_ns))
    other.replace(file)


CHANGES: dict[str, Callable[[Path], object]] = {
    "longer": lambda file: file.write_text(file.read_text() + "\n"),
    "another of the same length": replaced,
    "touched": lambda file: os.utime(file, ns=(1, 1)),
    "gone": Path.unlink,
}


@pytest.mark.parametrize("how", CHANGES)
def test_a_change_is_told(tmp_path: Path, how: str) -> None:
    file = tmp_path / "config.toml"
    file.write_text("[mask]\n")
    read = SettingsFile(file)
    assert read.trouble is None
    CHANGES[how](file)
    assert "is in force after `stop` and `start`" in str(read.trouble)


def test_a_home_without_settings_that_gets_some_is_told_so(tmp_path: Path) -> None:
    read = SettingsFile(tmp_path / "config.toml")
    assert read.trouble is None
    (tmp_path / "config.toml").write_text("")
    assert read.trouble is not None
