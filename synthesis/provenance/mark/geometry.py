"""Where the lattice went: size, rotation and mirror of a video since it was marked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import cv2
import numpy as np
from numpy.typing import NDArray

from synthesis.provenance.mark.lattice import CARRIERS, PERIOD_PX, RADIUS, FloatPlane

SMALLEST, LARGEST = 0.6, 1.7
STEP = 0.004
"""Sizes are tried this far apart (ratio); a line of the spectrum is about as wide."""
ROTATIONS_DEG = tuple(np.arange(-2.5, 2.51, 0.25))
CANDIDATES = 4
SPECTRUM = 1024
READABLE = 0.45
"""Cycles per canvas pixel beyond which a line is not looked for."""


@dataclass(frozen=True)
class Geometry:
    """size: how many times larger the pattern is on this canvas than as written."""

    size: float = 1.0
    rotation_deg: float = 0.0
    mirrored: bool = False

    @property
    def is_as_written(self) -> bool:
        """Whether the picture was neither cropped nor padded, turned or mirrored."""
        return not (self.mirrored or self.rotation_deg) and abs(self.size - 1) < 0.01


NOMINAL = Geometry()


def respond(
    flat: FloatPlane, geometry: Geometry
) -> tuple[NDArray[np.complex128], NDArray[np.float64]]:
    """Return the complex response at every carrier and the noise around it, (n,).

    The noise is the root mean square of the spectrum between the lattice points, by
    frequency: nothing is written there, so it is known without knowing the key.
    """
    picture = flat[:, ::-1] if geometry.mirrored else flat
    if geometry.rotation_deg:
        height, width = picture.shape
        turn = cv2.getRotationMatrix2D(
            (width / 2, height / 2), geometry.rotation_deg, 1.0
        )
        picture = cv2.warpAffine(picture, turn, (width, height))
    reach = int(np.abs(CARRIERS).max())
    # Half steps: even ones are the lattice, odd ones lie between its points.
    halves = np.arange(-2 * reach - 1, 2 * reach + 2) / 2
    across, down = halves, halves[halves > -1]
    pitch = 2j * np.pi / (PERIOD_PX * geometry.size)
    columns = np.exp(-pitch * np.outer(np.arange(picture.shape[1]), across))
    rows = np.exp(-pitch * np.outer(down, np.arange(picture.shape[0])))
    spectrum = rows.astype(np.complex64) @ (picture @ columns.astype(np.complex64))
    spectrum /= picture.size
    x = 2 * CARRIERS[:, 0] + 2 * reach + 1
    y = 2 * CARRIERS[:, 1] + 1
    between = [
        np.abs(spectrum[y + a, x + b]) ** 2 for a, b in product((-1, 1), (-1, 1))
    ]
    return spectrum[y, x].astype(np.complex128), _by_radius(np.mean(between, axis=0))


def _by_radius(power: NDArray[np.floating]) -> NDArray[np.float64]:
    """Smooth a power per carrier over rings of equal frequency; root of it, > 0."""
    ring = RADIUS.round().astype(int)
    total = np.bincount(ring, power)
    count = np.bincount(ring)
    wide = np.ones(3)
    mean = np.convolve(total, wide, "same") / np.maximum(
        np.convolve(count, wide, "same"), 1
    )
    return np.asarray(np.sqrt(np.maximum(mean, 1e-12))[ring])


def likely(flat: FloatPlane, *, deep: bool) -> Iterator[Geometry]:
    """Geometries under which the lattice points carry most energy, best first.

    The energy needs no key and no phase, so that one spectrum serves all of them.
    Upright pictures between 0.6 and 1.7 of the written size; deep adds rotations of
    +-2.5 degrees, and the mirror image of each candidate.
    """
    power = _whitened_power(flat)
    sizes = np.exp(np.arange(np.log(SMALLEST), np.log(LARGEST), STEP))
    rotations = ROTATIONS_DEG if deep else (0.0,)
    scored = [
        (_energy(power, float(size), float(rotation)), float(size), float(rotation))
        for rotation in rotations
        for size in sizes
    ]
    scored.sort(reverse=True)
    kept: list[tuple[float, float]] = []
    for _, size, rotation in scored:
        if any(
            abs(np.log(size / s)) < 1.5 * STEP and abs(rotation - r) < 0.3
            for s, r in kept
        ):
            continue
        kept.append((size, rotation))
        for nudge in (0.0, -STEP / 2, STEP / 2):
            for mirrored in (False, True) if deep else (False,):
                sign = -1 if mirrored else 1
                yield Geometry(size * (1 + nudge), sign * rotation, mirrored)
        if len(kept) == (3 * CANDIDATES if deep else CANDIDATES):
            return


def _whitened_power(flat: FloatPlane) -> FloatPlane:
    """Power spectrum over its own mean at each radius, capped; (1024, 1024)."""
    spectrum = np.fft.fft2(flat, (SPECTRUM, SPECTRUM))
    power = np.abs(spectrum) ** 2
    frequency = np.fft.fftfreq(SPECTRUM)
    radius = np.hypot(frequency[:, None], frequency[None, :])
    ring = (radius * 128).astype(np.int32)
    mean = np.bincount(ring.ravel(), power.ravel()) / np.bincount(ring.ravel())
    return np.asarray(np.minimum(power / np.maximum(mean, 1e-9)[ring], 8), np.float32)


def _energy(power: FloatPlane, size: float, rotation_deg: float) -> float:
    """How far the energy at the lattice points stands out, in deviations of noise."""
    angle = np.deg2rad(rotation_deg)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    points = CARRIERS @ turn / (PERIOD_PX * size)
    points = points[np.hypot(points[:, 0], points[:, 1]) < READABLE]
    cells = np.rint(points * SPECTRUM).astype(int)
    found = power[cells[:, 1], cells[:, 0]]
    return float((found.mean() - 1.0) * np.sqrt(len(found)))
