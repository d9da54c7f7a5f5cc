"""An engine on a file, without pipeline or encode: for evaluation and for looking."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from synthesis.engines.base import Controls, Engine, MouthPatch, ShotFace
from synthesis.faces.tracks import FaceTrack
from synthesis.neural import footage


class Trial:
    """Dubs whole files with an engine; see neural.evaluate.Dub."""

    def __init__(self, engine: Engine, controls: Controls | None = None) -> None:
        self._engine = engine
        self._controls = controls or Controls()

    def __call__(
        self, path: Path, track: FaceTrack, sound: NDArray[np.float32]
    ) -> Iterator[NDArray[np.uint8]]:
        """Yield every frame of the file, RGB uint8, the track's mouth redrawn."""
        count = len(track.landmarks)
        inside = slice(track.start, track.start + count)
        times_s = np.array([at_s for at_s, _ in footage.timed_frames(path)])[inside]

        def shot() -> Iterator[NDArray[np.uint8]]:
            for number, frame in enumerate(footage.frames(path)):
                if inside.start <= number < inside.stop:
                    yield frame

        face = ShotFace(shot, track.landmarks, times_s, sound)
        patches = self._engine.mouths(face, self._controls)
        for number, frame in enumerate(footage.frames(path)):
            if inside.start <= number < inside.stop:
                yield painted(frame, next(patches))
            else:
                yield frame


def painted(frame: NDArray[np.uint8], patch: MouthPatch | None) -> NDArray[np.uint8]:
    """Return RGB frame (H, W, 3) with the patch over it; for looking, not delivery."""
    if patch is None:
        return frame
    size = (frame.shape[1], frame.shape[0])
    over = cv2.warpAffine(patch.rgba, patch.to_frame, size).astype(np.float32)
    alpha = over[..., 3:] / 255
    mixed = frame * (1 - alpha) + over[..., :3] * alpha
    return np.where(alpha > 0, np.round(mixed), frame).astype(np.uint8)
