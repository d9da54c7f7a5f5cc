"""What every lip-sync engine offers, whatever network is inside."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

SOUND_RATE_HZ = 16_000
"""Rate of the mono sound every engine is given."""
OPENING, WIDTH = 0, 1
"""The lip code's first two axes: jaw and lips apart; corners out, or in as for "oo"."""
BLEND_FRAMES = 4
"""Frames before and after a range, or a drawn curve, over which it comes and goes."""
JOIN_FRAMES = 12
"""Key points further apart than this are not joined."""


@dataclass(frozen=True)
class MouthPatch:
    """New mouth pixels for one frame, still in the engine's own aligned square.

    rgba: uint8 (S, S, 4), RGB order, alpha not premultiplied; alpha 0 = untouched.
    to_frame: float64 (2, 3), affine map from patch pixels (x, y, 1) to frame pixels.
    """

    rgba: NDArray[np.uint8]
    to_frame: NDArray[np.float64]

    def moved(self, by: NDArray[np.floating]) -> MouthPatch:
        """Return the patch shifted by (2,) frame pixels."""
        to_frame = self.to_frame.copy()
        to_frame[:, 2] += by
        return replace(self, to_frame=to_frame)


@dataclass(frozen=True)
class ShotFace:
    """One actor's face through one shot, and the sound the mouth shall follow.

    frames: opens the shot anew on each call; yields one RGB uint8 (H, W, 3) array a
        frame, in order, exactly len(landmarks) of them. Never hold them all.
    landmarks: float32 (n, 468, 3), MediaPipe mesh order, pixels of the frame
        (z in the same scale); a row of NaN where no face was found.
    times_s: float64 (n,), presentation time of each frame on the sound's clock.
    sound: float32 (samples,), mono, SOUND_RATE_HZ, -1..1; sample 0 is time 0.
    """

    frames: Callable[[], Iterator[NDArray[np.uint8]]]
    landmarks: NDArray[np.float32]
    times_s: NDArray[np.float64]
    sound: NDArray[np.float32]


@dataclass(frozen=True)
class Stretch:
    """Frames first_frame up to end_frame of a shot, with dials of their own."""

    first_frame: int
    end_frame: int
    offset_frames: float
    intensity: float


@dataclass(frozen=True)
class KeyPoint:
    """A value drawn by hand at one frame of a shot, on one axis of the lip code, in
    its standard deviations; 0 is the mouth at rest."""

    frame: int
    axis: int
    value: float


@dataclass(frozen=True)
class Controls:
    """A dialogue supervisor's dials. offset_frames > 0 moves the mouth later.

    stretches: ranges with dials of their own, not overlapping. points: what the curve
    shall be, whatever the sound asks for. codes: float32 (n, CODE_SIZE), one row a
    frame of the shot: drawn instead of what the sound asks for, untouched by the other
    dials.
    """

    offset_frames: float = 0.0
    intensity: float = 1.0
    stretches: tuple[Stretch, ...] = ()
    points: tuple[KeyPoint, ...] = ()
    codes: NDArray[np.float32] | None = None


class Engine(Protocol):
    """A lip-sync engine, loaded and ready. Not thread-safe."""

    name: str
    weights_sha256: str
    """Hash over every weight file in use; goes into the manifest."""

    def mouths(self, face: ShotFace, controls: Controls) -> Iterator[MouthPatch | None]:
        """Yield one patch a frame, in order; None leaves that frame as it is."""
        ...
