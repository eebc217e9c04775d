"""A face that is drawn: no picture of anybody lies here, and a finder of faces takes it for one."""

import cv2
import numpy as np

HAIR, SKIN, SHADE, EYE, MOUTH = (
    (60, 42, 34),
    (224, 178, 150),
    (170, 132, 112),
    (50, 36, 30),
    (170, 84, 84),
)
WHITE = (245, 245, 245)


def drawn_face(pixels: int) -> np.ndarray:
    """Draw hair, skin, brows, eyes, nose and mouth, lit from the left and out of focus."""
    picture = np.full((400, 400, 3), (90, 110, 130), np.uint8)
    cv2.ellipse(picture, (200, 175), (112, 135), 0, 0, 360, HAIR, -1)
    cv2.ellipse(picture, (200, 205), (92, 118), 0, 0, 360, SKIN, -1)
    for left in (163, 237):
        cv2.ellipse(picture, (left, 160), (24, 7), 0, 180, 360, HAIR, -1)
        cv2.ellipse(picture, (left, 185), (18, 9), 0, 0, 360, WHITE, -1)
        cv2.circle(picture, (left, 185), 8, EYE, -1)
    cv2.ellipse(picture, (200, 240), (20, 9), 0, 0, 180, SHADE, -1)
    cv2.ellipse(picture, (200, 275), (36, 13), 0, 0, 360, MOUTH, -1)
    light = np.linspace(1.1, 0.72, 400)[None, :, None]
    picture = np.clip(picture * light, 0, 255).astype(np.uint8)
    soft = cv2.GaussianBlur(picture, (0, 0), 5)
    return np.asarray(cv2.resize(soft, (pixels, pixels), interpolation=cv2.INTER_AREA))
