"""Pictures of a scene, one at a time, from the sandbox: exact, in constant memory."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from synthesis.errors import MediaRefused
from synthesis.media.colour import MATRIX_CODES
from synthesis.media.pixels import Pixels, even_pixels
from synthesis.media.probe import Probe, reading_caps
from synthesis.media.rates import pack_rising
from synthesis.media.sandbox import Child
from synthesis.media.wire import FRAME_HEADER

Plane = NDArray[np.uint8] | NDArray[np.uint16]


@dataclass
class Planes:
    """One picture as planar YUV, writable, upright.

    y: (H, W), uint8 0..255, or uint16 0..1023 for ten bits. u, v: of the same type,
    (H/2, W/2) for 4:2:0, (H, W/2) for 4:2:2, (H, W) for 4:4:4.
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
    def pixels(self) -> Pixels:
        """How the samples lie."""
        across = self.y.shape[1] // self.u.shape[1]
        down = self.y.shape[0] // self.u.shape[0]
        return Pixels(across, down, 8 if self.y.dtype == np.uint8 else 10)

    def luma_8(self) -> NDArray[np.uint8]:
        """The luma with eight bits: y itself, or a copy shifted down."""
        if self.y.dtype == np.uint8:
            return self.y  # type: ignore[return-value]
        return (self.y >> 2).astype(np.uint8)

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
        pixels = self.pixels
        rows = slice(top // pixels.down, bottom // pixels.down)
        columns = slice(left // pixels.across, right // pixels.across)
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
        """A copy as PyAV frame of the same layout, without stamps."""
        frame = av.VideoFrame(*self.size, self.pixels.name)
        for ours, plane in zip((self.y, self.u, self.v), frame.planes, strict=True):
            raw: Any = plane
            rows = np.frombuffer(raw, ours.dtype).reshape(ours.shape[0], -1)
            rows[:, : ours.shape[1]] = ours
        return frame


def read_frames(
    path: str | os.PathLike[str],
    probe: Probe,
    start: int = 0,
    stop: int | None = None,
    *,
    pixels: Pixels | None = None,
    full_range: bool | None = None,
) -> Iterator[Planes]:
    """Yield frames start..stop-1 of a probed scene, each in arrays of its own.

    Exactly stop - start frames come, numbered as in a decode from the beginning. The
    arrays belong to the caller. Closing the iterator ends the child at once.
    pixels: the layout wanted, by default 8 bits, 4:2:0 (4:4:4 for odd sizes); a scene
    that lies so already comes sample for sample as it was decoded. full_range: of the
    samples, by default the scene's own.
    Raises MediaRefused; ValueError for a range outside the scene.
    """
    stop = probe.frame_count if stop is None else stop
    if not 0 <= start <= stop <= probe.frame_count:
        raise ValueError(f"frames {start}..{stop} of {probe.frame_count}")
    if start == stop:
        return
    reading = _Reading(
        pixels or even_pixels(probe.width, probe.height),
        probe.colour.effective_matrix(probe.height),
        probe.colour.full_range if full_range is None else full_range,
    )
    arguments = {
        "start": start,
        "stop": stop,
        "pts": pack_rising(probe.pts),
        "keyframes": pack_rising(probe.keyframes),
        "start_pts": probe.start_pts,
        "width": probe.width,
        "height": probe.height,
        "rotation": probe.rotation,
        "planes": reading.pixels.name,
        "matrix": MATRIX_CODES[reading.matrix],
        "full_range": probe.colour.full_range,
        "full_range_wanted": reading.full_range,
    }
    entry = "synthesis.media.inside.pictures:send_frames"
    with Child(entry, path, arguments, reading_caps(probe)) as child:
        for index in range(start, stop):
            yield _receive(child, probe, index, reading)


@dataclass(frozen=True)
class _Reading:
    """How the samples come."""

    pixels: Pixels
    matrix: str
    full_range: bool


def _receive(child: Child, probe: Probe, index: int, reading: _Reading) -> Planes:
    width, height = probe.width, probe.height
    kind, small = reading.pixels.dtype, reading.pixels.chroma_shape(width, height)
    luma, chroma = width * height, small[0] * small[1]
    expected = FRAME_HEADER.size + (luma + 2 * chroma) * kind.itemsize
    if child.next_bytes(expected) != expected:
        raise MediaRefused(
            "media-changed", "The file is no longer the one that was measured."
        )
    buffer = np.empty(expected, np.uint8)
    child.read_into(buffer.data)
    _, repeated = FRAME_HEADER.unpack_from(buffer.data)
    samples = buffer[FRAME_HEADER.size :].view(kind)
    y, u, v = np.split(samples, (luma, luma + chroma))
    return Planes(
        y.reshape(height, width),
        u.reshape(small),
        v.reshape(small),
        index,
        probe.pts[index],
        reading.matrix,
        reading.full_range,
        repeated,
    )
