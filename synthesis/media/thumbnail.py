"""Small JPEG pictures of frames and faces."""

from __future__ import annotations

import cv2

from synthesis.media.frames import Planes


def thumbnail(
    planes: Planes,
    box: tuple[int, int, int, int] | None = None,
    size: tuple[int, int] = (320, 180),
    quality: int = 85,
) -> bytes:
    """A frame, or its box (x0, y0, x1, y1) in pixels, as JPEG bytes within `size`.

    The shape is kept and nothing enlarged; a box is clipped to the frame.
    """
    width, height = planes.size
    x0, y0, x1, y1 = box or (0, 0, width, height)
    x0, x1 = (min(max(x, 0), width) for x in (x0, x1))
    y0, y1 = (min(max(y, 0), height) for y in (y0, y1))
    if x1 <= x0 or y1 <= y0:
        x0, y0, x1, y1 = 0, 0, width, height
    rgb = planes.rgb_region(x0, y0, x1, y1)
    shrink = min(1.0, size[0] / (x1 - x0), size[1] / (y1 - y0))
    small = (max(1, round((x1 - x0) * shrink)), max(1, round((y1 - y0) * shrink)))
    picture = cv2.cvtColor(
        cv2.resize(rgb, small, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2BGR
    )
    _, jpeg = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return bytes(jpeg)
