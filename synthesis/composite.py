"""Lay an engine's mouth over a frame, touching nothing else.

Blending happens in the frame's own YUV samples: a picture that went through RGB and
back would change everywhere. Where the patch's alpha is 0 every sample stays bit by
bit as it was; a chroma sample belongs to the 2x2 luma samples it covers.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from synthesis.engines.base import MouthPatch
from synthesis.media.colour import rgb_to_yuv_matrix
from synthesis.media.frames import Planes

_SHRINK = 0.75
"""Below this scale the patch is first reduced by area, or it would alias."""
_REACH_PX = 2
"""How far cubic resampling spreads beyond the patch's own pixels."""
_LEAST_ALPHA = 0.5 / 255


@dataclass(frozen=True)
class Box:
    """Pixels [y0:y1, x0:x1] of a frame."""

    x0: int
    y0: int
    x1: int
    y1: int

    @property
    def empty(self) -> bool:
        return self.x0 >= self.x1 or self.y0 >= self.y1


def composite(planes: Planes, patch: MouthPatch) -> Box | None:
    """Blend a mouth into a frame, in place; return the box of changed pixels.

    The box holds every pixel with alpha above 0; None if the patch misses the frame.
    """
    box, over = warped(patch, *planes.size)
    alpha = over[..., 3]
    if not alpha.any():
        return None
    matrix, offset = rgb_to_yuv_matrix(planes.matrix, planes.full_range)
    # Premultiplied, so the offset of each plane counts by alpha too.
    yuv = over[..., :3] @ matrix.T + alpha[..., None] * offset
    luma = planes.y[box.y0 : box.y1, box.x0 : box.x1]
    _blend(luma, yuv[..., 0], alpha)
    step = 2 if planes.subsampled else 1
    # On 4:2:0 the box starts and ends on even pixels: see _touched.
    small = np.s_[box.y0 // step : box.y1 // step, box.x0 // step : box.x1 // step]
    coarse = _halve(alpha) if planes.subsampled else alpha
    for plane, channel in ((planes.u, 1), (planes.v, 2)):
        chroma = yuv[..., channel]
        _blend(plane[small], _halve(chroma) if planes.subsampled else chroma, coarse)
    rows, columns = (np.flatnonzero(alpha.max(axis=axis)) for axis in (1, 0))
    return Box(
        box.x0 + int(columns[0]),
        box.y0 + int(rows[0]),
        box.x0 + int(columns[-1]) + 1,
        box.y0 + int(rows[-1]) + 1,
    )


def warped(
    patch: MouthPatch, width: int, height: int
) -> tuple[Box, NDArray[np.float32]]:
    """Carry a patch into a frame of width x height pixels.

    Returns the box that holds it, even-sided on even frames, and in it float32
    (h, w, 4): RGB 0..255 premultiplied, alpha 0..1.
    """
    box = _touched(patch, width, height)
    if box.empty:
        return box, np.zeros((0, 0, 4), np.float32)
    return box, _warp(patch, box)


def _touched(patch: MouthPatch, width: int, height: int) -> Box:
    """Even-sided box around the visible part of the patch, clipped to the frame."""
    ys, xs = patch.rgba[..., 3].nonzero()
    if not len(xs):
        return Box(0, 0, 0, 0)
    reach = _REACH_PX
    x0, x1 = xs.min() - reach, xs.max() + reach
    y0, y1 = ys.min() - reach, ys.max() + reach
    corners = np.array([[x0, y0, 1], [x1, y0, 1], [x0, y1, 1], [x1, y1, 1]], float)
    placed = corners @ patch.to_frame.T
    low = np.floor(placed.min(axis=0)).astype(int) - 1
    high = np.ceil(placed.max(axis=0)).astype(int) + 2
    left, top = (int(v) & ~1 for v in np.maximum(low, 0))
    right, bottom = (int(v) + (int(v) & 1) for v in high)
    return Box(left, top, min(right, width), min(bottom, height))


def _warp(patch: MouthPatch, box: Box) -> NDArray[np.float32]:
    """The patch in the box, float32 (h, w, 4): RGB 0..255 premultiplied, alpha 0..1."""
    rgba = patch.rgba.astype(np.float32)
    rgba[..., 3] *= 1 / 255
    rgba[..., :3] *= rgba[..., 3:]
    to_frame = np.asarray(patch.to_frame, np.float64)
    scale = float(np.sqrt(abs(np.linalg.det(to_frame[:, :2]))))
    if scale < _SHRINK:
        rgba, to_frame = _reduced(rgba, to_frame, scale)
    to_box = to_frame.copy()
    to_box[:, 2] -= (box.x0, box.y0)
    warped = cv2.warpAffine(
        rgba,
        to_box,
        (box.x1 - box.x0, box.y1 - box.y0),
        flags=cv2.INTER_CUBIC if scale >= _SHRINK else cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=(0, 0, 0, 0),
    )
    # Cubic overshoots: no alpha below 0 or above 1, no colour without alpha.
    alpha = np.clip(warped[..., 3], 0.0, 1.0)
    alpha[alpha < _LEAST_ALPHA] = 0.0
    warped[..., 3] = alpha
    warped[..., :3] = np.clip(warped[..., :3], 0.0, 255.0 * alpha[..., None])
    return np.asarray(warped, np.float32)


def _reduced(
    rgba: NDArray[np.float32], to_frame: NDArray[np.float64], scale: float
) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """The patch shrunk by area to about its size in the frame, and its new map."""
    height, width = rgba.shape[:2]
    small = (max(1, round(width * scale)), max(1, round(height * scale)))
    fx, fy = width / small[0], height / small[1]
    # Pixel centres: x = (x' + 1/2) f - 1/2.
    back = np.array([[fx, 0, (fx - 1) / 2], [0, fy, (fy - 1) / 2], [0, 0, 1]])
    shrunk = cv2.resize(rgba, small, interpolation=cv2.INTER_AREA)
    return np.asarray(shrunk, np.float32), to_frame @ back


def _halve(plane: NDArray[np.float32]) -> NDArray[np.float32]:
    """Mean of each 2x2 block."""
    height, width = plane.shape
    blocks = plane.reshape(height // 2, 2, width // 2, 2)
    return np.asarray(blocks.mean(axis=(1, 3)), np.float32)


def _blend(
    under: NDArray[np.uint8], over: NDArray[np.float32], alpha: NDArray[np.float32]
) -> None:
    """under <- under (1 - alpha) + over, over premultiplied, where alpha is above 0."""
    mixed = under * (1 - alpha) + over
    rounded = np.clip(np.rint(mixed), 0, 255).astype(np.uint8)
    np.copyto(under, rounded, where=alpha > 0)
