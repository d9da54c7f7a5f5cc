"""The active picture: what is left of a frame without the black bars that are in it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

BLACK = 28
"""Brightest a bar may be, 0..255: coding noise over black."""
SHARP = 0.5
"""Share of a bar's edge along which the picture must begin within _EDGE_PX: a dark
picture fades out, a bar ends."""
DIRT = 0.005
"""Share of a bar's row or column that may be brighter all the same."""
LARGEST = 0.4
"""Share of a side that a bar may take."""
EVERY = 5
"""Of so many frames one is looked at."""
_EDGE_PX = 6


class ActivePicture:
    """Collects what was ever bright in a scene, to tell its bars in the end."""

    def __init__(self) -> None:
        self._most: NDArray[np.uint8] | None = None
        self._count = 0

    def push(self, rgb: NDArray[np.uint8]) -> None:
        """Look at the next frame, uint8 (H, W, 3)."""
        if self._count % EVERY == 0:
            green = rgb[..., 1]
            if self._most is None:
                self._most = green.copy()
            np.maximum(self._most, green, out=self._most)
        self._count += 1

    def box(self) -> tuple[int, int, int, int] | None:
        """Left, top, right, bottom of the active picture in pixels; None where there
        are no bars."""
        if self._most is None:
            return None
        height, width = self._most.shape
        bright = self._most > BLACK
        top, bottom = _bar(bright), _bar(bright[::-1])
        inside = bright[top : height - bottom].T
        left, right = _bar(inside), _bar(inside[::-1])
        if not (left or top or right or bottom):
            return None
        return left, top, width - right, height - bottom


def _bar(bright: NDArray[np.bool_]) -> int:
    """Rows of the bar at the top of a mask (H, W), 0 where there is none."""
    lit = bright.mean(axis=1)
    bar = int(np.argmax(lit > DIRT))
    if bar < 2 or bar > LARGEST * len(bright):
        return 0
    edge = bright[bar : bar + _EDGE_PX].any(axis=0).mean()
    return bar if edge >= SHARP else 0
