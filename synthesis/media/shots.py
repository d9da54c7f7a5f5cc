"""Cuts, found while the frames go by.

PySceneDetect's adaptive detector is given pictures only; it opens no file. It compares
each frame's change with its neighbours', so a pan or a flash of movement is no cut.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fractions import Fraction

import cv2
import numpy as np
from numpy.typing import NDArray
from scenedetect.common import FrameTimecode
from scenedetect.detectors import AdaptiveDetector

_WIDTH_PX = 256
_SHORTEST_S = 0.25
"""Cuts closer than this are flashes or flicker, not shots."""

Shot = tuple[int, int]
"""(first frame, one past the last)."""


class ShotFinder:
    """Feed every frame of a scene in order; shots come out as they end."""

    def __init__(self, rate: Fraction) -> None:
        self._rate = rate
        self._detector = AdaptiveDetector(
            min_scene_len=max(2, round(_SHORTEST_S * rate))
        )
        self._start = 0
        self._count = 0

    def push(self, index: int, rgb: NDArray[np.uint8]) -> list[Shot]:
        """Take the next frame, uint8 (h, w, 3) RGB of any size; return ended shots.

        A cut is known two frames after it. Raises ValueError for a frame out of turn.
        """
        if index != self._count:
            raise ValueError(f"frame {index} instead of {self._count}")
        self._count += 1
        cuts = self._detector.process_frame(
            FrameTimecode(index, self._rate), _small_bgr(rgb)
        )
        return [self._end(cut.frame_num) for cut in cuts]

    def finish(self) -> list[Shot]:
        """The last shot; call once, after the last frame."""
        cuts = self._detector.post_process(FrameTimecode(self._count, self._rate))
        shots = [self._end(cut.frame_num) for cut in cuts]
        if self._count > self._start:
            shots.append(self._end(self._count))
        return shots

    def _end(self, stop: int) -> Shot:
        shot = (self._start, stop)
        self._start = stop
        return shot


def find_shots(
    frames: Iterable[NDArray[np.uint8]],
    rate: Fraction,
    report: Callable[[int], None] | None = None,
) -> list[Shot]:
    """All shots of a scene given as RGB frames; they cover every frame once.

    report: called with the number of frames seen so far.
    """
    finder, shots = ShotFinder(rate), []
    for index, rgb in enumerate(frames):
        shots += finder.push(index, rgb)
        if report:
            report(index + 1)
    return shots + finder.finish()


def _small_bgr(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    height, width = rgb.shape[:2]
    if width > _WIDTH_PX:
        size = (_WIDTH_PX, max(1, round(height * _WIDTH_PX / width)))
        rgb = np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.uint8)
    return np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), np.uint8)
