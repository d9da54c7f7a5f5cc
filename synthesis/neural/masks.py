"""Which pixels of a lower-face crop are made anew, and which are face at all."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from synthesis.faces.align import CropSpec
from synthesis.neural.lipcode import LIPS_OUTER

HOLE = (-0.56, 0.60, 0.56, 1.54)
"""left, top, right, bottom of the hidden box on the canonical face, in eye distances:
from below the nose to below a wide open chin, whatever the mouth does."""
MOUTH = (-0.40, 0.62, 0.40, 1.14)
"""The part of it that the discriminator and the evaluation look at."""
FACE_OVAL = (
    *(10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378),
    *(400, 377, 152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21),
    *(54, 103, 67, 109),
)
FEATHER = 0.07
"""Width of the soft border of a mask, in eye distances."""


def box_px(box: tuple[float, float, float, float], spec: CropSpec) -> tuple[int, ...]:
    """Return left, top, right, bottom of a canonical box in pixels of the crop."""
    corners = spec.pixels(np.array(box).reshape(2, 2)).round().astype(int)
    low = np.clip(corners[0], 0, [spec.width, spec.height])
    high = np.clip(corners[1], 0, [spec.width, spec.height])
    return (*low.tolist(), *high.tolist())


@cache
def hole(spec: CropSpec) -> NDArray[np.float32]:
    """Return (H, W), 1 where the target frame is hidden from the renderer."""
    mask = np.zeros((spec.height, spec.width), np.float32)
    left, top, right, bottom = box_px(HOLE, spec)
    mask[top:bottom, left:right] = 1.0
    return mask


@cache
def soft_hole(spec: CropSpec) -> NDArray[np.float32]:
    """Return (H, W): the hole with a border that fades from 0 at its edge to 1."""
    inside = np.pad(hole(spec) > 0, 1).astype(np.uint8)
    depth = cv2.distanceTransform(inside, cv2.DIST_L2, 5)[1:-1, 1:-1]
    ramp = np.clip((depth - 1) / (2 * FEATHER * spec.px_per_eyes), 0, 1)
    return np.asarray(ramp * ramp * (3 - 2 * ramp), np.float32)


def face_matte(points: NDArray[np.floating], spec: CropSpec) -> NDArray[np.uint8]:
    """Return (H, W), 255 on the face, 0 off it, soft at the jaw line.

    points: (468, 2) landmarks in pixels of the crop.
    """
    return oval_matte(points[list(FACE_OVAL)], spec)


def oval_matte(outline: NDArray[np.floating], spec: CropSpec) -> NDArray[np.uint8]:
    """face_matte, from the points of FACE_OVAL alone."""
    matte = np.zeros((spec.height, spec.width), np.uint8)
    corners = np.round(outline * 16).astype(np.int32)
    cv2.fillPoly(matte, [corners], 255, lineType=cv2.LINE_AA, shift=4)
    size = 2 * max(1, round(FEATHER * spec.px_per_eyes / 2)) + 1
    return cv2.GaussianBlur(matte, (size, size), 0).astype(np.uint8, copy=False)


def lip_weight(points: NDArray[np.floating], spec: CropSpec) -> NDArray[np.uint8]:
    """Return (H, W), 255 on and around the lips, from (468, 2) crop pixels."""
    mask = np.zeros((spec.height, spec.width), np.uint8)
    hull = cv2.convexHull(np.round(points[list(LIPS_OUTER)]).astype(np.int32))
    cv2.fillConvexPoly(mask, hull, 255)
    size = 2 * max(1, round(0.12 * spec.px_per_eyes / 2)) + 1
    return cv2.dilate(mask, np.ones((size, size), np.uint8)).astype(
        np.uint8, copy=False
    )


def in_crop(
    landmarks: NDArray[np.floating], to_frame: NDArray[np.floating]
) -> NDArray[np.float64]:
    """Carry points (k, >=2) from frame pixels into crop pixels (k, 2)."""
    inverse = cv2.invertAffineTransform(to_frame.astype(np.float64))
    points: NDArray[np.float64] = landmarks[:, :2] @ inverse[:, :2].T + inverse[:, 2]
    return points
