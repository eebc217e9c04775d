import stat
from pathlib import Path

import pytest

from workseal_agent.writing import write_private


@pytest.mark.parametrize("before", [None, 0o644])
def test_what_is_written_is_for_its_owner_alone(tmp_path: Path, before: int | None) -> None:
    path = tmp_path / "file"
    if before is not None:
        path.write_bytes(b"older")
        path.chmod(before)
    write_private(path, b"new")
    assert path.read_bytes() == b"new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_what_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError, match="folder"):
        write_private(tmp_path / "folder", b"new")
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]
