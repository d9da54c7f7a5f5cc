"""The face that a performance is shown on: the mean of many, and nobody's.

468 points of synthesis.faces, triangulated here; each axis of the lip code becomes one
set of displacements over the whole face.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from synthesis.faces.align import CANONICAL, RIGID
from synthesis.neural.lipcode import LIPS_INNER, LOWER_LIP, POINTS, UPPER_LIP, LipCode

EYES_M = 0.09
"""Outer eye corners of a grown face, metres apart: glTF counts in metres."""
EYE_LEFT = (33, 7, 163, 144, 145, 153, 154, 155, 133, 173, 157, 158, 159, 160, 161, 246)
EYE_RIGHT = (
    *(263, 249, 390, 373, 374, 380, 381, 382),
    *(362, 398, 384, 385, 386, 387, 388, 466),
)
HOLES = (LIPS_INNER, EYE_LEFT, EYE_RIGHT)
"""Contours with nothing inside."""
WIDE_OPEN = 4.0
"""Of the lip code's first axis."""
LONGEST_EDGE = 0.4
"""Longer ones only close the hull, in eye distances."""
_AXES = np.array([1.0, -1.0, -1.0])
"""Pictures have y down and z away; glTF has y up and z towards the viewer."""


@dataclass(frozen=True)
class FaceMesh:
    """positions, normals: float32 (468, 3), metres, glTF axes, normals of length 1.

    triangles: uint16 (t, 3), counter-clockwise from the front. morphs: float32
    (CODE_SIZE, 468, 3), displacement for a code of 1.
    """

    positions: NDArray[np.float32]
    normals: NDArray[np.float32]
    triangles: NDArray[np.uint16]
    morphs: NDArray[np.float32]


def face_mesh(lip_code: LipCode) -> FaceMesh:
    """Return the mean face with one morph for each axis of the lip code."""
    places = CANONICAL.astype(np.float64)
    axes = lip_code.axes * lip_code.spread[:, None]
    moved = np.einsum("vp,kpd->kvd", _carried(), axes.reshape(len(axes), -1, 3))
    # Nearly closed lips would be sewn together: triangulate them opened.
    triangles = face_triangles((places + WIDE_OPEN * moved[0])[:, :2])
    positions = (places + _closing(places, moved[0])) * _AXES * EYES_M
    return FaceMesh(
        positions.astype(np.float32),
        _normals(positions, triangles).astype(np.float32),
        triangles,
        (moved * _AXES * EYES_M).astype(np.float32),
    )


def face_triangles(flat: NDArray[np.float64]) -> NDArray[np.uint16]:
    """Return uint16 (t, 3): Delaunay over the frontal view (468, 2), y down, of an open
    mouth; without mouth and eyes."""
    scaled = ((flat + 2.0) * 1000).astype(np.float32)
    plane = cv2.Subdiv2D((0, 0, 4000, 4000))
    plane.insert([(float(x), float(y)) for x, y in scaled])
    corners = np.asarray(plane.getTriangleList()).reshape(-1, 3, 2)
    inside = ((corners > 0) & (corners < 4000)).all((1, 2))
    away = np.linalg.norm(corners[inside][:, :, None] - scaled, axis=-1)
    found = away.argmin(-1)
    edges = np.linalg.norm(flat[found] - flat[np.roll(found, 1, 1)], axis=-1)
    kept = found[(edges < LONGEST_EDGE).all(1)]
    middles = flat[kept].mean(1)
    for hole in HOLES:
        contour = flat[list(hole)].astype(np.float32)
        apart = [cv2.pointPolygonTest(contour, (x, y), True) for x, y in middles]
        outside = np.array(apart) <= 0
        kept, middles = kept[outside], middles[outside]
    return _facing(kept, flat).astype(np.uint16)


def _facing(
    triangles: NDArray[np.int64], flat: NDArray[np.float64]
) -> NDArray[np.int64]:
    """Turn every triangle counter-clockwise as seen from the front, y up."""
    a, b, c = (flat[triangles[:, k]] * [1, -1] for k in range(3))
    (ux, uy), (vx, vy) = (b - a).T, (c - a).T
    area = ux * vy - uy * vx
    return np.where((area < 0)[:, None], triangles[:, ::-1], triangles)


def _closing(
    places: NDArray[np.float64], opening: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return (468, 3): what brings the lips together. The mean face is a speaker's and
    holds them a little apart, but code 0 is a mouth at rest."""
    gap = places[LOWER_LIP, 1] - places[UPPER_LIP, 1]
    share = -gap / (opening[LOWER_LIP, 1] - opening[UPPER_LIP, 1])
    return np.asarray(share * opening, np.float64)


def _carried() -> NDArray[np.float64]:
    """Return (468, points): how far each vertex follows each point of the lip code.

    Interpolation with the kernel r (linear in between), at rest where the skull is.
    """
    places = CANONICAL.astype(np.float64)
    known = [*POINTS, *(point for point in RIGID if point not in POINTS)]
    between = np.linalg.norm(places[known][:, None] - places[known], axis=-1)
    reach = np.linalg.norm(places[:, None] - places[known], axis=-1)
    weights = reach @ np.linalg.inv(between)
    carried: NDArray[np.float64] = weights[:, : len(POINTS)]
    return carried


def _normals(
    positions: NDArray[np.float64], triangles: NDArray[np.uint16]
) -> NDArray[np.float64]:
    corners = positions[triangles]
    across = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    summed = np.zeros_like(positions)
    for corner in range(3):
        np.add.at(summed, triangles[:, corner], across)
    length = np.linalg.norm(summed, axis=1, keepdims=True)
    # A vertex no triangle uses looks at the viewer.
    forward = np.broadcast_to([0.0, 0.0, 1.0], summed.shape)
    return np.where(length > 0, summed / np.maximum(length, 1e-20), forward)
