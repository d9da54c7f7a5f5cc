"""Measures on pictures and landmarks of a mouth, output against real. Pure arrays."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from synthesis.faces.align import CropSpec
from synthesis.neural import masks
from synthesis.neural.lipcode import LIPS_INNER, LIPS_OUTER

Pictures = NDArray[np.uint8]

STILL = 0.01
"""A head that moves less than this share of the eye distance a frame holds still."""
LEAST_STILL_PAIRS = 10
"""Fewer frames on a still head tell nothing of flicker."""
LIPS = (*LIPS_OUTER, *LIPS_INNER)


class FaceSpec(CropSpec):
    """A crop of the whole face, forehead to chin, placed as CropSpec places its own."""

    TOP = -0.55


FACE = FaceSpec(64, 80, 40.0)
"""What `portrait` describes: small, for it shall know the face and not its pores."""
CELL_PX = 8
BINS = 8


def psnr(a: Pictures, b: Pictures) -> float:
    """Return the PSNR in dB of uint8 pictures of one shape; at most 99."""
    if not a.size:
        return float("nan")
    error = float(((a.astype(np.float64) - b) ** 2).mean())
    return min(99.0, 10 * float(np.log10(255**2 / max(error, 1e-9))))


def ssim(a: Pictures, b: Pictures) -> float:
    """Return structural similarity of two RGB pictures' luma (Wang et al. 2004)."""
    x, y = (cv2.cvtColor(p, cv2.COLOR_RGB2GRAY).astype(np.float64) for p in (a, b))

    def blur(picture: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(cv2.GaussianBlur(picture, (11, 11), 1.5), np.float64)

    mean_x, mean_y = blur(x), blur(y)
    var_x, var_y = blur(x * x) - mean_x**2, blur(y * y) - mean_y**2
    both = blur(x * y) - mean_x * mean_y
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    top = (2 * mean_x * mean_y + c1) * (2 * both + c2)
    return float((top / ((mean_x**2 + mean_y**2 + c1) * (var_x + var_y + c2))).mean())


def sharpness(pictures: Pictures) -> float:
    """Return the mean variance of the Laplacian of pictures (n, h, w, 3)."""
    grey = [cv2.cvtColor(p, cv2.COLOR_RGB2GRAY) for p in pictures]
    return float(np.mean([cv2.Laplacian(g, cv2.CV_64F).var() for g in grey]))


def still_pairs(to_frame: NDArray[np.floating], spec: CropSpec) -> NDArray[np.bool_]:
    """Return (n - 1,): does the head hold still from each frame to the next?

    to_frame: (n, 2, 3), crop_maps of spec; the corners of its crop are followed.
    """
    corners = np.array([[0, 0, 1], [spec.width, 0, 1], [0, spec.height, 1]], float)
    places = np.einsum("nij,kj->nki", to_frame, corners)
    eyes_px = np.hypot(to_frame[:, 0, 0], to_frame[:, 1, 0]) * spec.px_per_eyes
    steps = np.linalg.norm(np.diff(places, axis=0), axis=2).max(1)
    still: NDArray[np.bool_] = steps < STILL * eyes_px[1:]
    return still


def flicker(pictures: Pictures, pairs: NDArray[np.bool_]) -> float:
    """Return the mean absolute change between neighbours of (n, h, w, 3).

    pairs: (n - 1,), which to count. NaN where they are too few.
    """
    if pairs.sum() < LEAST_STILL_PAIRS:
        return float("nan")
    changes = [
        np.abs(pictures[i + 1].astype(np.float32) - pictures[i]).mean()
        for i in np.flatnonzero(pairs)
    ]
    return float(np.mean(changes))


def seam(
    crops: Pictures, landmarks: NDArray[np.floating], spec: CropSpec, step: int = 2
) -> float:
    """Return the mean gradient across the border of the hole, in grey levels a pixel.

    crops: (n, H, W, 3). landmarks: (n, 468, 2) in pixels of the crop, of the filmed
    face: off it nothing is pasted and there is no seam. Every `step`-th frame is read.
    """
    soft = masks.soft_hole(spec).astype(np.float64)
    down, across = np.gradient(soft)
    steep = np.hypot(down, across)
    total = weight = 0.0
    for crop, points in zip(crops[::step], landmarks[::step], strict=True):
        grey = cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY).astype(np.float64)
        dy, dx = np.gradient(grey)
        here = steep * (masks.face_matte(points, spec) > 250)
        slope = np.abs(dx * across + dy * down) / np.maximum(steep, 1e-9)
        total += float((slope * here).sum())
        weight += float(here.sum())
    return total / weight if weight else float("nan")


def lip_distance(
    made: NDArray[np.floating], real: NDArray[np.floating]
) -> NDArray[np.float64]:
    """Return (n,): mean distance of the lip landmarks in % of the eye distance (LMD).

    made, real: (n, 468, >=2), measured on both videos, in pixels of the same frame.
    """
    apart = np.linalg.norm(made[:, LIPS, :2] - real[:, LIPS, :2], axis=2).mean(1)
    eyes = np.linalg.norm(real[:, 33, :2] - real[:, 263, :2], axis=1)
    return np.asarray(100 * apart / eyes, np.float64)


def portrait(face: Pictures) -> NDArray[np.float64]:
    """Describe one aligned face, a crop of FACE: (cells down, cells across, BINS).

    Histograms of gradient orientation on cells of 8 px, each of length 1 (Dalal and
    Triggs 2005, without overlapping blocks): whose face, whatever the light.
    """
    grey = cv2.cvtColor(face, cv2.COLOR_RGB2GRAY).astype(np.float64)
    dy, dx = np.gradient(cv2.GaussianBlur(grey, (0, 0), 0.8))
    strength = np.hypot(dx, dy)
    angle = (np.arctan2(dy, dx) % np.pi) / np.pi * BINS
    low = np.floor(angle).astype(int)
    share = angle - low
    parts = np.zeros((*grey.shape, BINS))
    rows, columns = np.indices(grey.shape)
    np.add.at(parts, (rows, columns, low % BINS), strength * (1 - share))
    np.add.at(parts, (rows, columns, (low + 1) % BINS), strength * share)
    height, width = (side // CELL_PX for side in grey.shape)
    cells = parts.reshape(height, CELL_PX, width, CELL_PX, BINS).sum((1, 3))
    length = np.linalg.norm(cells, axis=2, keepdims=True)
    return np.asarray(cells / (length + 0.05 * length.mean() + 1e-9), np.float64)


def likeness(a: NDArray[np.float64], b: NDArray[np.float64], *, mouth: bool) -> float:
    """Return the cosine of two portraits (or means of them), mouth region or the rest.

    A clip's mean portrait is compared: what the mouth says is averaged out of it.
    """
    where = _mouth_cells()
    left, right = (p[where if mouth else ~where].ravel() for p in (a, b))
    norm = float(np.linalg.norm(left) * np.linalg.norm(right))
    return float(left @ right) / norm if norm else float("nan")


def _mouth_cells() -> NDArray[np.bool_]:
    """Return (cells down, cells across): True where a cell lies in the hole."""
    left, top, right, bottom = masks.box_px(masks.HOLE, FACE)
    y = (np.arange(FACE.height // CELL_PX) + 0.5) * CELL_PX
    x = (np.arange(FACE.width // CELL_PX) + 0.5) * CELL_PX
    inside = ((y >= top) & (y <= bottom))[:, None] & ((x >= left) & (x <= right))
    return np.asarray(inside, np.bool_)


def ratio(a: float, b: float) -> float:
    """Return a / b; NaN where there is nothing to divide by."""
    return a / b if b > 1e-9 else float("nan")
