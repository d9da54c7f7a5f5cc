"""Mouths to export: made up, and Robin's own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from synthesis.faces.tracks import find_tracks
from synthesis.neural.lipcode import POINTS, LipCode, mouth_shapes, rest_shape
from synthesis.performance.kept import lip_code_in_use
from synthesis.performance.shapes import MouthMotion
from synthesis.performance.take import Performance
from tests.synthesis.neural.talking import robin


@pytest.fixture(scope="session")
def lip_code() -> LipCode:
    return lip_code_in_use()[0]


@pytest.fixture(scope="session")
def robins_codes(lip_code: LipCode) -> NDArray[np.float32]:
    """What Robin's mouth does in the demo scene, as landmarks tell: (153, 12)."""
    pictures, _ = robin(0, 153)
    (track,) = find_tracks(iter(pictures), [(0, len(pictures))])
    shapes = mouth_shapes(track.landmarks)
    return lip_code.encode(shapes, rest_shape(shapes))


@pytest.fixture
def take() -> Performance:
    """Nine frames of face 2 in shot 3 at 24000/1001 Hz, codes at random."""
    codes = np.random.default_rng(5).normal(0, 1, (9, 12))
    times_s = np.arange(48, 57) * 1001 / 24000
    labels = [f"01:00:02:{frame:02d}" for frame in range(9)]
    return Performance(3, 2, 48, codes, times_s, labels)


def moved(**points: Any) -> MouthMotion:
    """One frame in which mesh points p<number>=(x, y, z) move, the rest is still."""
    motion = np.zeros((1, len(POINTS), 3))
    for name, offset in points.items():
        motion[0, POINTS.index(int(name[1:]))] = offset
    return MouthMotion(motion)
