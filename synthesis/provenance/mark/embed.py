"""Write the mark into a stream of frames."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from synthesis.errors import SynthesisError
from synthesis.provenance.mark import codec
from synthesis.provenance.mark.lattice import (
    CARRIERS,
    FLOOR,
    LOW_TO,
    PERIOD_PX,
    RADIUS,
    TEN_BIT_STEPS,
    FloatPlane,
    Luma,
    canvas_size,
    flatten,
    fold,
    lattice_for,
    tile_of,
    to_canvas,
)

ALGORITHM = "org.lipweb.lattice.2"
"""Name of the mark's algorithm in the manifest's soft binding."""

SHORTEST_SIDE_PX = 160
LARGEST_SHAPE = 4.0

QUIET_RMS, LOUD_RMS, QUIET_AREA_PX = 1.22, 1.75, 640 * 360
"""Levels. With rounding to uint8, 46.2 dB of luma PSNR or more from 640x360 up;
smaller pictures, which have less room for it, down to 43 dB."""
FLAT_TO, FALL = 0.12, 4.0
"""Cycles a pixel above which carriers are written ever softer: codecs drop them."""
LOW_FALL = 2.0
"""The same above LOW_TO."""
FINE_PX, TEXTURE = 0.8, 1.2
"""Texture is what is left of a canvas less its blur of this sigma: a coarser one would
take the soft edge of what is out of focus for it."""
FLAT_RMS = 0.66
"""Levels: no louder than this where a picture is smooth, whatever is left to give, but
for what texture adds (a quarter even where there is only rounding); louder in small
pictures, which lose most to a codec."""
STEPS_PER_LEVEL = 16
REACH = 127 / STEPS_PER_LEVEL
"""Levels: the most that one pixel may change."""
INFORMED, WEAKEST, STRONGEST = 0.7, 0.3, 2.0
MEMORY = 0.85


def capacity_ok(width: int, height: int) -> bool:
    """Whether a picture of this size can carry a mark that is read back reliably."""
    short, long = sorted((width, height))
    return short >= SHORTEST_SIDE_PX and long <= LARGEST_SHAPE * short


class Embedder:
    """Writes one id into the frames of one video, in order, with constant memory."""

    def __init__(self, key: bytes, mark_id: bytes, width: int, height: int) -> None:
        """Prepare for frames of width x height px; key >= 16 bytes, mark_id 8 bytes.

        Raises SynthesisError `picture-too-small-for-mark` where capacity_ok is False.
        """
        if not capacity_ok(width, height):
            raise SynthesisError(
                "picture-too-small-for-mark",
                f"The picture is {width}x{height} pixels. The invisible mark needs a "
                f"short side of at least {SHORTEST_SIDE_PX} pixels and a shape no "
                "longer than 4:1; without the mark nothing may be delivered.",
            )
        if len(key) < 16:
            raise ValueError("a mark key has at least 16 bytes")
        lattice = lattice_for(key)
        signs = lattice.signs(codec.encode(key, mark_id))
        self._wave = signs * np.exp(1j * lattice.phases)
        self._shape = (height, width)
        self._canvas = canvas_size(width, height)
        lift = (QUIET_AREA_PX / (width * height)) ** 0.5
        self._rms = min(max(QUIET_RMS * lift, QUIET_RMS), LOUD_RMS)
        pitch = RADIUS / PERIOD_PX
        shape = np.minimum(1.0, LOW_TO / pitch) ** LOW_FALL
        pitch = pitch * self._canvas[0] / width
        shape *= np.minimum(1.0, FLAT_TO / pitch) ** FALL
        self._shaped = shape / np.sqrt(np.mean(shape**2))
        self._amplitude: NDArray[np.float64] | None = None

    def apply(self, y: Luma) -> None:
        """Mark the luma plane `y` (H, W) in place: uint8, or uint16 that holds 10 bits.

        Raises ValueError for another size or another type of number.
        """
        if y.shape != self._shape:
            raise ValueError(f"frame is {y.shape}, the embedder expects {self._shape}")
        if y.dtype not in (np.uint8, np.uint16):
            raise ValueError(
                f"frame is {y.dtype}, the embedder expects uint8 or uint16"
            )
        canvas = to_canvas(y)
        flat, power = flatten(canvas)
        mask, light = _mask(canvas)
        tile = self._tile(flat, mask, power)
        across, down = self._canvas
        repeats = (-(-down // PERIOD_PX), -(-across // PERIOD_PX))
        delta = np.tile(tile, repeats)[:down, :across] * mask
        brightest = float(np.percentile(light[::8, ::8], 90))
        lift = (self._rms / QUIET_RMS) ** 2
        smooth = FLAT_RMS * lift / (brightest * _rms(tile))
        delta *= min(self._rms / _rms(delta), smooth)
        _add(y, np.clip(delta, -REACH, REACH, out=delta))

    def _tile(
        self, flat: FloatPlane, mask: FloatPlane, power: FloatPlane
    ) -> FloatPlane:
        """One period of the pattern, float32 (PERIOD_PX, PERIOD_PX), in no unit.

        Informed: a carrier that the picture itself already pulls the right way is
        written weaker, one it pulls against stronger, slowly changing in time.
        """
        reach = float(np.mean(mask / (power + FLOOR)))
        expected = reach * self._rms / (_rms(mask) * np.sqrt(len(CARRIERS) / 2))
        pulled = 2 * np.real(fold(flat) * np.conj(self._wave))
        wanted = np.clip(
            1 - INFORMED * pulled / (expected * self._shaped), WEAKEST, STRONGEST
        )
        if self._amplitude is not None:
            wanted = MEMORY * self._amplitude + (1 - MEMORY) * wanted
        self._amplitude = wanted
        return tile_of(wanted * self._wave * self._shaped)


def _add(y: Luma, delta: FloatPlane) -> None:
    """Enlarge delta, levels on the canvas, and add it to the frame, in place."""
    height, width = y.shape
    steps = cv2.convertScaleAbs(delta, alpha=STEPS_PER_LEVEL, beta=128)
    grown = cv2.resize(steps, (width, height), interpolation=cv2.INTER_CUBIC)
    # y + (grown - 128) / 16 in one pass over the full frame, rounded and clipped.
    if y.dtype == np.uint8:
        share = 1 / STEPS_PER_LEVEL
        cv2.addWeighted(y, 1.0, grown, share, -128 * share, dst=y)
        return
    share = TEN_BIT_STEPS / STEPS_PER_LEVEL
    wide = grown.astype(np.uint16)
    cv2.addWeighted(y, 1.0, wide, share, -128 * share, dst=wide)
    np.minimum(wide, 256 * TEN_BIT_STEPS - 1, out=y)


def _rms(plane: FloatPlane) -> float:
    return float(np.sqrt(cv2.norm(plane, cv2.NORM_L2SQR) / plane.size))


def _mask(canvas: FloatPlane) -> tuple[FloatPlane, FloatPlane]:
    """How much the eye forgives at each point, relative, and the part of it that light
    and shadow have; both float32.

    More in texture (eroded: not on the flat side of an edge), less in deep shadow
    and near white, where a level shows most or would be clipped.
    """
    fine = canvas - cv2.GaussianBlur(canvas, (0, 0), FINE_PX)
    power = np.maximum(cv2.boxFilter(fine * fine, -1, (9, 9)), 0.0)
    busy = cv2.erode(1.0 + TEXTURE * cv2.sqrt(power), np.ones((9, 9), np.uint8))
    mean = cv2.blur(canvas, (7, 7))
    light = np.clip((mean - 4.0) / 60.0, 0.25, 1.0)
    light *= np.clip((262.0 - mean) / 40.0, 0.25, 1.0)
    return np.asarray(cv2.blur(busy, (7, 7)) * light, np.float32), light
