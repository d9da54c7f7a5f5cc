"""Where the lattice went: size, rotation, squeeze and shear of a video since then.

The pattern is periodic, so its power lies on a lattice of points, and a crop or a shift
moves none of them. Which points they are needs no key and no phase: one power spectrum
serves every key. The lattice is its own mirror image, and so is what is found.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import product

import cv2
import numpy as np
from numpy.typing import NDArray

from synthesis.provenance.mark.lattice import (
    CARRIERS,
    LOW_TO,
    PERIOD_PX,
    RADIUS,
    FloatPlane,
)

Matrix = NDArray[np.float64]
"""Pattern px (across, down) to canvas px, last axes (2, 2)."""

SPECTRUM = 1024
UNREADABLE = 1
"""The point of the spectrum, next to zero, that stands for all that cannot be read; its
power is said to be the mean."""
READABLE = 0.45
"""Cycles per canvas pixel beyond which a line is not looked for."""
STANDS_OUT = 8.0
"""Times the mean at its radius to which one point of the spectrum may count: a line of
the picture itself (a fence, a screen) would outshout the lattice."""

SMALLEST, LARGEST = 0.54, 1.82
STRAIGHT_STEP, TURNED_STEP = 0.0025, 0.005
"""Natural logarithms of size: as far apart as a line of a spectrum is wide, or half."""
ROTATIONS_DEG = np.linspace(-2.6, 2.6, 21)
PERIOD_BAND = (0.02, 0.26)
ASKEW, LONGER = 0.12, 1.25
"""How far off its axis a period may point, and how unlike the two periods may be."""
KEPT = 5
APART = 0.006
SHARES = np.minimum(1.0, LOW_TO / (RADIUS / PERIOD_PX))
SHARES = np.asarray(SHARES / SHARES.sum(), np.float32)
"""(n,): how much each carrier counts: the low ones are written louder."""
PLAIN = np.eye(2)[None]
ANYHOW = np.array(
    [np.eye(2), [[0, -1], [1, 0]], [[1, 0], [0, -1]], [[0, 1], [1, 0]]], np.float64
)
"""Directions in which a matrix is improved: its size only; and size, rotation, squeeze
and skew."""


def likely(flat: FloatPlane, *, deep: bool) -> list[Matrix]:
    """Maps under which the lattice points carry most energy, best first.

    Three ways lead there: sizes only, which is what most pictures go through (the
    fewer, the surer); sizes and rotations; and the two periods, looked for by
    themselves, which finds a picture squeezed or askew. deep: keep more of each.
    """
    power = _whitened_power(flat)
    kept = KEPT * (2 if deep else 1)
    found: list[tuple[float, Matrix]] = []
    for matrices, cells in (_straight(), _turned()):
        found += _best(power, matrices, cells, kept)
    periods = _periods(power, 4 * kept)
    found += _best(power, periods, _cells(periods), kept)
    found.sort(key=lambda one: -one[0])
    different: list[Matrix] = []
    for _, matrix in found:
        if not any(np.abs(matrix - other).max() < APART / 3 for other in different):
            different.append(matrix)
    return different


def _best(
    power: FloatPlane, matrices: Matrix, cells: NDArray[np.int32], count: int
) -> list[tuple[float, Matrix]]:
    """The best matrices that are not neighbours, improved, with their energies."""
    energy = power.take(cells) @ SHARES
    directions, reach = ANYHOW, 0.003
    if not np.any(matrices[:, 0, 1]):
        directions, reach = PLAIN, 0.0012
    kept: list[Matrix] = []
    for index in np.argsort(energy)[::-1][: 40 * count]:
        one = matrices[index]
        if all(np.abs(one - other).max() > 2 * APART for other in kept):
            kept.append(one)
            if len(kept) == count:
                break
    return [_climbed(power, one, reach * directions) for one in kept]


def _climbed(
    power: FloatPlane, best: Matrix, directions: NDArray[np.float64]
) -> tuple[float, Matrix]:
    """The best matrix near by, and its energy."""
    steps = np.array(list(product((-1.0, 0.0, 1.0), repeat=len(directions))))
    around = np.tensordot(steps, directions, 1)
    energy = -1.0
    for finer in (1.0, 1.0, 0.5, 0.25):
        near = best + finer * around
        energies = power.take(_cells(near)) @ SHARES
        best, energy = near[int(np.argmax(energies))], float(energies.max())
    return energy, best


@lru_cache(maxsize=1)
def _straight() -> tuple[Matrix, NDArray[np.int32]]:
    matrices = _sizes(STRAIGHT_STEP)[:, None, None] * np.eye(2)
    return matrices, _cells(matrices)


@lru_cache(maxsize=1)
def _turned() -> tuple[Matrix, NDArray[np.int32]]:
    angles = np.deg2rad(ROTATIONS_DEG[ROTATIONS_DEG != 0.0])
    cos, sin = np.cos(angles), np.sin(angles)
    turns = np.moveaxis(np.array([[cos, -sin], [sin, cos]]), -1, 0)
    matrices = _sizes(TURNED_STEP)[:, None, None, None] * turns
    matrices = matrices.reshape(-1, 2, 2)
    return matrices, _cells(matrices)


def _sizes(step: float) -> NDArray[np.float64]:
    logarithms = np.arange(np.log(SMALLEST), np.log(LARGEST), step)
    return np.asarray(np.exp(logarithms), np.float64)


def _periods(power: FloatPlane, count: int) -> Matrix:
    """Matrices (m, 2, 2) made of pairs of peaks of the autocorrelation: one period of
    the pattern across and one down, each found without the other."""
    ring, _ = _rings()
    lowest, highest = (round(128 * f) for f in PERIOD_BAND)
    heard = np.where((ring >= lowest) & (ring < highest), power - 1.0, 0.0)
    spectrum = cv2.dft(heard.astype(np.float32), flags=cv2.DFT_COMPLEX_OUTPUT)
    alike = np.asarray(spectrum[..., 0], np.float32)
    reach = int(LARGEST * PERIOD_PX)
    skew = int(ASKEW * reach)
    turns = np.arange(-skew, skew + 1)
    wedges = alike[: reach + 1, turns].T, alike[turns, : reach + 1]
    down, across = (_peaks(wedge, count) for wedge in wedges)
    # A peak is (along the axis, off it).
    pairs = [
        np.array([[a[0], d[1]], [a[1], d[0]]]) / PERIOD_PX
        for a, d in product(across, down)
        if 1 / LONGER < a[0] / d[0] < LONGER
    ]
    return np.array(pairs or [np.eye(2)])


def _peaks(wedge: FloatPlane, count: int) -> list[tuple[int, int]]:
    """The highest places (along, off) of a wedge (off, along) round an axis."""
    off = np.arange(len(wedge)) - len(wedge) // 2
    along = np.arange(wedge.shape[1])
    outside = (np.abs(off)[:, None] > ASKEW * along) | (along < SMALLEST * PERIOD_PX)
    heights = np.where(outside, -np.inf, wedge)
    peaks = []
    for _ in range(count):
        row, column = np.unravel_index(int(np.argmax(heights)), heights.shape)
        peaks.append((int(column), int(off[row])))
        rows = slice(max(row - 2, 0), row + 3)
        heights[rows, max(column - 2, 0) : column + 3] = -np.inf
    return peaks


def _cells(matrices: Matrix) -> NDArray[np.int32]:
    """Indices of the carriers in the flattened power spectrum, (m, n)."""
    # A map of places by A moves frequencies by the inverse of A, transposed.
    inverse = np.linalg.inv(matrices) * (SPECTRUM / PERIOD_PX)
    moved = CARRIERS.astype(np.float32) @ inverse.astype(np.float32)
    squared = np.einsum("...i,...i", moved, moved)
    cells = np.rint(moved).astype(np.int32) % SPECTRUM
    flat = cells[..., 1] * SPECTRUM + cells[..., 0]
    return np.where(squared < (READABLE * SPECTRUM) ** 2, flat, UNREADABLE)


@lru_cache(maxsize=1)
def _rings() -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    frequency = np.fft.fftfreq(SPECTRUM)
    radius = np.hypot(frequency[:, None], frequency[None, :])
    ring = (radius * 128).astype(np.int32)
    return ring, np.bincount(ring.ravel()).astype(np.float64)


def _whitened_power(flat: FloatPlane) -> FloatPlane:
    """Power spectrum over its own mean at each radius, capped; (1024, 1024)."""
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
