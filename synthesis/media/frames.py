"""Pictures of a scene, one at a time, from the sandbox: exact, in constant memory."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass

import av
import numpy as np
from numpy.typing import NDArray

from synthesis.errors import MediaRefused
from synthesis.media.colour import MATRIX_CODES
from synthesis.media.probe import Probe, reading_caps
from synthesis.media.rates import pack_rising
from synthesis.media.sandbox import Child
from synthesis.media.wire import FRAME_HEADER

Plane = NDArray[np.uint8]


@dataclass
class Planes:
    """One picture as 8-bit planar YUV, writable, upright.

    y: uint8 (H, W). u, v: uint8 (H/2, W/2), or (H, W) where H or W is odd.
    index: number of the frame in the scene. pts: in units of the scene's time_base,
    the first frame's is 0. matrix: 'bt601' | 'bt709' | 'bt2020' | ... repeated: the
    frame could not be decoded and its neighbour stands in.
    """

    y: Plane
    u: Plane
    v: Plane
    index: int
    pts: int
    matrix: str
    full_range: bool
    repeated: bool = False

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in pixels."""
        return self.y.shape[1], self.y.shape[0]

    @property
    def subsampled(self) -> bool:
        """True for 4:2:0, False for 4:4:4."""
        return self.u.shape != self.y.shape

    def copy(self) -> Planes:
        parts = (self.y.copy(), self.u.copy(), self.v.copy())
        return Planes(
            *parts, self.index, self.pts, self.matrix, self.full_range, self.repeated
        )

    def rgb(self) -> NDArray[np.uint8]:
        """The picture as RGB, uint8 (H, W, 3)."""
        code = MATRIX_CODES[self.matrix]
        picture = self.video_frame().reformat(
            format="rgb24",
            src_colorspace=code,
            dst_colorspace=code,
            src_color_range="JPEG" if self.full_range else "MPEG",
            dst_color_range="JPEG",
        )
        return picture.to_ndarray()  # type: ignore[return-value]

    def rgb_region(self, x0: int, y0: int, x1: int, y1: int) -> NDArray[np.uint8]:
        """The same for [y0:y1, x0:x1], without converting the rest."""
        left, top, right, bottom = x0 & ~1, y0 & ~1, x1 + (x1 & 1), y1 + (y1 & 1)
        step = 2 if self.subsampled else 1
        rows = slice(top // step, bottom // step)
        columns = slice(left // step, right // step)
        part = Planes(
            self.y[top:bottom, left:right],
            self.u[rows, columns],
            self.v[rows, columns],
            self.index,
            self.pts,
            self.matrix,
            self.full_range,
        )
        return part.rgb()[y0 - top : y1 - top, x0 - left : x1 - left]

    def video_frame(self) -> av.VideoFrame:
        """A copy as PyAV frame, yuv420p or yuv444p, without stamps."""
        flat = np.concatenate([plane.reshape(-1) for plane in (self.y, self.u, self.v)])
        width, height = self.size
        if self.subsampled:
            return av.VideoFrame.from_ndarray(flat.reshape(-1, width), "yuv420p")
        return av.VideoFrame.from_ndarray(flat.reshape(3, height, width), "yuv444p")


def planes_format(width: int, height: int) -> str:
    """'yuv420p' where both sides are even, else 'yuv444p'."""
    return "yuv444p" if width % 2 or height % 2 else "yuv420p"


def read_frames(
    path: str | os.PathLike[str], probe: Probe, start: int = 0, stop: int | None = None
) -> Iterator[Planes]:
    """Yield frames start..stop-1 of a probed scene, each in arrays of its own.

    Exactly stop - start frames come, numbered as in a decode from the beginning. The
    arrays belong to the caller. Closing the iterator ends the child at once.
    Raises MediaRefused; ValueError for a range outside the scene.
    """
    stop = probe.frame_count if stop is None else stop
    if not 0 <= start <= stop <= probe.frame_count:
        raise ValueError(f"frames {start}..{stop} of {probe.frame_count}")
    if start == stop:
        return
    matrix = probe.colour.effective_matrix(probe.height)
    arguments = {
        "start": start,
        "stop": stop,
        "pts": pack_rising(probe.pts),
        "keyframes": pack_rising(probe.keyframes),
        "start_pts": probe.start_pts,
        "width": probe.width,
        "height": probe.height,
        "rotation": probe.rotation,
        "planes": planes_format(probe.width, probe.height),
        "matrix": MATRIX_CODES[matrix],
        "full_range": probe.colour.full_range,
    }
    entry = "synthesis.media.inside.pictures:send_frames"
    with Child(entry, path, arguments, reading_caps(probe)) as child:
        for index in range(start, stop):
            yield _receive(child, probe, index, matrix)


def _receive(child: Child, probe: Probe, index: int, matrix: str) -> Planes:
    width, height = probe.width, probe.height
    subsampled = planes_format(width, height) == "yuv420p"
    small = (height // 2, width // 2) if subsampled else (height, width)
    luma, chroma = width * height, small[0] * small[1]
    expected = FRAME_HEADER.size + luma + 2 * chroma
    if child.next_bytes(expected) != expected:
        raise MediaRefused(
            "media-changed", "The file is no longer the one that was measured."
        )
    buffer = np.empty(expected, np.uint8)
    child.read_into(buffer.data)
    _, repeated = FRAME_HEADER.unpack_from(buffer.data)
    y, u, v = np.split(buffer[FRAME_HEADER.size :], (luma, luma + chroma))
    return Planes(
        y.reshape(height, width),
        u.reshape(small),
        v.reshape(small),
        index,
        probe.pts[index],
        matrix,
        probe.colour.full_range,
        repeated,
    )
