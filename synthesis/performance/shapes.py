"""Lip codes as mouth geometry: what lips and jaw do, frame by frame, off their rest."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synthesis.faces.align import CANONICAL
from synthesis.neural.lipcode import POINTS, LipCode

CHIN = (152, 148, 377, 176, 400)
UPPER_MIDDLE, LOWER_MIDDLE = (13, 82, 312), (14, 87, 317)
"""Inner edges of the lips, about the middle."""
UPPER_EDGE, LOWER_EDGE = (0, 37, 267), (17, 84, 314)
"""Outer edges, about the middle."""
OUTER_CORNERS, INNER_CORNERS = (61, 291), (78, 308)
"""Image left, which is the actor's right; image right, the actor's left."""
UPPER_SIDES = ((37, 39, 40), (267, 269, 270))
LOWER_SIDES = ((84, 181, 91), (314, 405, 321))


@dataclass(frozen=True)
class MouthMotion:
    """Displacements of lips and jaw from rest; n frames, in eye distances.

    moved: (n, points, 3), lipcode.POINTS in order; x to the image's right, y down, z
    away from the camera; the head's own turning is not in it.
    """

    moved: NDArray[np.float64]

    @classmethod
    def of_codes(cls, codes: NDArray[np.floating], lip_code: LipCode) -> MouthMotion:
        """Return the motion that codes (n, CODE_SIZE) stand for, on the mean face."""
        rest = CANONICAL[list(POINTS)].astype(np.float64)
        return cls(lip_code.decode(np.asarray(codes, np.float64), rest) - rest)

    def right(self, *points: int) -> NDArray[np.float64]:
        """Return (n,): mean movement of mesh points to the image's right."""
        return self._mean(points, 0)

    def down(self, *points: int) -> NDArray[np.float64]:
        """Return (n,): mean movement of mesh points downwards."""
        return self._mean(points, 1)

    @property
    def gap(self) -> NDArray[np.float64]:
        """Return (n,): how much further apart the lips are than at rest."""
        return self.down(*LOWER_MIDDLE) - self.down(*UPPER_MIDDLE)

    @property
    def inner_width(self) -> NDArray[np.float64]:
        """Return (n,): how much wider the opening is than at rest."""
        return self.right(INNER_CORNERS[1]) - self.right(INNER_CORNERS[0])

    def _mean(self, points: tuple[int, ...], axis: int) -> NDArray[np.float64]:
        rows = [POINTS.index(point) for point in points]
        mean: NDArray[np.float64] = self.moved[:, rows, axis].mean(1)
        return mean
