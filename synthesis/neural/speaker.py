"""Which face of a shot is the one that is heard, if that can be told at all."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from synthesis.faces.tracks import FaceTrack
from synthesis.neural.footage import FootageError
from synthesis.neural.lipcode import openings

MIN_FRAMES = 20
MIN_EYES_PX = 20.0
"""Across the outer eye corners: smaller faces have no mouth to learn from."""
SPEAKS = 2.0
"""The speaker's mouth moves at least so many times as much as any other's."""
DOMINATES = 2.0
"""Else the face that moves most must be so many times as large as any other."""
TOGETHER_FRAMES = 10
"""Two tracks that share fewer frames are one face lost and found."""
STILL = 0.004
"""Standard deviation of the opening, in eye distances, below which a mouth does not
speak; the stillest of 200 GRID clips has .011."""


def speaker(tracks: Sequence[FaceTrack], where: str) -> FaceTrack:
    """Return the track of one shot that is safe to learn from.

    where: the clip and its part, for sentences. Raises FootageError: no-face, short,
    small, two-faces (nobody can tell who of them is heard), still (somebody unseen is).
    """
    if not tracks:
        raise FootageError("no-face", f"{where} shows no face.")
    long = [t for t in tracks if len(t.landmarks) >= MIN_FRAMES]
    if not long:
        raise FootageError("short", f"{where} shows a face too briefly.")
    large = [t for t in long if eyes_px(t) >= MIN_EYES_PX]
    if not large:
        raise FootageError("small", f"The face in {where} is too small.")
    main = max(large, key=motion)
    rivals = [t for t in large if t is not main and _together(t, main)]
    if not _stands_out(main, rivals):
        raise FootageError(
            "two-faces",
            f"{where} shows {1 + len(rivals)} faces, and which of them speaks cannot "
            f"be told.",
        )
    if float(np.std(_opening(main))) < STILL:
        raise FootageError(
            "still", f"The mouth in {where} does not move: somebody unseen speaks."
        )
    return main


def eyes_px(track: FaceTrack) -> float:
    """Return the median distance of the outer eye corners, in pixels."""
    eyes = track.landmarks[:, 33, :2] - track.landmarks[:, 263, :2]
    return float(np.nanmedian(np.linalg.norm(eyes, axis=1)))


def motion(track: FaceTrack) -> float:
    """Return the mean change of the opening from frame to frame, in eye distances."""
    opening = _opening(track)
    return float(np.abs(np.diff(opening)).mean()) if len(opening) > 1 else 0.0


def _opening(track: FaceTrack) -> NDArray[np.float64]:
    """The opening where the face was seen, freed of most of the mesh's jitter."""
    seen = track.landmarks[~np.isnan(track.landmarks[:, 0, 0])]
    return np.convolve(openings(seen), np.ones(3) / 3, "valid")


def _together(a: FaceTrack, b: FaceTrack) -> bool:
    stop = min(a.start + len(a.landmarks), b.start + len(b.landmarks))
    return stop - max(a.start, b.start) >= TOGETHER_FRAMES


def _stands_out(main: FaceTrack, rivals: Sequence[FaceTrack]) -> bool:
    return all(motion(main) >= SPEAKS * motion(r) for r in rivals) or all(
        eyes_px(main) >= DOMINATES * eyes_px(r) for r in rivals
    )
