import cv2
import numpy as np
import pytest

from support.desktop import noise
from workseal_agent.screen.png import read_png

WIDTH, HEIGHT = 20, 10


def encoded(channels: int) -> tuple[bytes, bytes]:
    """Return a PNG file with noise in every channel, and the RGB pixels that it shows."""
    rgb = np.frombuffer(noise(WIDTH, HEIGHT), np.uint8).reshape(HEIGHT, WIDTH, 3)
    alpha = np.arange(HEIGHT * WIDTH, dtype=np.uint8).reshape(HEIGHT, WIDTH, 1)
    pixels = np.concatenate([rgb[:, :, ::-1], alpha], axis=2)[:, :, :channels]
    return cv2.imencode(".png", pixels)[1].tobytes(), rgb.tobytes()


def test_an_alpha_channel_is_dropped_and_not_blended() -> None:
    data, rgb = encoded(4)
    assert read_png(data, alpha=True) == (WIDTH, HEIGHT, rgb)


def test_an_alpha_channel_is_refused_where_none_is_expected() -> None:
    data, rgb = encoded(3)
    assert read_png(data) == (WIDTH, HEIGHT, rgb)
    with pytest.raises(ValueError, match="form"):
        read_png(encoded(4)[0])
