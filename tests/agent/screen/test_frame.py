import pytest

from workseal_agent.screen import RawFrame


def test_refuses_pixels_of_another_size() -> None:
    with pytest.raises(ValueError, match="size of the frame"):
        RawFrame(0, 0, 0, 2, 2, bytes(11))


def test_a_repr_shows_no_pixels() -> None:
    assert repr(RawFrame(0, 1, 2, 2, 1, b"secret")) == (
        "RawFrame(display=0, left=1, top=2, width=2, height=1)"
    )
