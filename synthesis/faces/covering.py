"""Whether something is before a mouth: a hand, a microphone, a cup.

The face mesh does not tell: it draws a mouth on whatever is there and stays sure of
itself (its presence was 1.00 on every frame of a painted-over mouth). Colour does. The
mouth of a shot keeps to a few colours; what covers it seldom has them.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from synthesis.faces.geometry import EYE_OUTER, warp

WIDE, HIGH = 32, 36
"""Size of the look at a face: an eye distance wide, from below the eyes to the chin."""
TOP, CHEEKS_ROWS = 0.15, 12
"""Its upper edge below the eye line, in eye distances; its upper rows show cheeks and
nose, which tell the light from the mouth."""
LIPS = (slice(15, 31), slice(5, 27))
"""Rows and columns in which the lips lie, however they move."""
UNLIKE = 8.0
"""Mean difference of colour (CIE a and b) that no bare mouth of 12 talkers made."""
UNLIKE_TIMES_USUAL = 3.0
"""In a shot whose light plays on the face, it takes more."""
FADED = 0.3
"""Less of the lips' usual contrast than this is no mouth: a hand has the skin's colour,
but not the lips'. Bare mouths were never measured below 0.40."""
LEAST_CONTRAST = 1.2
"""Of the lips against the skin, in CIE a and b: in black and white there is none, and
nothing can be said of it."""
LEAST_FRAMES = 3
WIDEN_FRAMES = 2
"""The frames in which something moves in or out are half covered."""


def look_at_mouth(
    frame: NDArray[np.uint8], landmarks: NDArray[np.floating]
) -> NDArray[np.uint8]:
    """Return a small upright picture (HIGH, WIDE, 3) of the lower face, from an RGB
    frame (H, W, 3) and landmarks (468, 3). It is placed by the eyes alone."""
    left, right = (landmarks[point, :2].astype(np.float64) for point in EYE_OUTER)
    across = (right - left) / WIDE
    down = np.array([-across[1], across[0]])
    corner = left + down * (TOP * WIDE)
    to_frame = np.column_stack([across, down, corner])
    return warp(frame, to_frame, WIDE, HIGH)


def covered_frames(looks: Sequence[NDArray[np.uint8] | None]) -> NDArray[np.bool_]:
    """Return (n,): True where the mouth looks unlike the mouth of its own track.

    looks: of look_at_mouth, None where no face was found. Finds what covers a mouth for
    less than half of the track.
    """
    seen = [number for number, look in enumerate(looks) if look is not None]
    covered = np.zeros(len(looks), np.bool_)
    if len(seen) < 2 * LEAST_FRAMES:
        return covered
    mouths = np.stack([look for look in looks if look is not None])
    unlike = unlikeness(mouths)
    limit = max(UNLIKE, UNLIKE_TIMES_USUAL * float(np.median(unlike)))
    covered[seen] = (unlike > limit) | (lip_contrast(mouths) < FADED)
    return _in_runs(covered)


def unlikeness(looks: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return (n,): how far each mouth's colours are from the track's usual ones.

    looks: (n, HIGH, WIDE, 3). In units of CIE a and b, a change of the light on the
    whole face taken off.
    """
    count, colour = len(looks), _colours(looks)
    moved = colour - np.median(colour, axis=0)
    light = np.median(moved[:, :CHEEKS_ROWS].reshape(count, -1, 2), axis=1)
    mouth = moved[:, CHEEKS_ROWS:] - light[:, None, None]
    return np.asarray(np.abs(mouth).sum(-1).mean((1, 2)), np.float64)


def lip_contrast(looks: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return (n,): how much of the lips' usual contrast to the skin each picture shows.

    looks: (n, HIGH, WIDE, 3). 1 as usual, 0 none of it; 1 throughout where there is
    usually too little to tell.
    """
    mouth = _colours(looks)[:, *LIPS]
    pattern = mouth - mouth.mean((1, 2), keepdims=True)
    usual = np.median(pattern, axis=0)
    power = float((usual**2).mean())
    if power < LEAST_CONTRAST**2:
        return np.ones(len(looks))
    shown = (pattern * usual).mean((1, 2, 3))
    return np.asarray(shown / max(float(np.median(shown)), power / 2), np.float64)


def _colours(looks: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return CIE a and b, float32 (n, HIGH, WIDE, 2)."""
    # A look below the other: OpenCV converts one picture at a time.
    rows = looks.reshape(len(looks) * HIGH, WIDE, 3)
    lab = cv2.cvtColor(rows, cv2.COLOR_RGB2LAB).reshape(looks.shape)
    return lab[..., 1:].astype(np.float32)


def _in_runs(covered: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Drop what is shorter than LEAST_FRAMES, widen the rest."""
    whole = np.ones(LEAST_FRAMES, np.uint8)
    rows = covered.astype(np.uint8)[:, None]
    kept = cv2.morphologyEx(rows, cv2.MORPH_OPEN, whole[:, None])
    reach = np.ones((2 * WIDEN_FRAMES + 1, 1), np.uint8)
    return np.asarray(cv2.dilate(kept, reach)[:, 0] > 0)
