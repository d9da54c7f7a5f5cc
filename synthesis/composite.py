"""Lay an engine's mouth over a frame, touching nothing else.

Blending happens in the frame's own YUV samples: a picture that went through RGB and
back would change everywhere. Where the patch's alpha is 0 every sample stays bit by
bit as it was; a chroma sample belongs to the luma samples it covers: 2x2 in 4:2:0, two
beside each other in 4:2:2.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from cv2.typing import MatLike
from numpy.typing import NDArray

from synthesis.engines.base import MouthPatch
from synthesis.media.colour import rgb_to_yuv_matrix
from synthesis.media.frames import Plane, Planes
from synthesis.media.pixels import Pixels

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
    if box.empty:
        return None
    alpha = _split(over)[3]
    x, y, width, height = cv2.boundingRect((alpha > 0).view(np.uint8))
    if not width:
        return None
    pixels = planes.pixels
    # Premultiplied, so the offset of each plane counts by alpha too.
    matrix = np.column_stack(
        rgb_to_yuv_matrix(planes.matrix, planes.full_range, pixels.depth)
    )
    yuv = _split(cv2.transform(over, matrix))
    luma = planes.y[box.y0 : box.y1, box.x0 : box.x1]
    _blend(luma, yuv[0], alpha, pixels.depth)
    # Where colour is halved the box starts and ends on even pixels: see _touched.
    small = np.s_[
        box.y0 // pixels.down : box.y1 // pixels.down,
        box.x0 // pixels.across : box.x1 // pixels.across,
    ]
    coarse = _shrunk(alpha, pixels)
    for plane, channel in ((planes.u, 1), (planes.v, 2)):
        _blend(plane[small], _shrunk(yuv[channel], pixels), coarse, pixels.depth)
    left, top = box.x0 + x, box.y0 + y
    return Box(left, top, left + width, top + height)


def warped(
    patch: MouthPatch, width: int, height: int
) -> tuple[Box, NDArray[np.float32]]:
    """Carry a patch into a frame of width x height pixels.

    Returns the box that holds it, even-sided on even frames, and in it float32
    (h, w, 4): RGB 0..255 premultiplied, alpha 0..1.
    """
    seen = _visible(patch)
    box = _touched(patch, seen, width, height)
    if box.empty:
        return box, np.zeros((0, 0, 4), np.float32)
    return box, _warp(patch, seen, box)


def _visible(patch: MouthPatch) -> Box:
    """The pixels of the patch itself that show."""
    x, y, width, height = cv2.boundingRect(cv2.extractChannel(patch.rgba, 3))
    return Box(x, y, x + width, y + height)


def _touched(patch: MouthPatch, seen: Box, width: int, height: int) -> Box:
    """Even-sided box around the visible part of the patch, clipped to the frame."""
    if seen.empty:
        return Box(0, 0, 0, 0)
    reach = _REACH_PX
    x0, x1 = seen.x0 - reach, seen.x1 - 1 + reach
    y0, y1 = seen.y0 - reach, seen.y1 - 1 + reach
    corners = np.array([[x0, y0, 1], [x1, y0, 1], [x0, y1, 1], [x1, y1, 1]], float)
    placed = corners @ patch.to_frame.T
    low = np.floor(placed.min(axis=0)).astype(int) - 1
    high = np.ceil(placed.max(axis=0)).astype(int) + 2
    left, top = (int(v) & ~1 for v in np.maximum(low, 0))
    right, bottom = (int(v) + (int(v) & 1) for v in high)
    return Box(left, top, min(right, width), min(bottom, height))


def _warp(patch: MouthPatch, seen: Box, box: Box) -> NDArray[np.float32]:
    """The patch in the box, float32 (h, w, 4): RGB 0..255 premultiplied, alpha 0..1."""
    to_frame = np.array(patch.to_frame, np.float64)
    scale = float(np.sqrt(abs(np.linalg.det(to_frame[:, :2]))))
    if scale < _SHRINK:
        rgba, to_frame = _reduced(_premultiplied(patch.rgba), to_frame, scale)
    else:
        # What does not show has nothing to carry over.
        rgba = _premultiplied(patch.rgba[seen.y0 : seen.y1, seen.x0 : seen.x1])
        to_frame[:, 2] += to_frame[:, :2] @ (seen.x0, seen.y0)
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
    *colours, alpha = _split(warped)
    np.clip(alpha, 0.0, 1.0, out=alpha)
    alpha[alpha < _LEAST_ALPHA] = 0.0
    most = 255.0 * alpha
    merged = cv2.merge([*(np.clip(c, 0.0, most) for c in colours), alpha])
    return np.asarray(merged, np.float32)


def _premultiplied(rgba: NDArray[np.uint8]) -> NDArray[np.float32]:
    """uint8 (h, w, 4) as float32: colours 0..255 times alpha 0..1, and that alpha."""
    *colours, alpha = _split(rgba.astype(np.float32))
    alpha *= np.float32(1 / 255)
    merged = cv2.merge([*(colour * alpha for colour in colours), alpha])
    return np.asarray(merged, np.float32)


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


def _split(picture: MatLike) -> list[NDArray[np.float32]]:
    """Each channel of a float32 picture (h, w, c) on its own, (h, w)."""
    return [np.asarray(channel, np.float32) for channel in cv2.split(picture)]


def _shrunk(plane: NDArray[np.float32], pixels: Pixels) -> NDArray[np.float32]:
    """Mean of the luma samples that each chroma sample covers."""
    if pixels.across == pixels.down == 1:
        return plane
    height, width = plane.shape
    size = (width // pixels.across, height // pixels.down)
    return np.asarray(cv2.resize(plane, size, interpolation=cv2.INTER_AREA), np.float32)


def _blend(
    under: Plane, over: NDArray[np.float32], alpha: NDArray[np.float32], depth: int
) -> None:
    """under <- under (1 - alpha) + over, over premultiplied, where alpha is above 0."""
    mixed = under * (1 - alpha)
    mixed += over
    if depth == 8:
        # Nothing is negative; to the nearest level.
        np.copyto(under, cv2.convertScaleAbs(mixed), where=alpha > 0)
        return
    np.clip(np.rint(mixed, out=mixed), 0, (1 << depth) - 1, out=mixed)
    np.copyto(under, mixed, casting="unsafe", where=alpha > 0)
