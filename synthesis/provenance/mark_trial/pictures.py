"""Pictures as YUV planes, and real encodes of them."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, NamedTuple

import av
import cv2
import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.uint8]
Matrix = NDArray[np.float64]

BLACK, GREY = 16, 128
_HALF = np.diag([0.5, 0.5, 1.0])


class Picture(NamedTuple):
    """One picture, 4:2:0, sides even. y: uint8 (H, W). u, v: uint8 (H/2, W/2)."""

    y: Plane
    u: Plane
    v: Plane

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in pixels."""
        return self.y.shape[1], self.y.shape[0]

    def bgr(self) -> NDArray[np.uint8]:
        """The picture as 8-bit BGR, (H, W, 3), BT.601."""
        flat = np.concatenate([plane.reshape(-1) for plane in self])
        wide = flat.reshape(-1, self.y.shape[1])
        return np.asarray(cv2.cvtColor(wide, cv2.COLOR_YUV2BGR_I420), np.uint8)


def from_bgr(bgr: NDArray[np.uint8]) -> Picture:
    """The reverse of `Picture.bgr`; sides must be even."""
    height, width = bgr.shape[:2]
    flat = cv2.cvtColor(np.ascontiguousarray(bgr), cv2.COLOR_BGR2YUV_I420).reshape(-1)
    return _split(np.asarray(flat, np.uint8), width, height)


def grey(luma: Plane) -> Picture:
    """A colourless picture of this luma, sides even."""
    height, width = luma.shape
    none = np.full((height // 2, width // 2), GREY, np.uint8)
    return Picture(luma, none, none.copy())


def _split(flat: NDArray[np.uint8], width: int, height: int) -> Picture:
    small = (height // 2, width // 2)
    y, u, v = np.split(flat, (width * height, width * height * 5 // 4))
    return Picture(y.reshape(height, width), u.reshape(small), v.reshape(small))


@dataclass(frozen=True)
class Codec:
    """One way to encode. name: as people say it. library: ffmpeg's encoder."""

    name: str
    library: str
    options: dict[str, str] = field(default_factory=dict)


def h264(crf: int, preset: str = "veryfast") -> Codec:
    return Codec(f"H.264 CRF {crf}", "libx264", {"crf": str(crf), "preset": preset})


def hevc(crf: int) -> Codec:
    quiet = {"x265-params": "log-level=none"}
    options = {"crf": str(crf), "preset": "superfast", **quiet}
    return Codec(f"HEVC CRF {crf}", "libx265", options)


def vp9(crf: int) -> Codec:
    fast = {"deadline": "realtime", "cpu-used": "6"}
    return Codec(f"VP9 CRF {crf}", "libvpx-vp9", {"crf": str(crf), "b": "0", **fast})


def encode(pictures: Iterable[Picture], rate: Fraction, codec: Codec) -> bytes:
    """Encode pictures of one size as a Matroska file, in memory.

    rate: frames a second. Raises ValueError if there are none.
    """
    target = io.BytesIO()
    with av.open(target, "w", format="matroska") as container:
        stream: Any = None
        for number, picture in enumerate(pictures):
            if stream is None:
                options = {"threads": "1", **codec.options}
                stream = container.add_stream(codec.library, rate, options)
                stream.width, stream.height = picture.size
                stream.pix_fmt = "yuv420p"
            frame = _frame(picture)
            frame.pts = number
            frame.time_base = 1 / rate
            container.mux(stream.encode(frame))
        if stream is None:
            raise ValueError("no pictures to encode")
        container.mux(stream.encode())
    return target.getvalue()


def decode(file: bytes) -> Iterator[Picture]:
    """The pictures of a file that `encode` made; nothing else is to be opened so."""
    with av.open(io.BytesIO(file), "r") as container:
        container.streams.video[0].thread_type = "NONE"
        for frame in container.decode(video=0):
            flat = np.asarray(frame.to_ndarray(), np.uint8).reshape(-1)
            yield _split(flat, frame.width, frame.height)


def _frame(picture: Picture) -> av.VideoFrame:
    flat = np.concatenate([plane.reshape(-1) for plane in picture])
    return av.VideoFrame.from_ndarray(flat.reshape(-1, picture.size[0]), "yuv420p")


def palette_256(picture: Picture) -> Picture:
    """The picture in 256 fixed colours, as a careless GIF has it (3-3-2 bits)."""
    few = _frame(picture).reformat(format="rgb8")
    back = np.asarray(few.reformat(format="yuv420p").to_ndarray(), np.uint8)
    return _split(back.reshape(-1), *picture.size)


# Geometry and light, on all planes alike


def even(number: float) -> int:
    """The nearest even number, at least 2."""
    return max(2, 2 * round(number / 2))


def resized(picture: Picture, width: int, height: int) -> Picture:
    """Scaled to width x height, sides even."""
    how = cv2.INTER_AREA if width < picture.size[0] else cv2.INTER_CUBIC
    sizes = [(width, height)] + 2 * [(width // 2, height // 2)]
    return Picture(
        *(
            np.asarray(cv2.resize(plane, size, interpolation=how), np.uint8)
            for plane, size in zip(picture, sizes, strict=True)
        )
    )


def scaled(picture: Picture, factor: float) -> Picture:
    """Scaled by a factor, to even sides."""
    width, height = picture.size
    return resized(picture, even(width * factor), even(height * factor))


def cropped(picture: Picture, left: int, top: int, width: int, height: int) -> Picture:
    """A part of the picture; width and height even, left and top need not be."""
    y = picture.y[top : top + height, left : left + width]
    rows = slice(top // 2, top // 2 + height // 2)
    columns = slice(left // 2, left // 2 + width // 2)
    parts = (y, picture.u[rows, columns], picture.v[rows, columns])
    return Picture(*(np.ascontiguousarray(part) for part in parts))


def padded(picture: Picture, across: int, down: int) -> Picture:
    """Black bars: `across` px left and right, `down` px above and below, both even."""
    border = cv2.BORDER_CONSTANT
    planes = []
    for plane, fill, step in zip(picture, (BLACK, GREY, GREY), (1, 2, 2), strict=True):
        beside, above = across // step, down // step
        grown = cv2.copyMakeBorder(
            plane, above, above, beside, beside, border, value=(fill,)
        )
        planes.append(np.asarray(grown, np.uint8))
    return Picture(*planes)


def warped(picture: Picture, matrix: Matrix) -> Picture:
    """Moved by a 3x3 matrix of pixels (forward); black where nothing comes to lie."""
    small = _HALF @ matrix @ np.linalg.inv(_HALF)
    planes = []
    for plane, turn, fill in zip(
        picture, (matrix, small, small), (BLACK, GREY, GREY), strict=True
    ):
        height, width = plane.shape
        moved = cv2.warpPerspective(
            plane,
            turn,
            (width, height),
            flags=cv2.INTER_CUBIC,
            borderMode=cv2.BORDER_CONSTANT,
            borderValue=(fill,),
        )
        planes.append(np.asarray(moved, np.uint8))
    return Picture(*planes)


def toned(picture: Picture, curve: NDArray[np.floating]) -> Picture:
    """Luma through a curve of 256 levels."""
    levels = np.clip(np.rint(curve), 0, 255).astype(np.uint8)
    return picture._replace(y=np.asarray(cv2.LUT(picture.y, levels), np.uint8))


def luma_psnr(one: Plane, other: Plane) -> float:
    """Peak signal-to-noise ratio of two planes in dB, infinite if they are equal."""
    return float(cv2.PSNR(one, other)) if not np.array_equal(one, other) else np.inf
