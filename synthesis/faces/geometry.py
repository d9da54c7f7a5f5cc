"""Boxes and rotated squares around faces, and points carried between them."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

EYE_OUTER = (33, 263)
"""Mesh points of the outer eye corners: image left, image right."""


@dataclass(frozen=True)
class Box:
    """A detected face: edges in pixels, score 0..1, six points (6, 2) in pixels.

    The points: image-left eye, image-right eye, nose tip, mouth, two ears.
    """

    left: float
    top: float
    right: float
    bottom: float
    score: float
    points: NDArray[np.float32]

    @property
    def edges(self) -> NDArray[np.float64]:
        """Return (4,) left, top, right, bottom."""
        return np.array([self.left, self.top, self.right, self.bottom])


@dataclass(frozen=True)
class Roi:
    """A rotated square: centre and side in pixels, angle in radians, clockwise."""

    x: float
    y: float
    side: float
    angle: float

    MARGIN = 1.5
    """Side of the square over the longer edge of the face, as the mesh was trained."""

    @classmethod
    def around_box(cls, box: Box) -> Roi:
        """Return the square the mesh wants for a detected face."""
        side = max(box.right - box.left, box.bottom - box.top) * cls.MARGIN
        x, y = (box.left + box.right) / 2, (box.top + box.bottom) / 2
        return cls(x, y, side, _tilt(box.points[0], box.points[1]))

    @classmethod
    def around_landmarks(cls, landmarks: NDArray[np.float32]) -> Roi:
        """Return the square to look in next, from landmarks (468, >=2) in pixels."""
        points = landmarks[:, :2].astype(np.float64)
        angle = _tilt(points[EYE_OUTER[0]], points[EYE_OUTER[1]])
        turn = np.array(
            [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
        )
        upright = points @ turn
        low, high = upright.min(0), upright.max(0)
        x, y = turn @ ((low + high) / 2)
        return cls(float(x), float(y), float((high - low).max()) * cls.MARGIN, angle)

    def to_frame(self, side_px: int) -> NDArray[np.float64]:
        """Return (2, 3): crop pixels (x, y, 1) of a side_px square to the frame."""
        scale = self.side / side_px
        cos, sin = np.cos(self.angle) * scale, np.sin(self.angle) * scale
        half = side_px / 2
        return np.array(
            [
                [cos, -sin, self.x - cos * half + sin * half],
                [sin, cos, self.y - sin * half - cos * half],
            ]
        )


def _tilt(left: NDArray[np.floating], right: NDArray[np.floating]) -> float:
    return float(np.arctan2(right[1] - left[1], right[0] - left[0]))


def overlap(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """Return intersection over union of two (4,) left, top, right, bottom boxes."""
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    shared = width * height
    areas = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1])
    return float(shared / (areas - shared))


def warp(
    image: NDArray[np.uint8],
    to_frame: NDArray[np.float64],
    width: int,
    height: int,
    interpolation: int = cv2.INTER_LINEAR,
) -> NDArray[np.uint8]:
    """Cut (height, width, C) out of image (H, W, C); edges repeat outwards.

    to_frame: (2, 3) affine map from pixels of the cut to pixels of the image. A cut
    much coarser than the image is taken from a smaller copy, so that it does not
    shimmer.
    """
    scale = float(np.hypot(to_frame[0, 0], to_frame[1, 0]))
    shrink = int(scale / 1.5)
    if shrink > 1:
        image, to_frame = _shrunk(image, to_frame, width, height, shrink)
    cut = cv2.warpAffine(
        image,
        to_frame,
        (width, height),
        flags=interpolation | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return cut.astype(np.uint8, copy=False)


def _shrunk(
    image: NDArray[np.uint8],
    to_frame: NDArray[np.float64],
    width: int,
    height: int,
    shrink: int,
) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """Return the part of image under the cut, area-averaged, and its map."""
    corners = np.array([[0, 0, 1], [width, 0, 1], [0, height, 1], [width, height, 1]])
    reach = corners @ to_frame.T
    frame_height, frame_width = image.shape[:2]
    left, top = np.clip(reach.min(0) - 2, 0, [frame_width - 1, frame_height - 1])
    right, bottom = np.clip(
        reach.max(0) + 3, [left + 1, top + 1], [frame_width, frame_height]
    )
    left, top, right, bottom = int(left), int(top), int(right), int(bottom)
    size = (max(1, (right - left) // shrink), max(1, (bottom - top) // shrink))
    small = cv2.resize(
        image[top:bottom, left:right], size, interpolation=cv2.INTER_AREA
    )
    ratio = np.array([size[0] / (right - left), size[1] / (bottom - top)])
    moved = to_frame.copy()
    # Pixel centres sit at +0.5: shift before and after scaling.
    moved[:, 2] += 0.5 - np.array([left, top])
    moved *= ratio[:, None]
    moved[:, 2] -= 0.5
    return small.astype(np.uint8, copy=False), moved
