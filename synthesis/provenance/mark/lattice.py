"""The keyed pattern, and the canonical canvas on which it is laid and read.

Every frame is brought to a canvas of the same area and its own shape, so scaling a
video does not move the pattern. On the canvas the pattern repeats every PERIOD_PX,
which makes its spectrum a lattice of lines that can be found again after a crop.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from synthesis.provenance.mark import codec

CANVAS_SIDE_PX = 384
PERIOD_PX = 112
LOWEST, HIGHEST = 0.04, 0.18
"""Cycles a canvas pixel. A codec at CRF 33 leaves two thirds of a carrier at the low
end and a twentieth at 0.3, so all the energy the eye allows goes where it lasts."""
LOW_TO = 0.10
"""Cycles a canvas pixel up to which carriers are written loudest: what is scaled to a
third or pressed to CRF 40 keeps these, and the eye sees less of them."""
PILOTS = 96
FLOOR = 9.0
"""Levels ** 2: the power that a flat place is taken to have, grain and codec."""

FloatPlane = NDArray[np.float32]
Luma = NDArray[np.uint8] | NDArray[np.uint16]
TEN_BIT_STEPS = 4
"""Values of a 10-bit plane for each level of an 8-bit one."""


def _carriers() -> NDArray[np.int64]:
    """(n, 2) lattice points (across, down), one of each +- pair, off the axes.

    Axes are left out: block edges, letterbox bars and interlacing live there.
    """
    reach = np.arange(-PERIOD_PX // 2 + 1, PERIOD_PX // 2)
    across, down = np.meshgrid(reach, reach[reach > 0])
    radius = np.hypot(across, down) / PERIOD_PX
    keep = (radius >= LOWEST) & (radius <= HIGHEST) & (across != 0)
    return np.stack([across[keep], down[keep]], axis=1)


CARRIERS = _carriers()
RADIUS = np.hypot(CARRIERS[:, 0], CARRIERS[:, 1])
"""Cycles a period."""
MIRRORED = np.lexsort((-CARRIERS[:, 0], CARRIERS[:, 1]))
"""Where in CARRIERS, which lie in rows, the mirror image of each one is."""


@dataclass(frozen=True)
class Lattice:
    """What a key makes of the lattice.

    phases: float64 (n,), radians, of every carrier of CARRIERS.
    pilots: int64 (PILOTS,), carriers that always have sign +1.
    data: int64 (n - PILOTS,), the others; code_bit: the code bit each one carries.
    """

    phases: NDArray[np.float64]
    pilots: NDArray[np.int64]
    data: NDArray[np.int64]
    code_bit: NDArray[np.int64]

    def signs(self, code: NDArray[np.float32]) -> NDArray[np.float32]:
        """Spread CODE_BITS signs over all carriers, float32 (n,)."""
        signs = np.ones(len(CARRIERS), np.float32)
        signs[self.data] = code[self.code_bit]
        return signs


@lru_cache(maxsize=64)
def lattice_for(key: bytes) -> Lattice:
    """Derive the lattice of a key (SHAKE-256, so no library's generator matters)."""
    count = len(CARRIERS)
    stream = hashlib.shake_256(b"lipweb-mark-v2 lattice\n" + key).digest(16 * count)
    words = np.frombuffer(stream, dtype="<u8")
    phases = words[:count].astype(np.float64) * (2 * np.pi / 2**64)
    draws = words[count:]
    # From low to high frequency, so that each stretch has its share of pilots ...
    # (whole numbers: a last digit that differs between machines must change nothing)
    by_radius = np.argsort(np.sum(CARRIERS**2, axis=1), kind="stable")
    stretches = np.array_split(by_radius, PILOTS)
    pilots = np.array([s[np.argmin(draws[s])] for s in stretches])
    data = by_radius[~np.isin(by_radius, pilots)]
    return Lattice(phases, pilots, data, _code_bits(draws[data]))


def _code_bits(draws: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Which code bit each data carrier takes, carriers being in order of frequency.

    The lowest take the first bit of every code step, the next the second, and so on
    round again. A codec that cuts off the high ones then thins the code evenly, where
    a random choice would leave holes in it.
    """
    steps = codec.CODE_BITS // codec.RATE
    starts = range(0, len(draws), steps)
    blocks = [
        codec.RATE * np.argsort(np.argsort(draws[start : start + steps]))
        + block % codec.RATE
        for block, start in enumerate(starts)
    ]
    return np.concatenate(blocks)


def canvas_size(width: int, height: int) -> tuple[int, int]:
    """Return (width, height) of the canvas: area 384 squared, shape of the frame."""
    ratio = (width / height) ** 0.5
    return round(CANVAS_SIDE_PX * ratio), round(CANVAS_SIDE_PX / ratio)


def to_canvas(luma: Luma) -> FloatPlane:
    """Bring a frame (H, W) to its canvas, float32, levels 0..255.

    luma: uint8, or uint16 that holds 10 bits, 0..1023.
    """
    height, width = luma.shape
    size = canvas_size(width, height)
    # Halving is nearly free, an odd ratio is not: halve as long as there is room.
    while width >= 2 * size[0] and height >= 2 * size[1]:
        width, height = width // 2, height // 2
        luma = _resized(luma, (width, height), cv2.INTER_AREA)
    how = cv2.INTER_AREA if size[0] <= width else cv2.INTER_CUBIC
    canvas = _resized(luma, size, how).astype(np.float32)
    return canvas if luma.dtype == np.uint8 else canvas * np.float32(1 / TEN_BIT_STEPS)


def _resized(luma: Luma, size: tuple[int, int], how: int) -> Luma:
    resized: Luma = cv2.resize(luma, size, interpolation=how)  # type: ignore[assignment]
    return resized


def flatten(canvas: FloatPlane) -> tuple[FloatPlane, FloatPlane]:
    """Return the canvas with its picture pressed flat, and the local power, level**2.

    The first is what the reader averages: high-passed, and divided by (power + FLOOR),
    as a Wiener filter weighs places by what else is there, so that neither edges nor
    texture outshout the mark; within +-1.5 whatever the picture.
    """
    detail = canvas - cv2.GaussianBlur(canvas, (0, 0), 4.0)
    # A box filter's running sums can leave a variance just below zero on black.
    power = np.maximum(cv2.boxFilter(detail * detail, -1, (9, 9)), 0.0)
    flat = cv2.divide(detail, power + FLOOR)
    return np.asarray(flat, np.float32), np.asarray(power, np.float32)


def fold(flat: FloatPlane) -> NDArray[np.complex128]:
    """Complex response of a plane at every carrier, mean over its area, (n,)."""
    spectrum = folded_spectrum(flat, PERIOD_PX)
    return spectrum[CARRIERS[:, 1], CARRIERS[:, 0]]


def folded_spectrum(flat: FloatPlane, period: int) -> NDArray[np.complex128]:
    """Spectrum (period, period) of a plane laid over itself every `period` px, divided
    by the plane's area."""
    down, across = flat.shape
    rows, columns = -(-down // period), -(-across // period)
    padded = np.zeros((rows * period, columns * period), np.float32)
    padded[:down, :across] = flat
    # Rows first: numpy adds long runs much faster than many short ones.
    folded = padded.reshape(rows, period, -1).sum(axis=0)
    folded = folded.reshape(period, columns, period).sum(axis=1)
    return np.asarray(np.fft.fft2(folded) / flat.size, np.complex128)


def tile_of(waves: NDArray[np.complex128]) -> FloatPlane:
    """One period of the sum of the carriers, each times its complex amplitude."""
    spectrum = np.zeros((PERIOD_PX, PERIOD_PX), np.complex128)
    spectrum[CARRIERS[:, 1], CARRIERS[:, 0]] = waves
    return np.asarray(np.real(np.fft.ifft2(spectrum)) * PERIOD_PX**2, np.float32)
