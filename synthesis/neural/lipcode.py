"""The lip code: a dozen readable numbers for the shape of mouth and jaw.

Landmarks are brought into one pose, the actor's rest shape is taken off, what is left
is projected on the main axes of movement. Code 0 is the mouth at rest, for everybody.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synthesis.faces.align import CANONICAL, poses, smooth

CODE_SIZE = 12
LIPS_OUTER = (
    *(61, 146, 91, 181, 84, 17, 314, 405, 321, 375),
    *(291, 409, 270, 269, 267, 0, 37, 39, 40, 185),
)
LIPS_INNER = (
    *(78, 95, 88, 178, 87, 14, 317, 402, 318, 324),
    *(308, 415, 310, 311, 312, 13, 82, 81, 80, 191),
)
JAW = (
    *(152, 148, 176, 149, 150, 136, 172, 377, 400, 378, 379, 365, 397),
    *(199, 175, 200, 18, 83, 313),
)
POINTS = (*LIPS_OUTER, *LIPS_INNER, *JAW)
UPPER_LIP, LOWER_LIP = 13, 14
CORNERS = (61, 291)

REST_SHARE = 0.2
"""The rest shape is the mean over this share of frames, the least open ones."""
LANDMARK_SIGMA_FRAMES = 0.7
"""Landmark jitter is as fast as no lip is: take it off first."""


@dataclass(frozen=True)
class LipCode:
    """Axes of mouth movement, learned once over many people.

    axes: float32 (CODE_SIZE, points * 3), orthonormal. spread: float32 (CODE_SIZE,),
    standard deviation along each axis, in eye distances.
    """

    axes: NDArray[np.float32]
    spread: NDArray[np.float32]

    def encode(
        self, shapes: NDArray[np.floating], rest: NDArray[np.floating]
    ) -> NDArray[np.float32]:
        """Project mouth shapes (n, points, 3) to codes float32 (n, CODE_SIZE)."""
        moved = (shapes - rest).reshape(len(shapes), -1)
        return (moved @ self.axes.T / self.spread).astype(np.float32)

    def absolute(self, shapes: NDArray[np.floating]) -> NDArray[np.float32]:
        """Project mouth shapes (n, points, 3) with nobody's rest taken off.

        Codes of one shot are these less that of its rest shape: what two shots with
        other rests, of one actor, are compared by.
        """
        return self.encode(shapes, CANONICAL[list(POINTS)])

    def decode(
        self, codes: NDArray[np.floating], rest: NDArray[np.floating]
    ) -> NDArray[np.float64]:
        """Return mouth shapes (n, points, 3) for codes (n, CODE_SIZE)."""
        moved = (codes * self.spread) @ self.axes
        shapes: NDArray[np.float64] = moved.reshape(len(codes), *rest.shape) + rest
        return shapes


def mouth_shapes(landmarks: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return (n, points, 3) lips and jaw in the canonical pose, eye distances.

    landmarks: (n, 468, 3) of one shot without NaN.
    """
    steady = smooth(landmarks, LANDMARK_SIGMA_FRAMES)
    return poses(steady).remove(steady[:, POINTS])


def openings(landmarks: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return (n,): gap between the lips over the eye distance, from (n, 468, 3)."""
    points = np.asarray(landmarks, np.float64)
    gap = np.linalg.norm(points[:, LOWER_LIP] - points[:, UPPER_LIP], axis=1)
    eyes = np.linalg.norm(points[:, 33] - points[:, 263], axis=1)
    opening: NDArray[np.float64] = gap / eyes
    return opening


def rest_shape(shapes: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return (points, 3): the mean of the least open mouths in shapes (n, points, 3).

    A silent shot gives its closed mouth, a shot full of speech its consonants.
    """
    upper, lower = POINTS.index(UPPER_LIP), POINTS.index(LOWER_LIP)
    gaps = np.linalg.norm(shapes[:, lower] - shapes[:, upper], axis=1)
    least = np.argsort(gaps, kind="stable")[: max(1, round(REST_SHARE * len(gaps)))]
    rest: NDArray[np.float64] = shapes[least].mean(0)
    return rest


def learn_lip_code(movements: Sequence[NDArray[np.floating]]) -> LipCode:
    """Find the axes in movements, each (n, points, 3) off one actor's rest shape."""
    rows = np.concatenate([m.reshape(len(m), -1) for m in movements])
    # About zero, not about the mean: code 0 must stay the mouth at rest.
    _, stretch, axes = np.linalg.svd(rows, full_matrices=False)
    axes = axes[:CODE_SIZE]
    # Positive first axis opens the mouth; the sign of an axis is free otherwise.
    lower = 3 * POINTS.index(LOWER_LIP) + 1
    signs = np.where(axes[:, lower] < 0, -1.0, 1.0)
    spread = stretch[:CODE_SIZE] / np.sqrt(len(rows))
    return LipCode(
        (axes * signs[:, None]).astype(np.float32), spread.astype(np.float32)
    )
