"""Where the lattice went: size, rotation and squeeze of a video since it was marked.

The pattern is periodic, so its power lies on a lattice of points, and a crop or a shift
moves none of them. Which points they are needs no key and no phase: one power spectrum
serves every key.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import product

import cv2
import numpy as np
from numpy.typing import NDArray

from synthesis.provenance.mark.lattice import CARRIERS, PERIOD_PX, RADIUS, FloatPlane

Matrix = NDArray[np.float64]

SPECTRUM = 1024
READABLE = 0.45
"""Cycles per canvas pixel beyond which a line is not looked for."""
STANDS_OUT = 8.0
"""Times the mean at its radius to which one point of the spectrum may count: a line of
the picture itself (a fence, a screen) would outshout the lattice."""
CANDIDATES = 6

Grid = tuple[NDArray[np.float64], ...]


def _steps(lowest: float, highest: float, step: float) -> NDArray[np.float64]:
    return np.arange(lowest, highest + step / 2, step)


UPRIGHT: Grid = (
    np.exp(_steps(np.log(0.58), np.log(1.8), 0.005)),
    _steps(-2.6, 2.6, 0.26),
    np.ones(1),
)
"""Sizes, rotations (degrees) and squeezes tried together: as far apart as a line of the
spectrum of a canvas is wide."""
SQUEEZED: Grid = (
    np.exp(_steps(np.log(0.4), np.log(2.1), 0.01)),
    _steps(-4.0, 4.0, 0.5),
    np.exp(_steps(-0.14, 0.14, 0.02)),
)
LOW_CARRIERS = np.flatnonzero(RADIUS / PERIOD_PX < 0.12)
"""Those that a coarse grid does not miss."""


@dataclass(frozen=True)
class Geometry:
    """An affine map of the written canvas to the canvas read, centre to centre.

    size: how many times larger the pattern is on this canvas than as written.
    squeeze: width over height of what was a square. shear: radians.
    """

    size: float = 1.0
    rotation_deg: float = 0.0
    squeeze: float = 1.0
    shear: float = 0.0

    @property
    def matrix(self) -> Matrix:
        """float64 (2, 2): pattern px (across, down) to canvas px."""
        angle = np.deg2rad(self.rotation_deg)
        turn = np.array(
            [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
        )
        squeeze = np.diag([self.squeeze**0.5, self.squeeze**-0.5])
        return self.size * turn @ squeeze @ np.array([[1.0, self.shear], [0.0, 1.0]])


NOMINAL = Geometry()


def likely(flat: FloatPlane, *, deep: bool) -> Iterator[Geometry]:
    """Geometries under which the lattice points carry most energy, best first.

    Upright pictures between 0.58 and 1.8 of the written size, turned by up to 2.6
    degrees; deep adds more of each, and squeezes of up to 15 %.
    """
    power = _whitened_power(flat)
    found = _best(power, UPRIGHT, False)
    if deep:
        found += _best(power, SQUEEZED, True)
    refined = sorted((_refined(power, one) for one in found), reverse=True)
    kept: list[Geometry] = []
    for _, values in refined:
        geometry = Geometry(*values)
        if not any(_alike(geometry, other) for other in kept):
            kept.append(geometry)
            yield geometry


def _alike(one: Geometry, other: Geometry) -> bool:
    return bool(np.abs(one.matrix - other.matrix).max() < 0.003)


def _best(power: FloatPlane, grid: Grid, low: bool) -> list[tuple[float, ...]]:
    """The best geometries of a grid that are not neighbours, each with no shear."""
    energy = power.take(_cells_of_grid(low)).mean(axis=1)
    hypotheses = list(product(*grid))
    width = np.array([abs(axis[-1] - axis[0]) / max(len(axis) - 1, 1) for axis in grid])
    width[0] /= 1.0
    kept: list[tuple[float, ...]] = []
    for index in np.argsort(energy)[::-1][: 40 * CANDIDATES]:
        one = np.array(hypotheses[index])
        if all(np.any(np.abs(one - other[:3]) > 2.5 * width + 1e-9) for other in kept):
            kept.append((*one.tolist(), 0.0))
            if len(kept) == CANDIDATES:
                break
    return kept


def _refined(
    power: FloatPlane, values: tuple[float, ...]
) -> tuple[float, tuple[float, ...]]:
    """Climb to the best (size, rotation, squeeze, shear) near by, and its energy."""
    best = np.array(values)
    energy = -1.0
    scale = np.array([0.004 * best[0], 0.2, 0.008, 0.006])
    offsets = np.array(list(product((-1.0, 0.0, 1.0), repeat=4)))
    for finer in (1.0, 1.0, 0.5, 0.25):
        around = best + finer * scale * offsets
        cells = _cells(np.stack([Geometry(*v).matrix for v in around]), CARRIERS)
        energies = power.take(cells).mean(axis=1)
        best, energy = around[int(np.argmax(energies))], float(energies.max())
    return energy, tuple(best.tolist())


@lru_cache(maxsize=2)
def _cells_of_grid(squeezed: bool) -> NDArray[np.int32]:
    grid = SQUEEZED if squeezed else UPRIGHT
    points = CARRIERS[LOW_CARRIERS] if squeezed else CARRIERS
    matrices = np.stack([Geometry(*values).matrix for values in product(*grid)])
    return _cells(matrices, points)


def _cells(matrices: NDArray[np.float64], points: NDArray[np.int64]) -> NDArray[np.int32]:
    """Indices into the flattened power spectrum, (geometries, points)."""
    # A map of places by A moves frequencies by the inverse of A, transposed.
    inverse = np.linalg.inv(matrices).astype(np.float32)
    frequency = points.astype(np.float32) / PERIOD_PX @ inverse
    readable = np.hypot(frequency[..., 0], frequency[..., 1]) < READABLE
    cells = np.rint(frequency * SPECTRUM).astype(np.int32)
    cells %= SPECTRUM
    return np.where(readable, cells[..., 1] * SPECTRUM + cells[..., 0], 1)


@lru_cache(maxsize=1)
def _rings() -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    frequency = np.fft.fftfreq(SPECTRUM)
    radius = np.hypot(frequency[:, None], frequency[None, :])
    ring = (radius * 128).astype(np.int32)
    return ring, np.bincount(ring.ravel())


def _whitened_power(flat: FloatPlane) -> FloatPlane:
    """Power spectrum over its own mean at each radius, capped; (1024, 1024).

    The point next to zero stands for what cannot be read: its power is set to 1.
    """
    padded = np.zeros((SPECTRUM, SPECTRUM), np.float32)
    padded[: flat.shape[0], : flat.shape[1]] = flat[:SPECTRUM, :SPECTRUM]
    spectrum = cv2.dft(padded, flags=cv2.DFT_COMPLEX_OUTPUT)
    power = spectrum[..., 0] ** 2 + spectrum[..., 1] ** 2
    ring, count = _rings()
    mean = np.bincount(ring.ravel(), power.ravel()) / count
    share = (1 / np.maximum(mean, 1e-9)).astype(np.float32)
    whitened = np.minimum(power * share.take(ring), STANDS_OUT)
    whitened[0, 1] = 1.0
    return np.asarray(whitened, np.float32)
