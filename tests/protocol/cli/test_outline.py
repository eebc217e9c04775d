import sys

import pytest

from workseal_protocol.cli.outline import outline
from workseal_protocol.cli.problem import CommandError

WIDTH, HEIGHT = 64, 48


def strips(*levels: int) -> bytes:
    row = b"".join(bytes([level]) * (3 * WIDTH // len(levels)) for level in levels)
    return row * HEIGHT


def test_one_picture_has_one_outline_and_a_mirrored_one_another() -> None:
    rising = outline(WIDTH, HEIGHT, strips(0, 30, 60, 90, 120, 150, 180, 210))
    assert len(rising) == 8
    assert rising == outline(WIDTH, HEIGHT, strips(0, 30, 60, 90, 120, 150, 180, 210))
    assert rising != outline(WIDTH, HEIGHT, strips(210, 180, 150, 120, 90, 60, 30, 0))


def test_a_flat_picture_has_an_outline_of_zeros() -> None:
    assert outline(WIDTH, HEIGHT, strips(80)) == bytes(8)


def test_a_missing_extra_is_one_kind_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "imagehash", None)
    with pytest.raises(CommandError, match=r"pip install 'workseal\[desk\]'"):
        outline(WIDTH, HEIGHT, strips(80))
