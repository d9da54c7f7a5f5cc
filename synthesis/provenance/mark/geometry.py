"""Where the lattice went: size, rotation and squeeze of a video since it was marked.

The pattern is periodic, so its power lies on a lattice of points, and a crop or a shift
moves none of them. Which points they are needs no key and no phase: one power spectrum
serves every key.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from itertools import product

import cv2
import numpy as np
from numpy.typing import NDArray

from synthesis.provenance.mark.lattice import CARRIERS, PERIOD_PX, RADIUS, FloatPlane

SPECTRUM = 1024
UNREADABLE = 1
"""The point of the spectrum, next to zero, that stands for all that cannot be read; its
power is said to be the mean."""
READABLE = 0.45
"""Cycles per canvas pixel beyond which a line is not looked for."""
STANDS_OUT = 8.0
"""Times the mean at its radius to which one point of the spectrum may count: a line of
the picture itself (a fence, a screen) would outshout the lattice."""
Matrix = NDArray[np.float64]
Values = NDArray[np.float64]
"""Size, rotation in degrees, squeeze and shear, last axis 4: see Geometry."""


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
    mirrored: bool = False

    @property
    def matrix(self) -> Matrix:
        """float64 (2, 2): pattern px (across, down) to canvas px."""
        values = (self.size, self.rotation_deg, self.squeeze, self.shear)
        return np.asarray(_matrices(np.array(values)))

    @property
    def mirror(self) -> Geometry:
        """The same, for the picture seen in a mirror."""
        return replace(
            self,
            rotation_deg=-self.rotation_deg,
            shear=-self.shear,
            mirrored=not self.mirrored,
        )


def _matrices(values: Values) -> Matrix:
    """(..., 4) to (..., 2, 2): size * rotation * squeeze * shear."""
    size, degrees, squeeze, shear = np.moveaxis(values, -1, 0)
    across = size * squeeze**0.5
    down = size * squeeze**-0.5
    cos, sin = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
    rows = [
        [across * cos, across * cos * shear - down * sin],
        [across * sin, across * sin * shear + down * cos],
    ]
    return np.moveaxis(np.array(rows), (0, 1), (-2, -1))


@dataclass(frozen=True)
class Search:
    """Geometries that are tried together, as far apart as lines of a spectrum are wide.

    low: by the low carriers only, which a coarse grid does not miss. climbs: how far
    from a point of the grid the best is looked for, each of Values in turn.
    """

    sizes: tuple[float, float, float]
    rotations: tuple[float, float, float] = (0.0, 0.0, 1.0)
    squeezes: tuple[float, float, float] = (0.0, 0.0, 1.0)
    low: bool = False
    climbs: tuple[float, float, float, float] = (0.003, 0.2, 0.006, 0.006)
    keeps: int = 6

    @cached_property
    def values(self) -> Values:
        """float64 (m, 4)."""
        sizes, squeezes = (np.exp(_steps(a)) for a in (self.sizes, self.squeezes))
        return np.array(list(product(sizes, _steps(self.rotations), squeezes, (0.0,))))

    @cached_property
    def cells(self) -> NDArray[np.int32]:
        points = CARRIERS[RADIUS / PERIOD_PX < LOW] if self.low else CARRIERS
        return _cells(_matrices(self.values), points)

    @property
    def apart(self) -> Values:
        """How far values must differ to be another find."""
        steps = (self.sizes[2], self.rotations[2], self.squeezes[2], 1.0)
        return 2.5 * np.array(steps)


def _steps(axis: tuple[float, float, float]) -> NDArray[np.float64]:
    lowest, highest, step = axis
    return np.arange(lowest, highest + step / 2, step)


LOW = 0.12
"""Cycles a pixel."""
STRAIGHT = Search((-0.62, 0.6, 0.0025), climbs=(0.0012, 0.0, 0.0, 0.0))
"""Sizes only, which is what most pictures go through: the fewer, the surer. Sizes and
squeezes are natural logarithms, here 0.54 to 1.82."""
TURNED = Search((-0.54, 0.6, 0.005), (-2.6, 2.6, 0.26))
BENT = Search((-0.9, 0.75, 0.01), (-4.0, 4.0, 0.5), (-0.14, 0.14, 0.02), low=True)


def likely(flat: FloatPlane, *, deep: bool) -> list[Geometry]:
    """Geometries under which the lattice points carry most energy, best first.

    Upright pictures between 0.54 and 1.82 of the written size, or turned by up to 2.6
    degrees; deep adds more sizes and rotations, and squeezes of up to 15 %. Mirrored
    pictures have the same energies: see Geometry.mirror.
    """
    power = _whitened_power(flat)
    found: list[tuple[float, Geometry]] = []
    for search in (STRAIGHT, TURNED, BENT) if deep else (STRAIGHT, TURNED):
        for energy, values in _best(power, search):
            geometry = Geometry(*values.tolist())
            if not any(_alike(geometry, other) for _, other in found):
                found.append((energy, geometry))
    return [geometry for _, geometry in sorted(found, key=lambda one: -one[0])]


def _alike(one: Geometry, other: Geometry) -> bool:
    return bool(np.abs(one.matrix - other.matrix).max() < 0.002)


def _best(power: FloatPlane, search: Search) -> list[tuple[float, Values]]:
    """The best geometries that are not neighbours, with their energies, climbed to."""
    energy = power.take(search.cells).mean(axis=1)
    kept: list[Values] = []
    for index in np.argsort(energy)[::-1][: 40 * search.keeps]:
        one = search.values[index]
        if all(np.any(np.abs(one - other) > search.apart) for other in kept):
            kept.append(one)
            if len(kept) == search.keeps:
                break
    return [_climbed(power, one, np.array(search.climbs)) for one in kept]


def _climbed(power: FloatPlane, best: Values, reach: Values) -> tuple[float, Values]:
    """The best values near by, and their energy."""
    axes = [(-1.0, 0.0, 1.0) if far else (0.0,) for far in reach]
    around = np.array(list(product(*axes))) * reach
    energy = -1.0
    for finer in (1.0, 1.0, 0.5, 0.25):
        near = best + finer * around
        energies = power.take(_cells(_matrices(near), CARRIERS)).mean(axis=1)
        best, energy = near[int(np.argmax(energies))], float(energies.max())
    return energy, best


def _cells(matrices: Matrix, points: NDArray[np.int64]) -> NDArray[np.int32]:
    """Indices into the flattened power spectrum, (geometries, points)."""
    # A map of places by A moves frequencies by the inverse of A, transposed.
    inverse = np.linalg.inv(matrices) * (SPECTRUM / PERIOD_PX)
    moved = points.astype(np.float32) @ inverse.astype(np.float32)
    squared = np.einsum("...i,...i", moved, moved)
    cells = np.rint(moved).astype(np.int32) % SPECTRUM
    flat = cells[..., 1] * SPECTRUM + cells[..., 0]
    return np.where(squared < (READABLE * SPECTRUM) ** 2, flat, UNREADABLE)


@lru_cache(maxsize=1)
def _rings() -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    frequency = np.fft.fftfreq(SPECTRUM)
    radius = np.hypot(frequency[:, None], frequency[None, :])
    ring = (radius * 128).astype(np.int32)
    return ring, np.bincount(ring.ravel())


def _whitened_power(flat: FloatPlane) -> FloatPlane:
    """Power spectrum over its own mean at each radius, capped; (1024, 1024).

    """
    padded = np.zeros((SPECTRUM, SPECTRUM), np.float32)
    padded[: flat.shape[0], : flat.shape[1]] = flat[:SPECTRUM, :SPECTRUM]
    spectrum = cv2.dft(
        padded, flags=cv2.DFT_COMPLEX_OUTPUT, nonzeroRows=min(flat.shape[0], SPECTRUM)
    )
    power = spectrum[..., 0] ** 2 + spectrum[..., 1] ** 2
    ring, count = _rings()
    mean = np.bincount(ring.ravel(), power.ravel()) / count
    share = (1 / np.maximum(mean, 1e-9)).astype(np.float32)
    whitened = np.minimum(power * share.take(ring), STANDS_OUT)
    whitened.flat[UNREADABLE] = 1.0
    return np.asarray(whitened, np.float32)
