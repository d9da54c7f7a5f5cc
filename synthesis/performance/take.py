"""One face's performance through one shot, and where it stands in the film."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synthesis.neural.lipcode import LipCode
from synthesis.performance.shapes import MouthMotion


@dataclass(frozen=True)
class Performance:
    """n frames of one face.

    shot, face: numbers as people count them, from 1. first_frame: the scene's number
    of the first row. codes: (n, CODE_SIZE). times_s: (n,), from the scene's first
    frame. timecodes: n labels.
    """

    shot: int
    face: int
    first_frame: int
    codes: NDArray[np.floating]
    times_s: NDArray[np.float64]
    timecodes: Sequence[str]

    def motion(self, lip_code: LipCode) -> MouthMotion:
        """Return the codes as geometry."""
        return MouthMotion.of_codes(self.codes, lip_code)

    @property
    def name(self) -> str:
        return f"shot {self.shot}, face {self.face}"
